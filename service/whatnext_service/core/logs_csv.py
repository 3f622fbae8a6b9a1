"""A plain table of item scores."""

import csv
import io
import math

from whatnext_service.core.log_entries import MAX_OUTPUT, EvaluationLog, LogEntry, refused
from whatnext_service.errors import FieldError

INDEX = ("index", "idx", "item", "item_index")
SCORE = ("score", "combined", "grade", "value")
TEXT = ("prompt", "question", "input")
OUTPUT = ("output", "answer", "completion", "response")
NO_SCORE = ("", "nan", "none", "null", "na", "n/a")
TOKENS = ("completion_tokens", "output_tokens", "tokens")


def read_csv(text: str, score: str | None) -> EvaluationLog:
    """A header and a row an item: `score`, and `index` (from 0) or `prompt`; an empty score is a missing one."""
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise refused(f"the table cannot be read: {error}") from error
    names = [name.strip().lower() for name in rows[0]]
    score_at = _column(names, (score.lower(),) if score else SCORE)
    index_at, text_at = _column(names, INDEX), _column(names, TEXT)
    if score_at is None:
        raise refused(f"the table has no column {score or ' or '.join(SCORE)}; it has {', '.join(names[:20])}")
    if index_at is None and text_at is None:
        raise refused("the table says of no item which it is: it needs a column index (from 0) or prompt")
    output_at, tokens_at, error_at = _column(names, OUTPUT), _column(names, TOKENS), _column(names, ("error",))
    entries: list[LogEntry] = []
    faults: list[FieldError] = []
    for row, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        value, index = _cell(cells, score_at), _cell(cells, index_at)
        number = _number(value)
        if number is None and value.lower() not in NO_SCORE:
            faults.append(FieldError(pointer=f"/{row}", message=f"the score {value[:40]!r} is no number"))
        if index_at is not None and not (index.isascii() and index.isdigit() and len(index) < 9):
            faults.append(FieldError(pointer=f"/{row}", message=f"the index {index[:40]!r} is no place from 0"))
            continue
        tokens = _cell(cells, tokens_at)
        said = _cell(cells, text_at)
        entries.append(
            LogEntry(
                row=row,
                index=int(index) if index_at is not None else None,
                texts=(said,) if said else (),
                score=number,
                output=(_cell(cells, output_at)[:MAX_OUTPUT] or None) if output_at is not None else None,
                completion_tokens=int(tokens) if tokens.isascii() and tokens.isdigit() and len(tokens) < 10 else None,
                error=(_cell(cells, error_at) or "no_score") if number is None else None,
            )
        )
    if faults:
        raise refused(f"{len(faults)} rows cannot be read", tuple(faults[:100]))
    return EvaluationLog(format="csv", scorer=None, low=None, high=None, entries=tuple(entries))


def _column(names: list[str], wanted: tuple[str, ...]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _cell(cells: list[str], place: int | None) -> str:
    return cells[place].strip() if place is not None and place < len(cells) else ""


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
