"""The two noise floors: the same answers graded again, and the same run trained again (evidence 1)."""

from math import sqrt

import msgspec
import numpy as np
from scipy import special

FLOOR_CONFIDENCE = 0.9


class RegradeNoise(msgspec.Struct, kw_only=True, frozen=True):
    """What grading the same answers again changes."""

    item_sd: float
    """Standard deviation of one item's score, in points."""
    reliability: float | None
    """Share of the variance of single scores that is the answers' own; null when all scores are equal."""
    changed_share: float
    """Share of the items whose score was not the same each time."""
    largest_shift: float
    """Largest difference between two gradings' means over the items that every grading scored."""
    n_items: int
    """Items graded at least twice."""
    n_gradings: int


class ReplicateNoise(msgspec.Struct, kw_only=True, frozen=True):
    """What training the same configuration again changes."""

    run_sd: float
    """Standard deviation of a run's score around its configuration's mean, in points."""
    run_sd_high: float
    """Upper end of its 90 % interval: with few repeats the true noise may be far larger."""
    df: int
    n_groups: int


def regrade_noise(gradings: tuple[bytes, ...]) -> RegradeNoise | None:
    """Measure the judge's own noise from packed scores of the same answers; null without an item graded twice."""
    if len(gradings) < 2 or len({len(packed) for packed in gradings}) > 1:
        return None
    table = np.stack([np.frombuffer(packed, "<f8") for packed in gradings])
    counts = np.isfinite(table).sum(axis=0)
    table = table[:, counts >= 2]
    if table.shape[1] == 0:
        return None
    counts = counts[counts >= 2]
    means = np.nanmean(table, axis=0)
    squares = np.nansum((table - means) ** 2, axis=0)
    within = float(squares.sum()) / float((counts - 1).sum())
    scores = table[np.isfinite(table)]
    total = float(scores.var(ddof=1))
    complete = table[:, counts == len(gradings)]
    shift = float(np.ptp(complete.mean(axis=1))) if complete.size else 0.0
    return RegradeNoise(
        item_sd=round(sqrt(within), 9),
        reliability=round(max(0.0, 1.0 - within / total), 9) if total > 0.0 else None,
        changed_share=round(float((squares > 0.0).mean()), 9),
        largest_shift=round(shift, 9),
        n_items=table.shape[1],
        n_gradings=len(gradings),
    )


def replicate_noise(groups: tuple[tuple[float, ...], ...]) -> ReplicateNoise | None:
    """Pool the spread of repeated runs' scores over their groups; null without a group of two."""
    squares, df, n_groups = 0.0, 0, 0
    for group in groups:
        if len(group) < 2:
            continue
        mean = sum(group) / len(group)
        squares += sum((score - mean) ** 2 for score in group)
        df += len(group) - 1
        n_groups += 1
    if df == 0:
        return None
    lower_tail = (1.0 - FLOOR_CONFIDENCE) / 2.0
    return ReplicateNoise(
        run_sd=round(sqrt(squares / df), 9),
        run_sd_high=round(sqrt(squares / float(special.chdtri(df, 1.0 - lower_tail))), 9),
        df=df,
        n_groups=n_groups,
    )


def regrade_floor(item_sd: float, n_items: int, n_gradings: int = 1) -> float:
    """Standard deviation of the difference of two means that grading alone makes."""
    return item_sd * sqrt(2.0 / (n_items * n_gradings))


def replicate_floor(run_sd: float, n_runs: int = 1) -> float:
    """Standard deviation of the difference of two configurations that the seed alone makes."""
    return run_sd * sqrt(2.0 / n_runs)
