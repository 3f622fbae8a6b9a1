"""The validation loss as levels that can be compared: smoothed as far as its noise asks, first, best and last."""

import math

import msgspec
import numpy as np

from whatnext_service.core.curve_noise import Cycle, largest_peak, moving_mean, noise_sd, quotient, quotient_or
from whatnext_service.core.curve_view import Points
from whatnext_service.core.curves import ValidSource
from whatnext_service.core.thresholds import CurveThresholds


class Levels(msgspec.Struct, kw_only=True, frozen=True):
    """What a validation series comes down to. Levels are means over `window` values."""

    source: ValidSource
    evaluated: Points
    """The finite values after training began."""
    window: int
    first: float
    best: float
    best_step: int
    last: float
    best_is_last: bool
    noise: float | None
    """Standard deviation of one value over the best level; null where it cannot be estimated."""
    doubt: float
    """What noise alone may add to last over best, as a share of the best level."""
    first_doubt: float
    """What noise alone may add to last over first."""
    cycle: Cycle | None

    @property
    def rise(self) -> float:
        """Last over best level; 1 where the best is not positive."""
        return quotient_or(self.last, self.best, 1.0)

    @property
    def change_from_first(self) -> float:
        """Last over first level; 1 where the first is not positive."""
        return quotient_or(self.last, self.first, 1.0)


def full_pass_levels(evaluated: Points, thresholds: CurveThresholds) -> Levels:
    """A full pass is exact: the values themselves, unless they jump about (evidence 2).

    With `noise_points` values or more, a relative noise above `noisy` smooths over a fifth of the series; with fewer
    the highest peak stands for the noise, and nothing can be smoothed.
    """
    steps, values = evaluated.steps, evaluated.values
    many = values.size >= thresholds.noise_points
    noise = noise_sd(values) if many else largest_peak(values)
    lowest = float(values.min())
    relative = quotient(noise, lowest) if noise is not None else None
    window = max(2, values.size // 5) if many and relative is not None and relative > thresholds.noisy else 1
    means = moving_mean(values, window) if window > 1 else values
    at = int(np.argmin(means))
    best = float(means[at])
    doubt = thresholds.noise_factor * (relative or 0.0) * math.sqrt(2.0 / window)
    inside = at + int(np.argmin(values[at : at + window]))
    return Levels(
        source="full",
        evaluated=evaluated,
        window=window,
        first=float(values[0]),
        best=best,
        best_step=int(steps[inside]),
        last=float(means[-1]),
        best_is_last=at == means.size - 1,
        noise=relative,
        doubt=doubt,
        first_doubt=doubt,
        cycle=None,
    )


def batch_levels(evaluated: Points, cycle: Cycle | None, thresholds: CurveThresholds) -> Levels:
    """One batch is noise: means over whole cycles of the validation file, or over a quarter (eight or more).

    The doubt comes from the spread inside the two blocks compared (evidence 2); where the series repeats, from the
    spread between one cycle and the next, for what repeats is no noise.
    """
    steps, values = evaluated.steps, evaluated.values
    n = values.size
    window = min(max(8, n // 4), max(n // 2, 1))
    if cycle is not None:
        window = min(cycle.period * max(1, n // 4 // cycle.period), n)
    means = moving_mean(values, window)
    squares = moving_mean(values * values, window)
    variances = np.maximum(squares - means * means, 0.0) * window / max(window - 1, 1)
    at = int(np.argmin(means))
    best, last = float(means[at]), float(means[-1])
    spread = float(variances[at] + variances[-1])
    if cycle is not None:
        spread = float(np.var(values[cycle.period :] - values[: -cycle.period]))
    doubt = quotient_or(thresholds.noise_factor * math.sqrt(spread / window), best, 0.0)
    first_window = cycle.period if cycle is not None else max(1, min(5, n // 10))
    first = float(values[:first_window].mean())
    from_first = thresholds.noise_factor * math.sqrt(spread * (1.0 / window + 1.0 / first_window))
    inside = at + window // 2
    return Levels(
        source="batch",
        evaluated=evaluated,
        window=window,
        first=first,
        best=best,
        best_step=int(steps[inside]),
        last=last,
        best_is_last=at >= means.size - window and last - best <= min(doubt, thresholds.rise_usable - 1.0) * best,
        noise=quotient(math.sqrt(float(variances[-1])), best),
        doubt=doubt,
        first_doubt=quotient_or(from_first, first, 0.0),
        cycle=cycle,
    )
