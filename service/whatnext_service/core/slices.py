"""Parts of a suite by tag: where a candidate gained or lost, and where a model is weak."""

from collections.abc import Iterable
from math import sqrt

import msgspec
import numpy as np
from scipy import special

from whatnext_service.core.bootstrap import FloatArray
from whatnext_service.core.compare import CONFIDENCE, Comparison, compare
from whatnext_service.core.intervals import mean_and_error, t_quantile
from whatnext_service.core.loops import Direction
from whatnext_service.core.multiple_looks import holm

MIN_SLICE = 5
"""Fewest items of a slice that is shown: below it an interval says nothing."""


class SliceComparison(msgspec.Struct, kw_only=True, frozen=True):
    """A candidate against a reference on the items of one tag."""

    tag: str
    n_items: int
    comparison: Comparison
    """Corrected over the slices by Holm's steps: verdict, interval and p-value agree with each other."""


class SliceScore(msgspec.Struct, kw_only=True, frozen=True):
    """One evaluation's mean on the items of one tag, and against the rest."""

    tag: str
    n_scored: int
    mean: float
    low: float
    """Lower end of the mean's 95 % interval."""
    high: float
    gap: float | None
    """Mean of the slice minus mean of the other items; null without other items."""
    p_value: float | None
    """That the slice differs from the other items, corrected over the slices (Holm)."""
    weak: bool
    """Whether the slice is worse than the other items beyond chance."""


def compare_slices(
    candidate: bytes,
    reference: bytes,
    tags: tuple[tuple[str, ...], ...],
    *,
    scale_min: float,
    scale_max: float,
    direction: Direction = "up",
    clusters: tuple[int, ...] | None = None,
) -> tuple[SliceComparison, ...]:
    """Compare slice by slice (evidence 1: Holm over several comparisons), in order of tag."""
    left, right = np.frombuffer(candidate, "<f8"), np.frombuffer(reference, "<f8")

    def compared(places: list[int], n_comparisons: int) -> Comparison:
        return compare(
            left[places].tobytes(),
            right[places].tobytes(),
            scale_min=scale_min,
            scale_max=scale_max,
            direction=direction,
            clusters=None if clusters is None else tuple(clusters[place] for place in places),
            n_comparisons=n_comparisons,
        )

    groups = _places(tags)
    single = {tag: compared(places, 1) for tag, places in groups.items()}
    ordered = sorted(groups, key=lambda tag: (_p_value(single[tag]), tag))
    steps = len(ordered)
    final: dict[str, Comparison] = {}
    for tag in ordered:
        final[tag] = compared(groups[tag], steps)
        if _p_value(single[tag]) * steps < 1.0 - CONFIDENCE:
            steps -= 1
    return tuple(SliceComparison(tag=tag, n_items=len(groups[tag]), comparison=final[tag]) for tag in groups)


def slice_scores(
    scores: bytes, tags: tuple[tuple[str, ...], ...], *, direction: Direction = "up"
) -> tuple[SliceScore, ...]:
    """Score each slice, and name those that are worse than the rest (Welch's t test, Holm over the slices)."""
    values = np.frombuffer(scores, "<f8")
    scored = np.isfinite(values)
    groups: dict[str, tuple[FloatArray, FloatArray]] = {}
    for tag, places in _places(tags).items():
        inside = np.zeros(values.size, dtype=np.bool_)
        inside[places] = True
        part = values[inside & scored]
        if part.size >= MIN_SLICE:
            groups[tag] = part, values[~inside & scored]
    tested = {tag: _welch_p(part, rest) for tag, (part, rest) in groups.items() if rest.size >= 2}
    corrected = dict(zip(tested, holm(tuple(tested.values())), strict=True))
    readings = []
    for tag, (part, rest) in groups.items():
        mean, error = mean_and_error(part)
        reach = t_quantile(part.size - 1, CONFIDENCE) * error
        gap = mean - float(rest.mean()) if rest.size else None
        below = gap is not None and (gap < 0.0) == (direction == "up") and gap != 0.0
        readings.append(
            SliceScore(
                tag=tag,
                n_scored=part.size,
                mean=round(mean, 9),
                low=round(mean - reach, 9),
                high=round(mean + reach, 9),
                gap=None if gap is None else round(gap, 9),
                p_value=round(corrected[tag], 9) if tag in corrected else None,
                weak=below and corrected.get(tag, 1.0) < 1.0 - CONFIDENCE,
            )
        )
    return tuple(readings)


def _places(tags: Iterable[tuple[str, ...]]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for place, names in enumerate(tags):
        for name in dict.fromkeys(names):
            groups.setdefault(name, []).append(place)
    return {tag: groups[tag] for tag in sorted(groups) if len(groups[tag]) >= MIN_SLICE}


def _p_value(comparison: Comparison) -> float:
    return 1.0 if comparison.p_value is None else comparison.p_value


def _welch_p(part: FloatArray, rest: FloatArray) -> float:
    (mean, error), (rest_mean, rest_error) = mean_and_error(part), mean_and_error(rest)
    variance, rest_variance = error * error, rest_error * rest_error
    total = variance + rest_variance
    if total == 0.0:
        return 1.0
    df = total * total / (variance**2 / (part.size - 1) + rest_variance**2 / (rest.size - 1))
    return 2.0 * float(special.stdtr(df, -abs(mean - rest_mean) / sqrt(total)))
