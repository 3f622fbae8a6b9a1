"""One check's result before it is put into the report: the check, and the rows it points at with their scores."""

from collections.abc import Callable

import msgspec
import numpy as np

from whatnext_service.core.corpus import Corpus
from whatnext_service.core.near_pairs import Likeness
from whatnext_service.core.quality import MAX_PAIRS, Check, CheckCode, CheckVerdict, Effect, RowMark
from whatnext_service.core.row_hashes import Indexes
from whatnext_service.core.row_pairs import name_row
from whatnext_service.core.state import DerivationKind

CLEANING = Effect(
    low=0.34, high=0.76, share_improved_low=0.71, share_improved_high=0.88, source="evidence 8: cleaning the data"
)
"""Training again on cleaned labels, whatever the curve said."""


class Outcome(msgspec.Struct, frozen=True):
    """A check, and how it scores each row it points at (0 bad, 1 good)."""

    check: Check
    rows: Indexes
    scores: Likeness


def grade(value: float, caution: float, critical: float) -> CheckVerdict:
    """The verdict on a share or count that is the worse the higher it is; thresholds are inclusive."""
    if value >= critical:
        return "critical"
    return "caution" if value >= caution else "good"


def conclude(
    corpus: Corpus,
    code: CheckCode,
    verdict: CheckVerdict,
    statement: str,
    *,
    source: str,
    value: float | None = None,
    threshold: float | None = None,
    rows: Indexes | None = None,
    scores: Likeness | float = 0.0,
    note: Callable[[int], str] | None = None,
    remedy: str | None = None,
    operation: DerivationKind | None = None,
    effect: Effect | None = None,
    n_rows: int | None = None,
) -> Outcome:
    """Put a check together; `rows` may hold indexes of the training data only. A good verdict needs no remedy."""
    pointed = np.empty(0, dtype=np.int64) if rows is None else rows
    given = np.broadcast_to(np.asarray(scores, dtype=np.float64), pointed.shape)
    worst = np.argsort(given, kind="stable")[:MAX_PAIRS]
    marks = tuple(
        RowMark(
            line=int(corpus.lines[pointed[at]]),
            row_id=name_row(corpus, int(pointed[at])),
            score=round(float(given[at]), 4),
            note=note(int(pointed[at])) if note is not None else "",
            excerpt=corpus.excerpts.question(int(pointed[at])),
        )
        for at in worst
    )
    troubled = verdict in ("caution", "critical")
    check = Check(
        code=code,
        verdict=verdict,
        statement=statement,
        value=None if value is None else round(value, 6),
        threshold=threshold,
        n_rows=len(pointed) if n_rows is None else n_rows,
        rows=marks,
        remedy=remedy if troubled else None,
        operation=operation if troubled else None,
        effect=effect if troubled else None,
        source=source,
    )
    return Outcome(check, pointed, given)


def share(part: int, whole: int) -> float:
    """A part of a whole; 0 of an empty one."""
    return part / whole if whole else 0.0
