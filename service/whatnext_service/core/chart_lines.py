"""A curve as lines of a picture: few points in its own shape, its mean before its noise, gaps where it broke."""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from whatnext_service.core.curve_noise import LARGEST
from whatnext_service.core.curve_points import Floats, downsample
from whatnext_service.core.curve_view import Points
from whatnext_service.core.curves import Series

Role = Literal["train", "valid", "full_valid", "other"]

FEW = 60
"""Up to so many values each one is a dot."""
MANY = 100
"""From so many values on, their moving mean is drawn before them."""
WIDE = 20.0
"""A loss whose highest value is so many times its lowest fiftieth is shown on a logarithmic scale."""
MAX_CROSSES = 40


class Line(msgspec.Struct, kw_only=True, frozen=True):
    """One curve."""

    role: Role
    label: str
    steps: tuple[int, ...]
    values: tuple[float, ...]
    """NaN is a gap."""
    behind: bool
    """Each value as it was logged, behind the line of their mean."""
    dots: tuple[tuple[int, float], ...]
    """Values that a line alone would not show."""


def numbers(series: Series) -> Points:
    """The series as arrays; what cannot be drawn is NaN."""
    values = np.array(series.values, dtype=np.float64)
    values[~(np.abs(values) <= LARGEST)] = np.nan
    return Points(steps=np.array(series.steps, dtype=np.int64), values=values)


def averaged(points: Points) -> Points | None:
    """The moving mean of many values over a fortieth of them; null for few. A gap stays one."""
    present = np.isfinite(points.values)
    n = int(present.sum())
    if n < MANY:
        return None
    half = max(2, n // 80)
    at = np.arange(points.n)
    low, high = np.maximum(at - half, 0), np.minimum(at + half + 1, points.n)
    sums = np.concatenate([[0.0], np.cumsum(np.where(present, points.values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(present)])
    means = (sums[high] - sums[low]) / np.maximum(counts[high] - counts[low], 1)
    return Points(steps=points.steps, values=np.where(present, means, np.nan))


def logarithmic_from(members: Sequence[Points]) -> float | None:
    """Where a logarithmic axis begins, if one fits the lines: all values positive, the highest far above the lowest."""
    values: Floats = np.concatenate([each.values for each in members])
    values = values[np.isfinite(values)]
    if not values.size or float(values.min()) <= 0.0:
        return None
    low = float(np.quantile(values, 0.02))
    return max(float(values.min()) / 1.2, low / 4.0) if float(values.max()) > WIDE * low else None


def unusable_steps(members: Sequence[Points]) -> tuple[int, ...]:
    """Steps whose value cannot be drawn, the first and the last among them."""
    steps = np.unique(np.concatenate([each.steps[np.isnan(each.values)] for each in members]))
    if steps.size > MAX_CROSSES:
        steps = steps[np.unique(np.linspace(0, steps.size - 1, MAX_CROSSES).astype(np.int64))]
    return tuple(steps.tolist())


def line_of(points: Points, role: Role, label: str, limit: int, *, behind: bool) -> Line:
    """At most `limit` of the points."""
    shown = downsample(
        Series(name=label, steps=tuple(points.steps.tolist()), values=tuple(points.values.tolist())), limit
    )
    return Line(
        role=role,
        label=label,
        steps=shown.steps,
        values=shown.values,
        behind=behind,
        dots=() if behind else _dots(shown),
    )


def _dots(shown: Series) -> tuple[tuple[int, float], ...]:
    """All values of a short series; of a long one those between two gaps."""
    present = np.isfinite(np.array(shown.values, dtype=np.float64))
    chosen: npt.NDArray[np.bool_] = present
    if int(present.sum()) > FEW:
        padded = np.concatenate([[False], present, [False]])
        chosen = present & ~padded[:-2] & ~padded[2:]
    return tuple((shown.steps[at], shown.values[at]) for at in np.flatnonzero(chosen).tolist())
