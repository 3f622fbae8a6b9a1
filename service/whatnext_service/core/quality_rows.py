"""The rows of a quality report in the order in which a person should look at them."""

import math

import msgspec
import numpy as np

from whatnext_service.core.dataset_formats import normalise_row
from whatnext_service.core.quality import PARTNERED, CheckCode
from whatnext_service.errors import DomainError

TEXT_CHARS = 200


class PackedRows(msgspec.Struct, kw_only=True, frozen=True):
    """What a quality report says of each row, packed as in `QualityReport`, and the rows' lines."""

    lines: bytes
    row_scores: bytes
    row_flags: bytes
    label_confidence: bytes
    flag_codes: tuple[CheckCode, ...]


class RankedRow(msgspec.Struct, kw_only=True, frozen=True):
    """One row as the report sees it."""

    index: int
    """From 0, in the order of the file."""
    line: int
    score: float
    label_confidence: float | None
    checks: tuple[CheckCode, ...]


class Partner(msgspec.Struct, kw_only=True, frozen=True):
    """A row that another one repeats or contradicts."""

    check: CheckCode
    index: int


class RowText(msgspec.Struct, kw_only=True, frozen=True):
    """The beginning of what a row says, at most 200 characters of each; white space is folded."""

    prompt: str
    """The last question."""
    answer: str
    rejected: str | None
    """Preference pairs: the output that is not preferred."""


def rank_rows(packed: PackedRows, check: str | None, start: int, limit: int) -> tuple[tuple[RankedRow, ...], bool]:
    """Rows from place `start` of the order, and whether there are more.

    Worst first: by score, then by line. With a check, the rows it points at; for `label_errors` by label confidence,
    the order that finds wrong labels soonest.
    """
    scores = np.frombuffer(packed.row_scores, dtype="<f4")
    flags = np.frombuffer(packed.row_flags, dtype="<u4")
    confidence = np.frombuffer(packed.label_confidence, dtype="<f4")
    lines = np.frombuffer(packed.lines, dtype="<u4")
    rows = np.arange(len(scores))
    if check is not None:
        if check not in packed.flag_codes:
            raise DomainError("invalid_parameter", f"check: one of {', '.join(packed.flag_codes)}.")
        bit = np.uint32(1 << packed.flag_codes.index(check))
        rows = np.flatnonzero(flags & bit)
    by = confidence if check == "label_errors" and len(confidence) else scores
    order = rows[np.argsort(by[rows], kind="stable")]
    shown = [
        RankedRow(
            index=at,
            line=int(lines[at]),
            score=round(float(scores[at]), 4),
            label_confidence=_known(float(confidence[at])) if len(confidence) else None,
            checks=tuple(code for place, code in enumerate(packed.flag_codes) if int(flags[at]) >> place & 1),
        )
        for at in (int(row) for row in order[start : start + limit])
    ]
    return tuple(shown), len(order) > start + limit


def partners_of(partners: bytes, rows: tuple[int, ...]) -> dict[int, tuple[Partner, ...]]:
    """For each of `rows` those that it repeats or contradicts, at most one for each check."""
    triples = np.frombuffer(partners, dtype="<u4").reshape(-1, 3)
    found: dict[int, tuple[Partner, ...]] = {}
    for row in rows:
        first, last = np.searchsorted(triples[:, 0], [row, row + 1])
        found[row] = tuple(
            Partner(check=PARTNERED[check], index=other) for _, other, check in triples[first:last].tolist()
        )
    return found


def show_text(raw: bytes) -> RowText:
    """The beginning of what a row of an accepted file says."""
    row = normalise_row(raw)
    return RowText(
        prompt=(row.question or row.input)[:TEXT_CHARS],
        answer=row.answer[:TEXT_CHARS],
        rejected=row.rejected[:TEXT_CHARS] if row.method == "dpo" else None,
    )


def _known(confidence: float) -> float | None:
    return None if math.isnan(confidence) else round(confidence, 4)
