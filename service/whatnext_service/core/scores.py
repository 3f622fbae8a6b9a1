"""From graded dimensions to one combined score an item, on the suite's scale."""

import msgspec

from whatnext_service.core.grader_types import Grader, Score, ScoreError

_DECIMALS = 9
"""Scores are rounded so that the last bits, which differ between processors, never reach a verdict."""


class GradedDimension(msgspec.Struct, kw_only=True, frozen=True):
    """One dimension of a suite: its grader and its weight."""

    name: str
    weight: float
    grader: Grader


Outcome = Score | ScoreError | None
"""What became of one dimension of one item; null when it was not graded yet."""


def on_scale(score: Score, scale_min: float, scale_max: float) -> float:
    """Map a score from its grader's range onto the suite's scale (method 4: 1 to 10 by default), linearly."""
    share = (score.value - score.low) / (score.high - score.low)
    return round(scale_min + min(1.0, max(0.0, share)) * (scale_max - scale_min), _DECIMALS)


def combine(
    dimensions: tuple[GradedDimension, ...], outcomes: tuple[Outcome, ...], scale_min: float, scale_max: float
) -> float | None:
    """Weighted mean of an item's dimensions (method 4); null unless every dimension is scored.

    A missing score is never a zero (evidence 4), and leaving its dimension out would measure something else.
    """
    total = weight = 0.0
    for dimension, outcome in zip(dimensions, outcomes, strict=True):
        if not isinstance(outcome, Score):
            return None
        total += dimension.weight * on_scale(outcome, scale_min, scale_max)
        weight += dimension.weight
    return round(total / weight, _DECIMALS)
