"""What a suite can see: the smallest effect it shows, and the items needed to show one."""

from math import ceil, isinf, sqrt

from scipy import special

POWER = 0.8
"""Probability with which an effect called visible is seen (evidence 1)."""


def detectable_effect(standard_error: float, df: float, *, confidence: float = 0.95, power: float = POWER) -> float:
    """Smallest true difference whose two-sided interval excludes zero with the given probability."""
    reach = float(special.stdtrit(df, (1.0 + confidence) / 2.0)) + float(special.stdtrit(df, power))
    return reach * standard_error


def upper_limit(spread: float, df: float, *, assurance: float = POWER) -> float:
    """Upper confidence limit of a standard deviation or standard error estimated with `df` degrees of freedom.

    An effect stated from the estimate itself is shown with less than the promised power whenever the estimate is too
    small, which is half of the time; stated from the upper 80 % limit it keeps the promise for four estimates in five,
    and on average (Browne 1995).
    """
    if isinf(df):
        return spread
    return spread * sqrt(df / float(special.chdtri(df, assurance)))


def minimum_detectable_effect(
    n_items: int,
    sd: float,
    *,
    confidence: float = 0.95,
    power: float = POWER,
    n_comparisons: int = 1,
    regrade_sd: float = 0.0,
    n_gradings: int = 1,
    replicate_sd: float = 0.0,
    n_replicates: int = 1,
) -> float | None:
    """Smallest difference of two configurations that a suite shows; null below two items.

    `sd` is that of an item's paired difference with one grading, taken as known (see `upper_limit`). Averaging
    `n_gradings` of each answer removes part of the 2 x regrade_sd^2 in it; the seed's 2 x replicate_sd^2 shrinks with
    repeated runs only, never with more items (evidence 1).
    """
    if n_items < 2:
        return None
    item_variance = max(0.0, sd * sd - 2.0 * regrade_sd * regrade_sd * (1.0 - 1.0 / n_gradings))
    variance = item_variance / n_items + 2.0 * replicate_sd * replicate_sd / n_replicates
    each = 1.0 - (1.0 - confidence) / n_comparisons
    return detectable_effect(sqrt(variance), n_items - 1, confidence=each, power=power)


def items_needed(
    effect: float,
    sd: float,
    *,
    confidence: float = 0.95,
    power: float = POWER,
    n_comparisons: int = 1,
    replicate_sd: float = 0.0,
    n_replicates: int = 1,
) -> int | None:
    """Fewest items that show the effect; null when the seed's noise hides it from any number of them.

    Evidence 1: a difference of 0.1 at a standard deviation of 1.5 needs about 1,760.
    """
    tail = (1.0 - confidence) / n_comparisons / 2.0
    reach = -float(special.ndtri(tail)) + float(special.ndtri(power))
    room = (effect / reach) ** 2 - 2.0 * replicate_sd * replicate_sd / n_replicates
    if effect <= 0.0 or room <= 0.0:
        return None
    n_items = max(2, ceil(sd * sd / room))
    while True:
        seen = minimum_detectable_effect(
            n_items,
            sd,
            confidence=confidence,
            power=power,
            n_comparisons=n_comparisons,
            replicate_sd=replicate_sd,
            n_replicates=n_replicates,
        )
        if seen is not None and seen <= effect:
            return n_items
        n_items += max(1, n_items // 1000)


def chance_of_gap(gap: float, n_items: int, sd: float) -> float:
    """Probability that two equally good models differ by more than `gap` on the suite."""
    if sd == 0.0:
        return 0.0
    return 2.0 * float(special.ndtr(-gap * sqrt(n_items) / sd))
