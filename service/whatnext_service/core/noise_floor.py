"""The two noise floors: the same answers graded again, and the same run trained again (evidence 1)."""

from math import isfinite, sqrt
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from whatnext_service.core.bootstrap import FloatArray


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


class TrainingNoise(msgspec.Struct, kw_only=True, frozen=True):
    """What training the same configuration again changes, beyond the noise of the items."""

    run_sd: float
    """Standard deviation of a run's score around its configuration's, in points; 0 where the items explain all."""
    df: int
    n_runs: int
    """Runs that repeat one another."""
    n_groups: int
    """Configurations that were trained more than once."""


class Noise(msgspec.Struct, kw_only=True, frozen=True):
    """What is known of the noise in a difference of two evaluations that their items do not show."""

    training: TrainingNoise | None = None
    n_trained: int = 0
    """How many of the two models were trained separately: 0 for two checkpoints of one run, 1 against the untuned."""
    regrade_sd: float | None = None
    gradings: tuple[int, int] = (1, 1)
    """How often each side's answers were graded."""


FloorSource = Literal["items", "regrading", "repeated_runs"]
"""What bounds a comparison from below: the items' own spread alone, the judge's, or that of training again."""
ITEMS_ALONE = Noise()


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


def training_noise(groups: tuple[tuple[bytes, ...], ...]) -> TrainingNoise | None:
    """Measure the seed's own noise from packed scores of runs that repeat one another, group by group.

    Only what the runs' means spread beyond the items' noise is the training's. Null without a group of two runs that
    share two items.
    """
    found = _spread(groups)
    if found.df == 0:
        return None
    run_sd = sqrt(max(0.0, found.squares - found.expected) / found.df)
    return TrainingNoise(run_sd=round(run_sd, 9), df=found.df, n_runs=found.n_members, n_groups=found.n_groups)


def noise_share(groups: tuple[tuple[bytes, ...], ...]) -> float | None:
    """Share of the spread of means within groups of packed scores that the items' noise explains, 0 to 1.

    Null without a group of two members that share two items.
    """
    found = _spread(groups)
    if found.df == 0:
        return None
    return round(found.expected / found.squares, 9) if found.squares > found.expected else 1.0


class _Spread(NamedTuple):
    squares: float
    """Of the members' means around their group's, summed."""
    expected: float
    """What the items' noise alone would make of it."""
    df: int
    n_members: int
    n_groups: int


def _spread(groups: tuple[tuple[bytes, ...], ...]) -> _Spread:
    """Analysis of variance, by moments: what is left after the items' and the members' means is the items' noise."""
    alike: dict[tuple[int, ...], list[FloatArray]] = {}
    for group in groups:
        if len(group) > 1 and len({len(packed) for packed in group}) == 1:
            table = _shared_items(group)
            alike.setdefault(table.shape, []).append(table)
    squares = expected = 0.0
    df = n_members = n_groups = 0
    for (k, n), tables in alike.items():
        if n < 2:
            continue
        block = np.concatenate(tables).reshape(-1, k, n)
        means = np.add.reduce(block, axis=2) / n
        around = means - np.add.reduce(means, axis=1, keepdims=True) / k
        left = block - np.add.reduce(block, axis=1, keepdims=True) / k - around[:, :, None]
        squares += float(np.vdot(around, around))
        expected += float(np.vdot(left, left)) / (n - 1) / n
        df, n_members, n_groups = df + len(tables) * (k - 1), n_members + len(tables) * k, n_groups + len(tables)
    return _Spread(squares, expected, df, n_members, n_groups)


def _shared_items(group: tuple[bytes, ...]) -> FloatArray:
    """The members' scores, row by row, of the items that all of them were scored on."""
    table = np.frombuffer(b"".join(group), "<f8").reshape(len(group), -1)
    if isfinite(np.add.reduce(table, axis=None)):
        return table
    return table[:, np.isfinite(table).all(axis=0)]


def regrade_floor(item_sd: float, n_items: int, gradings: tuple[int, int] = (1, 1)) -> float:
    """Standard deviation of the difference of two means that grading alone makes."""
    return item_sd * sqrt(sum(1.0 / times for times in gradings) / n_items)


def training_floor(run_sd: float, n_trained: int) -> float:
    """Standard deviation of a difference that the seeds of so many separate trainings make."""
    return run_sd * sqrt(n_trained)


def n_trained(run_id: str | None, other_id: str | None) -> int:
    """Separate trainings behind a difference: null is an untuned model, and checkpoints of one run share its seed."""
    return 0 if run_id == other_id else (run_id is not None) + (other_id is not None)
