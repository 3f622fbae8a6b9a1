"""What choosing among many does to a score: corrections for several candidates and several looks."""

from math import pi, sqrt

import msgspec
import numpy as np
from scipy import special

from whatnext_service.core.evaluations import SuiteRole

_GRID = (-9.0, 9.0, 3601)
"""Where the normal distribution's maximum is integrated; beyond nine deviations nothing is left."""


class Shrunken(msgspec.Struct, kw_only=True, frozen=True):
    """The best of several candidates, before and after the luck of being best is taken off."""

    best: int
    """Place of the best candidate among those given."""
    observed: float
    estimate: float
    """What to expect of it on new items, in points of the metric."""
    kept_share: float
    """Share of the candidates' spread that noise does not explain, 0 to 1."""
    n_items: int
    """Items that every candidate was scored on."""


class LooksReading(msgspec.Struct, kw_only=True, frozen=True):
    """How much a suite is worn by having been looked at."""

    n_looks: int
    optimism: float
    """How much too good the best of as many equal candidates looks, in points of the metric."""
    confidence_each: float
    """Confidence that a single comparison needs for all of them to hold together at 95 %."""
    worn: bool
    statement: str


def holm(p_values: tuple[float, ...]) -> tuple[float, ...]:
    """p-values corrected for their number by Holm's step-down method, in the order given (evidence 1)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected = [0.0] * len(p_values)
    reached = 0.0
    for rank, index in enumerate(order):
        reached = max(reached, min(1.0, p_values[index] * (len(p_values) - rank)))
        corrected[index] = reached
    return tuple(corrected)


def expected_maximum(k: int) -> float:
    """Mean of the largest of k standard normal values: how lucky the best of k equal candidates is."""
    if k < 2:
        return 0.0
    grid = np.linspace(*_GRID)
    density = np.exp(-0.5 * grid * grid) / sqrt(2.0 * pi)
    return round(float(np.trapezoid(grid * k * density * special.ndtr(grid) ** (k - 1), grid)), 9)


def shrink_best(candidates: tuple[bytes, ...], *, higher_is_better: bool = True) -> Shrunken | None:
    """Estimate the best of several packed score lists of one suite (evidence 1); null without two shared items.

    Items by candidates: what is left after the items' and the candidates' means is the noise of a mean; the spread of
    the means beyond that noise is kept (empirical Bayes, by moments), the rest is luck.
    """
    if not candidates or len({len(packed) for packed in candidates}) > 1:
        return None
    table = np.stack([np.frombuffer(packed, "<f8") for packed in candidates])
    table = table[:, np.isfinite(table).all(axis=0)]
    k, n = table.shape
    if n < 2:
        return None
    means = table.mean(axis=1)
    best = int(np.argmax(means if higher_is_better else -means))
    grand = float(means.mean())
    observed = float(means[best])
    kept = 1.0
    if k > 1:
        left = table - table.mean(axis=0) - means[:, None] + grand
        noise = float((left * left).sum()) / ((n - 1) * (k - 1)) / n
        spread = float(((means - grand) ** 2).sum()) / (k - 1)
        kept = max(0.0, 1.0 - noise / spread) if spread > 0.0 else 0.0
    return Shrunken(
        best=best,
        observed=round(observed, 9),
        estimate=round(grand + kept * (observed - grand), 9),
        kept_share=round(kept, 9),
        n_items=n,
    )


def read_looks(role: SuiteRole, n_looks: int, item_sd: float, n_items: int, effect: float) -> LooksReading:
    """A suite is worn when the luck of the best of its looks is as large as the effect sought (evidence 1).

    A final test is worn by its second look (method 4). `item_sd` is that of an item's paired difference; half its
    variance belongs to each side.
    """
    optimism = expected_maximum(n_looks) * item_sd / sqrt(2.0 * n_items) if n_items else 0.0
    worn = n_looks > 1 if role == "final_test" else n_looks > 1 and optimism >= effect
    looks = "one look" if n_looks == 1 else f"{n_looks} looks"
    if role == "final_test":
        statement = f"The final test set has had {looks}" + ("; each after the first weakens it." if worn else ".")
    else:
        statement = f"After {looks} the best of equal candidates would look {optimism:.2f} points too good"
        statement += f", as much as the {effect:g} that is sought." if worn else "."
    return LooksReading(
        n_looks=n_looks,
        optimism=round(optimism, 9),
        confidence_each=1.0 - 0.05 / max(1, n_looks),
        worn=worn,
        statement=statement,
    )
