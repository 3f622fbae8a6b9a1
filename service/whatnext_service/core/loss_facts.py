"""The numbers every rule on losses reads, computed once."""

import msgspec

from whatnext_service.core.curve_levels import Levels, batch_levels, full_pass_levels
from whatnext_service.core.curve_noise import find_cycle, quotient
from whatnext_service.core.curve_view import CurveView, Points, RunFacts
from whatnext_service.core.thresholds import CurveThresholds

FEWEST_BATCH_VALUES = 8


class LossFacts(msgspec.Struct, kw_only=True, frozen=True):
    """Losses of a run as numbers; null where the columns cannot give them."""

    train: Points
    """Finite training losses."""
    n_full: int
    """Full passes after step 0."""
    n_batch: int
    """Single-batch validation losses."""
    full_values: Points
    levels: Levels | None
    """The validation loss; null with fewer than two full passes and fewer than eight batches."""
    untuned: float | None
    """Full-pass loss at step 0."""
    first_train: float | None
    last_train: float | None
    ratio: float | None
    """Last validation level over training loss around it."""
    initial_ratio: float | None
    same_scale: bool
    """Whether the ratio compares like with like (hazards c)."""
    gap_at_start: bool
    """Whether the first evaluation came in the first tenth of training, so that its ratio is a starting point."""
    n_points: int
    last_step: int
    early: bool
    """Whether less than `early_share` of the planned training has been seen."""


def loss_facts(view: CurveView, run: RunFacts, thresholds: CurveThresholds) -> LossFacts:
    """Full passes where there are two or more; else single batches, smoothed (evidence 2)."""
    train = view.points("train_loss").finite()
    every_full = view.points("full_valid_loss").finite()
    full = every_full.after_start()
    batch = view.points("valid_loss").finite()
    levels = ratio = initial_ratio = None
    if full.n >= 2:
        levels = full_pass_levels(full, thresholds)
    elif batch.n >= FEWEST_BATCH_VALUES:
        cycle = find_cycle(batch.values, expected=run.validation_batches(), strength=thresholds.period_strength)
        levels = batch_levels(batch, cycle, thresholds)
    ends = train.ends(thresholds) if train.n else (None, None)
    if levels is not None:
        ratio, initial_ratio = _ratios(train, levels, thresholds)
    elif full.n == 1:
        ratio = _over(float(full.values[0]), train.near_end(int(full.steps[0]), thresholds))
    last_step = view.last_step()
    planned = run.whole_steps()
    return LossFacts(
        train=train,
        n_full=full.n,
        n_batch=batch.n,
        full_values=full,
        levels=levels,
        untuned=float(every_full.values[0]) if every_full.n > full.n else None,
        first_train=ends[0],
        last_train=ends[1],
        ratio=ratio,
        initial_ratio=initial_ratio,
        same_scale=max(initial_ratio or 1.0, ratio or 1.0) >= thresholds.scale_mismatch,
        gap_at_start=levels is not None and levels.evaluated.steps[0] <= thresholds.neighbour_share * last_step,
        n_points=view.n_points(),
        last_step=last_step,
        early=planned is not None and last_step < thresholds.early_share * planned,
    )


def _ratios(train: Points, levels: Levels, thresholds: CurveThresholds) -> tuple[float | None, float | None]:
    """Validation over training loss at the last and at the first evaluation, training averaged over its neighbours."""
    at_last = train.near_end(int(levels.evaluated.steps[-1]), thresholds)
    at_first = train.near_end(int(levels.evaluated.steps[0]), thresholds)
    return _over(levels.last, at_last), _over(levels.first, at_first)


def _over(valid: float, train: float | None) -> float | None:
    return quotient(valid, train) if train is not None else None
