"""Paired right-or-wrong scores: the exact McNemar test and an interval that agrees with it."""

from math import sqrt

from scipy import special


def exact_mcnemar_p(gains: int, losses: int) -> float:
    """Two-sided p-value of McNemar's test by the binomial distribution of the items that changed (evidence 1)."""
    return min(1.0, 2.0 * float(special.bdtr(min(gains, losses), gains + losses, 0.5)))


def share_error(n_items: int, gains: int, losses: int) -> float:
    """Standard error of the difference of two paired shares, with one gain and one loss added (Bonett and Price 2012).

    The two added items keep it above zero when no item changed.
    """
    up, down, total = gains + 1, losses + 1, n_items + 2
    return sqrt((up + down) / total - ((up - down) / total) ** 2) / sqrt(total)


def share_interval(n_items: int, gains: int, losses: int, confidence: float) -> tuple[float, float]:
    """Interval of the difference of two paired shares: the wider of Bonett and Price's and the exact conditional one.

    The conditional one (Clopper and Pearson on the changed items) excludes zero exactly when the exact test
    rejects, so the interval never claims what the test does not.
    """
    tail = (1.0 - confidence) / 2.0
    centre = (gains - losses) / (n_items + 2)
    half_width = -float(special.ndtri(tail)) * share_error(n_items, gains, losses)
    low, high = centre - half_width, centre + half_width
    changed = gains + losses
    if changed:
        share_low = 0.0 if gains == 0 else float(special.betaincinv(gains, losses + 1, tail))
        share_high = 1.0 if losses == 0 else float(special.betaincinv(gains + 1, losses, 1.0 - tail))
        low = min(low, (2.0 * share_low - 1.0) * changed / n_items)
        high = max(high, (2.0 * share_high - 1.0) * changed / n_items)
    return max(-1.0, low), min(1.0, high)
