"""Tables of text: CSV in every dialect seen, W&B exports, markdown and notebook tables (hazards 2 to 5, 10, 11)."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from whatnext_service.core.curve_points import Floats, Ints
from whatnext_service.core.malformed import malformed
from whatnext_service.core.result_columns import (
    ALIASES,
    STEP_NAMES,
    RawColumn,
    canonical_names,
    is_bookkeeping,
    plain_name,
    require_evidence,
    row_numbers,
    step_numbers,
)

NOT_YET_LOGGED = "no log"
MISSING = frozenset({"", "none", "null", "na", "n/a", "-", "--", NOT_YET_LOGGED})
ROWS_A_CHUNK = 8192

Row = tuple[int, list[str]]
"""The number of the line a row ends on, and its cells."""


class _Column:
    """One column while the file is read: its values, and which of its cells held one."""

    def __init__(self, name: str, wanted: bool) -> None:
        self.name = name
        self.wanted = wanted
        self.is_text = False
        self.saw_no_log = False
        self.values: list[Floats] = []
        self.present: list[npt.NDArray[np.bool_]] = []

    def add(self, cells: Sequence[str], lines: Sequence[int]) -> None:
        try:
            values = np.array(list(map(float, cells)), dtype=np.float64)
            present = np.ones(len(cells), dtype=np.bool_)
        except ValueError:
            values = np.full(len(cells), np.nan)
            present = np.zeros(len(cells), dtype=np.bool_)
            for index, cell in enumerate(cells):
                word = cell.strip().lower()
                if word in MISSING:
                    self.saw_no_log |= word == NOT_YET_LOGGED
                    continue
                try:
                    values[index] = float(cell)
                except ValueError:
                    if self.wanted:
                        malformed(f"line {lines[index]}, column {self.name!r}: {cell.strip()[:40]!r} is no number")
                    self.is_text = True
                    return
                present[index] = True
        self.values.append(values)
        self.present.append(present)

    def joined(self) -> tuple[Floats, npt.NDArray[np.bool_]]:
        return np.concatenate(self.values), np.concatenate(self.present)


def table_columns(text: str, notes: list[str]) -> list[RawColumn]:
    """The columns of a text table; refused when it holds no metric of training, or a cell of one is no number."""
    try:
        every_row, aligned = _rows(text)
        filled = (row for row in every_row if row[1] and any(map(str.strip, row[1])))
        header, rows = _header(filled, notes, aligned=aligned)
        names = canonical_names(header)
        require_evidence(names, header)
        plain = list(map(plain_name, header))
        step_at = next((plain.index(name) for name in STEP_NAMES if name in plain), None)
        columns = [
            _Column(name, index == step_at or canonical in ALIASES)
            for index, (name, canonical) in enumerate(zip(header, names, strict=True))
        ]
        _fill(columns, rows, notes)
    except csv.Error as error:
        malformed(f"not a table of comma-separated values: {error}")
    texts = [column.name for column in columns if column.is_text and column.name]
    if texts:
        notes.append("text columns left out: " + ", ".join(texts[:10]))
    n_rows = max(sum(map(len, column.values)) for column in columns)
    if n_rows == 0:
        malformed("the table has a header and no rows")
    if step_at is None:
        steps = row_numbers(n_rows, notes)
    else:
        cells, present = columns[step_at].joined()
        steps = step_numbers(np.where(present, cells, np.nan), notes)
    return [
        raw
        for index, column in enumerate(columns)
        if index != step_at and not column.is_text and column.name and not is_bookkeeping(column.name)
        for raw in [_raw(column, steps, notes)]
        if raw.values.size
    ]


def _rows(text: str) -> tuple[Iterator[Row], bool]:
    """The rows, and whether they are aligned by spaces, so that an index may stand before the first column."""
    head = next((line for line in text[:100_000].splitlines() if line.strip()), "")
    if head.lstrip().startswith("|"):
        return _split_rows(text, r"\|"), False
    delimiter = max(",;\t", key=head.count)
    if delimiter not in head and re.search(r"\S\s{2,}\S", head):
        return _split_rows(text, r"\s{2,}"), True
    return _csv_rows(text, delimiter), False


def _csv_rows(text: str, delimiter: str) -> Iterator[Row]:
    lines = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="")
    reader = csv.reader(lines, delimiter=delimiter)
    return ((reader.line_num, row) for row in reader)


def _split_rows(text: str, separator: str) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), start=1):
        cells = line.strip()
        if re.fullmatch(r"[\s|:\-+]*", cells) is None:
            if separator == r"\|":
                cells = cells.removeprefix("|").removesuffix("|")
            yield number, re.split(separator, cells)


def _header(rows: Iterator[Row], notes: list[str], *, aligned: bool) -> tuple[list[str], Iterator[Row]]:
    """The column names and the rows below; a second header line names an unnamed first column (hazards 10)."""
    _, cells = next(rows, (0, []))
    names = [cell.strip() for cell in cells]
    if any(" - " in name for name in names):
        names = _without_run_names(names, notes)
    below = list(islice(rows, 1))
    if aligned and below and len(below[0][1]) == len(names) + 1:
        names = ["", *names]
    if below and names[0] == "" and below[0][1][0].strip() and not any(cell.strip() for cell in below[0][1][1:]):
        names[0] = below[0][1][0].strip()
        below = []
    return names, chain(below, rows)


def _without_run_names(names: list[str], notes: list[str]) -> list[str]:
    """Metric names of a W&B export, whose columns are `run - metric`, with `__MIN` and `__MAX` twins left out."""
    runs = {name.rsplit(" - ", 1)[0] for name in names if " - " in name}
    if len(runs) > 1:
        malformed(f"the export holds {len(runs)} runs ({', '.join(sorted(runs)[:3])}, ...): export one run alone")
    notes.append(f"export of the run {runs.pop()[:80]!r}")
    return ["" if name.endswith(("__MIN", "__MAX")) else name.rsplit(" - ", 1)[-1] for name in names]


def _fill(columns: list[_Column], rows: Iterator[Row], notes: list[str]) -> None:
    width = len(columns)
    n_short, cut_off = 0, False
    chunk, following = [], list(islice(rows, ROWS_A_CHUNK))
    while following:
        chunk, following = following, list(islice(rows, ROWS_A_CHUNK))
        if not following and len(chunk[-1][1]) < width:
            chunk.pop()
            cut_off = True
        for number, row in chunk:
            if len(row) > width and any(cell.strip() for cell in row[width:]):
                malformed(f"line {number} has {len(row)} cells, the header has {width}")
            if len(row) < width:
                n_short += 1
                row.extend([""] * (width - len(row)))
        lines = [number for number, _ in chunk]
        for index, column in enumerate(columns):
            if not column.is_text:
                column.add([row[index] for _, row in chunk], lines)
    if cut_off:
        notes.append("the last line is cut off: left out")
    if n_short:
        notes.append(f"{n_short} rows are shorter than the header: their missing cells are empty")


def _raw(column: _Column, steps: Ints, notes: list[str]) -> RawColumn:
    values, present = column.joined()
    kept = present & (steps >= 0)
    filler = _filler(values[kept])
    if bool(filler.any()):
        notes.append(f"{int(filler.sum())} NaN in {column.name!r} between values are empty cells")
    stale = _stale(column, values[kept])
    if bool(stale.any()):
        notes.append(f"{int(stale.sum())} repeats of the last logged value in {column.name!r} left out")
    fresh = ~(filler | stale)
    return RawColumn(name=column.name, steps=steps[kept][fresh], values=values[kept][fresh])


def _filler(values: Floats) -> npt.NDArray[np.bool_]:
    """Which NaN stand for an empty cell: all of them, when the values between stand at regular distances.

    A metric that is evaluated every n-th row looks so; a metric that became NaN does not.
    """
    broken = np.isnan(values)
    gaps = np.diff(np.flatnonzero(~broken))
    regular = gaps.size >= 2 and int(gaps[0]) > 1 and bool(np.all(gaps[:-1] == gaps[0])) and gaps[-1] <= gaps[0]
    return broken if regular else np.zeros(values.size, dtype=np.bool_)


def _stale(column: _Column, values: Floats) -> npt.NDArray[np.bool_]:
    """Which training losses repeat the last logged one, in a table evaluated more often than it logs (hazards 10)."""
    stale = np.zeros(values.size, dtype=np.bool_)
    if column.saw_no_log:
        stale[1:] = (values[1:] == values[:-1]) & (values[1:] != 0.0)
    return stale
