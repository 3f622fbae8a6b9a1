"""The noise of a series: how large, and whether it repeats with the rows of the validation file."""

import math

import msgspec
import numpy as np

from whatnext_service.core.curve_points import Floats

MOST_POINTS = 16_384
LARGEST = 1e12
SMALLEST = 1e-12
_NORMAL_MAD = 0.6745


class Cycle(msgspec.Struct, kw_only=True, frozen=True):
    """A repetition in a per-step validation loss: it walks through the validation file (hazards a)."""

    period: int
    """Evaluations after which the series repeats."""
    strength: float
    """Autocorrelation at that distance."""
    highest_row: int
    """1 for the first evaluation of a cycle: the place in the cycle with the highest mean loss."""
    highest_over_median: float
    """Mean loss at that place over the median place's."""


def quotient(over: float, under: float) -> float | None:
    """One level over another; null where the lower one is not positive."""
    return over / under if under > SMALLEST else None


def quotient_or(over: float, under: float, otherwise: float) -> float:
    """One level over another; `otherwise` where the lower one is not positive."""
    return over / under if under > SMALLEST else otherwise


def noise_sd(values: Floats) -> float | None:
    """Standard deviation of one value around its neighbours; null below four values.

    The smaller of two robust estimates, from first and from second differences: a trend inflates the one, a bend the
    other, and neither can come out too small but by chance. First differences are taken around their mean: of a series
    that alternates the median is itself a jump.
    """
    if values.size < 4:
        return None
    first = np.diff(values)
    second = np.diff(first)
    from_first = float(np.median(np.abs(first - first.mean()))) / _NORMAL_MAD / math.sqrt(2.0)
    from_second = float(np.median(np.abs(second))) / _NORMAL_MAD / math.sqrt(6.0)
    return min(from_first, from_second)


def largest_peak(values: Floats) -> float:
    """Height of the highest value between two lower ones above the higher of those; 0 where there is none.

    A loss that training moves falls, then may rise: whatever peaks in between is noise. Among five to seven values of
    noise alone it is 1.0 to 1.6 standard deviations on average (simulated).
    """
    lowest_before = np.minimum.accumulate(values)
    lowest_after = np.minimum.accumulate(values[::-1])[::-1]
    return float(np.max(values - np.maximum(lowest_before, lowest_after)))


def n_swings(values: Floats, least: float) -> int:
    """How often a series goes up or down by at least so much before it turns."""
    swings, low, high, direction = 0, values[0], values[0], 0
    for value in values[1:]:
        low, high = min(low, value), max(high, value)
        if direction <= 0 and value - low >= least:
            swings, direction, high = swings + 1, 1, value
        elif direction >= 0 and high - value >= least:
            swings, direction, low = swings + 1, -1, value
    return swings


def moving_mean(values: Floats, window: int) -> Floats:
    """Means of every `window` neighbouring values."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    return (total[window:] - total[:-window]) / window


def find_cycle(values: Floats, *, expected: int | None, strength: float) -> Cycle | None:
    """The period of a series, by the highest peak of its autocorrelation; null where none stands out.

    A peak must reach `strength` and three standard errors; an `expected` period (the rows of the validation file) needs
    only the latter. At least three whole cycles must have been seen.
    """
    values = values[-MOST_POINTS:]
    n = values.size
    if n < 12:
        return None
    trend_window = max(3, n // 4)
    padded = np.pad(values, (trend_window // 2, trend_window - 1 - trend_window // 2), mode="edge")
    residual = values - moving_mean(padded, trend_window)
    residual -= residual.mean()
    power = float(residual @ residual)
    if power <= SMALLEST * SMALLEST:
        return None
    spectrum = np.abs(np.fft.rfft(residual, 2 * n)) ** 2
    correlation = np.fft.irfft(spectrum)[:n] / power * (n / (n - np.arange(n)))
    surprise = 3.0 / math.sqrt(n)
    if expected is not None and 2 <= expected <= n // 3 and correlation[expected] >= surprise:
        return _cycle(values, expected, float(correlation[expected]))
    lags = np.arange(2, n // 3 + 1)
    lags = lags[(correlation[lags] > correlation[lags - 1]) & (correlation[lags] >= correlation[lags + 1])]
    lags = lags[correlation[lags] >= max(strength, surprise)]
    if lags.size == 0:
        return None
    period = int(lags[correlation[lags] >= 0.9 * float(correlation[lags].max())][0])
    return _cycle(values, period, float(correlation[period]))


def _cycle(values: Floats, period: int, strength: float) -> Cycle:
    whole = values[: values.size // period * period].reshape(-1, period)
    means = whole.mean(axis=0)
    highest = int(np.argmax(means))
    median = float(np.median(means))
    return Cycle(
        period=period,
        strength=strength,
        highest_row=highest + 1,
        highest_over_median=quotient_or(float(means[highest]), median, 1.0),
    )
