"""Parts of a suite by tag: where a candidate gained or lost."""

from collections.abc import Iterable

import msgspec
import numpy as np

from whatnext_service.core.compare import CONFIDENCE, Comparison, compare
from whatnext_service.core.loops import Direction

MIN_SLICE = 5
"""Fewest items of a slice that is shown: below it an interval says nothing."""


class SliceComparison(msgspec.Struct, kw_only=True, frozen=True):
    """A candidate against a reference on the items of one tag."""

    tag: str
    n_items: int
    comparison: Comparison
    """Corrected over the slices by Holm's steps: verdict, interval and p-value agree with each other."""


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


def _places(tags: Iterable[tuple[str, ...]]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for place, names in enumerate(tags):
        for name in dict.fromkeys(names):
            groups.setdefault(name, []).append(place)
    return {tag: groups[tag] for tag in sorted(groups) if len(groups[tag]) >= MIN_SLICE}


def _p_value(comparison: Comparison) -> float:
    return 1.0 if comparison.p_value is None else comparison.p_value
