"""The distribution of a mean by resampling, seeded from the values themselves."""

import hashlib

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

N_RESAMPLES = 2000


def resampled_means(values: FloatArray) -> FloatArray:
    """Means of 2,000 resamples with replacement, sorted; takes at most 65,536 values.

    The seed is the SHA-256 of the values, and `RandomState` is the one generator of numpy whose stream is frozen:
    the same values give the same means on every machine.
    """
    seed = int.from_bytes(hashlib.sha256(values.astype("<f8").tobytes()).digest()[:4])
    picks = np.random.RandomState(seed).randint(0, values.size, (N_RESAMPLES, values.size), dtype=np.uint16)
    means: FloatArray = values[picks].mean(axis=1)
    means.sort()
    return means


def percentile_interval(means: FloatArray, confidence: float) -> tuple[float, float]:
    """The middle `confidence` of sorted resampled means."""
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return float(low), float(high)


def two_sided_p(means: FloatArray) -> float:
    """Twice the smaller share of resampled means on one side of zero; never below 2 / (resamples + 1)."""
    below = int(np.searchsorted(means, 0.0, side="right"))
    above = means.size - int(np.searchsorted(means, 0.0, side="left"))
    return min(1.0, 2.0 * (min(below, above) + 1) / (means.size + 1))
