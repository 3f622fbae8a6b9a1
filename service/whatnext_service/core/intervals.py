"""Interval and p-value of a mean paired difference, by the method that suits the differences."""

from functools import lru_cache
from math import hypot, inf, sqrt
from typing import Literal

import msgspec
import numpy as np
from scipy import special

from whatnext_service.core.bootstrap import FloatArray, percentile_interval, resampled_means, two_sided_p
from whatnext_service.core.mcnemar import exact_mcnemar_p, share_error, share_interval

Test = Literal["paired_t", "bootstrap", "exact_mcnemar", "clustered_t", "exact_sign"]

BOOTSTRAP_MAX_ITEMS = 500
"""Above it the mean of bounded scores is close enough to normal for the t interval, however skewed the items."""


class Interval(msgspec.Struct, kw_only=True, frozen=True):
    """Where the true mean difference lies, at the confidence asked for."""

    difference: float
    standard_error: float
    df: float
    """Degrees of freedom of the standard error; infinite where the normal distribution is used."""
    low: float
    high: float
    p_value: float
    test: Test


def mean_and_error(differences: FloatArray) -> tuple[float, float]:
    """Mean and its standard error; the values must be at least two."""
    n = differences.size
    mean, centred = _centred(differences)
    return mean, sqrt(max(0.0, float(centred @ centred)) / (n * (n - 1)))


def _centred(differences: FloatArray) -> tuple[float, FloatArray]:
    mean = float(np.add.reduce(differences)) / differences.size
    return mean, differences - mean


def _needs_bootstrap(centred: FloatArray, squares: float) -> bool:
    """Cochran's rule: a t interval wants more than 25 x skewness squared items (Cochran 1977)."""
    n = centred.size
    if n > BOOTSTRAP_MAX_ITEMS:
        return False
    skewness = float((centred * centred) @ centred) / n / (squares / n) ** 1.5
    return bool(n <= 25.0 * skewness * skewness)


def t_interval(mean: float, error: float, df: float, confidence: float, test: Test) -> Interval:
    """Student's interval of a mean whose standard error is not zero."""
    half_width = t_quantile(df, confidence) * error
    return Interval(
        difference=mean,
        standard_error=error,
        df=df,
        low=mean - half_width,
        high=mean + half_width,
        p_value=2.0 * float(special.stdtr(df, -abs(mean) / error)),
        test=test,
    )


@lru_cache(maxsize=256)
def t_quantile(df: float, confidence: float) -> float:
    """How many standard errors a two-sided interval reaches to each side."""
    return float(special.stdtrit(df, (1.0 + confidence) / 2.0))


def independent_interval(differences: FloatArray, spread: float, confidence: float) -> Interval:
    """Paired t; where Cochran's rule fails, the wider of paired t and percentile bootstrap (evidence 1)."""
    n = differences.size
    mean, centred = _centred(differences)
    squares = float(centred @ centred)
    error = sqrt(squares / (n * (n - 1))) if n > 1 else 0.0
    if error <= 1e-12 * spread:
        return _constant_interval(mean, n, spread, confidence, "paired_t")
    plain = t_interval(mean, error, n - 1, confidence, "paired_t")
    if not _needs_bootstrap(centred, squares):
        return plain
    means = resampled_means(differences)
    low, high = percentile_interval(means, confidence)
    return msgspec.structs.replace(
        plain,
        low=min(low, plain.low),
        high=max(high, plain.high),
        p_value=max(two_sided_p(means), plain.p_value),
        test="bootstrap",
    )


def clustered_interval(
    differences: FloatArray, clusters: tuple[int, ...], spread: float, confidence: float
) -> Interval:
    """t interval whose error adds the items of a source before squaring (evidence 1).

    Degrees of freedom are the effective number of sources less one, n squared over the sum of squared sizes
    (Carter, Schnepel and Steigerwald 2017): one large source among small ones counts for little.
    """
    n = differences.size
    _, labels, sizes = np.unique(np.asarray(clusters), return_inverse=True, return_counts=True)
    mean = float(differences.sum()) / n
    sums = np.bincount(labels, weights=differences - mean)
    n_clusters = sizes.size
    if n_clusters < 2:
        return _constant_interval(mean, 1, spread, confidence, "clustered_t")
    error = sqrt(float(sums @ sums) * n_clusters / (n_clusters - 1)) / n
    if error <= 1e-12 * spread:
        return _constant_interval(mean, n_clusters, spread, confidence, "clustered_t")
    effective = n * n / float((sizes.astype(np.float64) ** 2).sum())
    return t_interval(mean, error, max(1.0, effective - 1.0), confidence, "clustered_t")


def binary_interval(differences: FloatArray, spread: float, confidence: float) -> Interval:
    """Exact McNemar for scores that are right or wrong (evidence 1)."""
    gains, losses, n = int((differences > 0).sum()), int((differences < 0).sum()), differences.size
    low, high = share_interval(n, gains, losses, confidence)
    return Interval(
        difference=(gains - losses) / n * spread,
        standard_error=share_error(n, gains, losses) * spread,
        df=float("inf"),
        low=low * spread,
        high=high * spread,
        p_value=exact_mcnemar_p(gains, losses),
        test="exact_mcnemar",
    )


def widened(interval: Interval, extra: tuple[tuple[float, float], ...], confidence: float) -> Interval:
    """The interval with further independent variances, each with its degrees of freedom, counted in.

    Distances to the ends add as squares (Zou and Donner 2008); degrees of freedom by Welch and Satterthwaite.
    """
    more = sum(variance for variance, _ in extra)
    if more <= 0.0:
        return interval
    own = interval.standard_error**2
    total = own + more
    known = sum(variance**2 / df for variance, df in ((own, interval.df), *extra))
    df = total**2 / known if known > 0.0 else inf
    reach = t_quantile(df, confidence) * sqrt(more)
    mean = interval.difference
    return msgspec.structs.replace(
        interval,
        standard_error=sqrt(total),
        df=df,
        low=mean - hypot(mean - interval.low, reach),
        high=mean + hypot(interval.high - mean, reach),
        p_value=max(interval.p_value, 2.0 * float(special.stdtr(df, -abs(mean) / sqrt(total)))),
    )


def _constant_interval(mean: float, n: int, spread: float, confidence: float, test: Test) -> Interval:
    """n equal differences, which have no spread to go by: the exact sign test, or for differences of zero a bound.

    Were the change as likely to hurt an item as to help it, all n would go one way with probability 2^(1 - n). The
    interval agrees with that test: by Clopper and Pearson, n of n exclude a share of items that go the other way above
    1 - ((1 - confidence) / 2)^(1 / n), and each of them is taken to go as far as those seen. So six items suffice at
    95 %. Differences of zero tell nothing of how far an unlike item goes: it may lie anywhere on the scale (`spread`
    is its length), and by the rule of three at most a share of 1 - (1 - confidence)^(1 / n) is unlike.
    """
    if abs(mean) <= 1e-12 * spread:
        reach, p_value = spread * (1.0 - (1.0 - confidence) ** (1.0 / n)), 1.0
    else:
        reach = 2.0 * abs(mean) * (1.0 - ((1.0 - confidence) / 2.0) ** (1.0 / n))
        p_value, test = 2.0 ** (1 - n), "exact_sign"
    return Interval(
        difference=mean,
        standard_error=0.0,
        df=float(max(1, n - 1)),
        low=mean - reach,
        high=mean + reach,
        p_value=p_value,
        test=test,
    )
