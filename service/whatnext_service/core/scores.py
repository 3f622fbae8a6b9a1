"""From graded dimensions to one combined score an item, on the suite's scale."""

import math

import msgspec

from whatnext_service.core.evaluations import Dimension, pack_scores
from whatnext_service.core.grader_types import Grader, Score, ScoreError

_DECIMALS = 9
"""Scores are rounded so that the last bits, which differ between processors, never reach a verdict."""


class GradedDimension(msgspec.Struct, kw_only=True, frozen=True):
    """One dimension of a suite: its grader and its weight."""

    name: str
    weight: float
    grader: Grader


class Tally(msgspec.Struct, kw_only=True, frozen=True):
    """An evaluation's figures, computed from the scores of its items."""

    combined: float | None
    """Mean over the scored items, on the suite's scale; null when there is none."""
    n_items: int
    n_scored: int
    scores: bytes
    """Combined score of each item, packed by `pack_scores`."""
    dimensions: tuple[Dimension, ...]
    is_binary: bool
    """Whether every scored item lies at one end of the scale."""


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


def tally(
    dimensions: tuple[GradedDimension, ...],
    items: tuple[tuple[Outcome, ...], ...],
    scale_min: float,
    scale_max: float,
) -> Tally:
    """Sum an evaluation up; `items` holds each item's outcomes in the order of the dimensions."""
    combined = [combine(dimensions, outcomes, scale_min, scale_max) for outcomes in items]
    scored = [score for score in combined if score is not None]
    summaries = []
    for index, dimension in enumerate(dimensions):
        column = (outcomes[index] for outcomes in items)
        values = [on_scale(outcome, scale_min, scale_max) for outcome in column if isinstance(outcome, Score)]
        summaries.append(
            Dimension(name=dimension.name, weight=dimension.weight, mean=_mean(values), n_scored=len(values))
        )
    return Tally(
        combined=_mean(scored),
        n_items=len(items),
        n_scored=len(scored),
        scores=pack_scores(combined),
        dimensions=tuple(summaries),
        is_binary=bool(scored) and all(score in (scale_min, scale_max) for score in scored),
    )


def _mean(values: list[float]) -> float | None:
    return round(math.fsum(values) / len(values), _DECIMALS) if values else None
