"""Points into series: sorted, each step once; and fewer points for a picture without losing its shape."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from whatnext_service.core.curves import Series

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def series_from_points(
    name: str, steps: Sequence[int] | Ints, values: Sequence[float] | Floats, like: Series | None = None
) -> Series:
    """The points in order of step; of a step logged twice, the later entry counts (a resumed run overwrites).

    A series at the same steps as `like` shares its steps in memory.
    """
    at = np.asarray(steps, dtype=np.int64)
    of = np.asarray(values, dtype=np.float64)
    if at.size > 1 and not bool(np.all(at[1:] > at[:-1])):
        order = np.argsort(at, kind="stable")
        at, of = at[order], of[order]
        last_of_step = np.append(at[1:] != at[:-1], True)
        at, of = at[last_of_step], of[last_of_step]
    shared = like is not None and len(like.steps) == at.size and bool(np.array_equal(like.steps, at))
    return Series(name=name, steps=like.steps if shared and like else tuple(at.tolist()), values=tuple(of.tolist()))


def downsample(series: Series, max_points: int) -> Series:
    """At most `max_points` points (never fewer than 4) that keep the first, the last, and every bucket's lowest and
    highest value, so that no spike disappears; non-finite values keep one point a bucket."""
    n = len(series.steps)
    max_points = max(max_points, 4)
    if n <= max_points:
        return series
    values = np.asarray(series.values, dtype=np.float64)
    finite = np.isfinite(values)
    n_buckets = (max_points - 2) // (2 if bool(finite.all()) else 3)
    n_buckets = max(n_buckets, 1)
    edges = np.unique(np.linspace(1, n - 1, n_buckets + 1).astype(np.int64))
    starts = edges[:-1]
    bucket_of = np.searchsorted(edges, np.arange(1, n - 1), side="right") - 1
    inner = values[1 : n - 1]
    kept = [np.array([0, n - 1])]
    for sign in (1.0, -1.0):
        ranked = np.where(finite[1 : n - 1], sign * inner, np.inf)
        lowest = np.minimum.reduceat(ranked, starts - 1)
        hits = np.flatnonzero((ranked == lowest[bucket_of]) & np.isfinite(ranked))
        _, first = np.unique(bucket_of[hits], return_index=True)
        kept.append(hits[first] + 1)
    broken = np.flatnonzero(~finite[1 : n - 1])
    _, first = np.unique(bucket_of[broken], return_index=True)
    kept.append(broken[first] + 1)
    chosen = np.unique(np.concatenate(kept))
    if len(chosen) > max_points:
        chosen = np.unique(np.concatenate([chosen[:1], chosen[1:-1][: max_points - 2], chosen[-1:]]))
    steps = np.asarray(series.steps, dtype=np.int64)
    return Series(name=series.name, steps=tuple(steps[chosen].tolist()), values=tuple(values[chosen].tolist()))
