"""The rows of a quality report in the order in which a person should look at them."""

import math

import msgspec
import numpy as np

from whatnext_service.core.quality import CheckCode
from whatnext_service.core.row_hashes import HASH_BYTES, row_id
from whatnext_service.errors import DomainError


class PackedRows(msgspec.Struct, kw_only=True, frozen=True):
    """What a quality report says of each row, packed as in `QualityReport`, and the rows' lines and hashes."""

    lines: bytes
    row_hashes: bytes
    row_scores: bytes
    row_flags: bytes
    label_confidence: bytes
    flag_codes: tuple[CheckCode, ...]


class RankedRow(msgspec.Struct, kw_only=True, frozen=True):
    """One row of a dataset version as its quality report sees it."""

    line: int
    row_id: str
    """Name of the row by its content; `drop_ids` takes it, and rows that say the same share it."""
    score: float
    """0 (bad) to 1 (nothing found): the product over the checks that point at it."""
    label_confidence: float | None
    """How far the other rows bear out its label, 0 to 1; null where labels were not judged."""
    checks: tuple[CheckCode, ...]
    """The checks that point at it."""


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
            line=int(lines[at]),
            row_id=row_id(packed.row_hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES]),
            score=round(float(scores[at]), 4),
            label_confidence=_known(float(confidence[at])) if len(confidence) else None,
            checks=tuple(code for place, code in enumerate(packed.flag_codes) if int(flags[at]) >> place & 1),
        )
        for at in (int(row) for row in order[start : start + limit])
    ]
    return tuple(shown), len(order) > start + limit


def _known(confidence: float) -> float | None:
    return None if math.isnan(confidence) else round(confidence, 4)
