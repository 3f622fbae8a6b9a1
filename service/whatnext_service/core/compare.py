"""Comparison of two evaluations of one suite, item by item."""

import math
from collections.abc import Mapping
from itertools import compress
from types import MappingProxyType
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from whatnext_service.core.bootstrap import FloatArray
from whatnext_service.core.intervals import (
    Interval,
    Test,
    binary_interval,
    clustered_interval,
    independent_interval,
    mean_and_error,
    widened,
)
from whatnext_service.core.loops import Direction
from whatnext_service.core.noise_floor import ITEMS_ALONE, FloorSource, Noise, regrade_floor, training_floor
from whatnext_service.core.power import POWER, detectable_effect, upper_limit
from whatnext_service.errors import DomainError

Verdict = Literal["improved", "worse", "no_difference", "inconclusive", "not_comparable"]

CONFIDENCE = 0.95
COUNTED_IN: Mapping[FloorSource, str] = MappingProxyType(
    {
        "items": "",
        "regrading": ", with the noise of grading again",
        "repeated_runs": ", with the noise of training again",
    }
)
"""What an interval counts beside the items' spread, in words."""
_DECIMALS = 9
"""Figures are rounded so that the last bits, which differ between processors, never reach an answer."""


class Comparison(msgspec.Struct, kw_only=True, frozen=True):
    """How a candidate's scores differ from a reference's on the items that both were scored on."""

    verdict: Verdict
    """`improved` or `worse`: the interval is clear of zero and no outcome of the missing items could undo it.
    `no_difference`: the interval lies inside the margin. `inconclusive`: cannot tell. `not_comparable`: suite,
    graders or judge differ."""
    difference: float | None
    """Mean of candidate minus reference, in points of the metric; null without a shared item."""
    standard_error: float | None
    low: float | None
    """Lower end of the interval of the difference, corrected for the number of comparisons."""
    high: float | None
    confidence: float
    """Confidence of all `n_comparisons` intervals together."""
    n_comparisons: int
    n_pairs: int
    n_missing_candidate: int
    n_missing_reference: int
    worst_case: float | None
    """The difference if every missing item turned out worst for the candidate."""
    best_case: float | None
    """The difference if every missing item turned out best for the candidate."""
    p_value: float | None
    """Two-sided, corrected for the number of comparisons."""
    test: Test | None
    minimum_detectable_effect: float | None
    """Smallest true difference that a comparison of this precision shows with 80 % power."""
    noise_floor: FloorSource
    """What the interval counts beside the items' own spread: nothing (`items`), what grading the same answers again
    changes where the items show less (`regrading`), or what training the same configuration again changes
    (`repeated_runs`), measured in this loop."""
    noise_floor_sd: float
    """Standard deviation of the difference that it adds, in points of the metric."""
    statement: str


class PairedDifference(msgspec.Struct, kw_only=True, frozen=True):
    """The bare paired difference, for a caller that ranks hundreds of pairs."""

    difference: float | None
    """Null when no item was scored by both, or the suites differ in length."""
    standard_error: float | None
    """Null with fewer than two shared items."""
    n: int


def paired_difference(candidate: bytes, reference: bytes) -> PairedDifference:
    """Mean of candidate minus reference over shared items, and its standard error; a few microseconds."""
    if len(candidate) != len(reference):
        return PairedDifference(difference=None, standard_error=None, n=0)
    shared = np.frombuffer(candidate, "<f8") - np.frombuffer(reference, "<f8")
    if not math.isfinite(np.add.reduce(shared)):
        shared = shared[np.isfinite(shared)]
    if shared.size < 2:
        lone = round(float(shared[0]), _DECIMALS) if shared.size else None
        return PairedDifference(difference=lone, standard_error=None, n=shared.size)
    mean, error = mean_and_error(shared)
    return PairedDifference(difference=round(mean, _DECIMALS), standard_error=round(error, _DECIMALS), n=shared.size)


def compare(
    candidate: bytes,
    reference: bytes,
    *,
    scale_min: float,
    scale_max: float,
    direction: Direction = "up",
    margin: float = 0.0,
    clusters: tuple[int, ...] | None = None,
    confidence: float = CONFIDENCE,
    n_comparisons: int = 1,
    same_instrument: bool = True,
    noise: Noise = ITEMS_ALONE,
) -> Comparison:
    """Compare two evaluations' packed scores (see `pack_scores`), both in the suite's item order.

    An interval that includes zero is never an improvement (method 4); several comparisons share the error
    probability (Bonferroni); differences within `margin` count as none. `noise` is counted in where the loop has
    measured it.
    """
    if not same_instrument or len(candidate) != len(reference):
        return _undecided("not_comparable", confidence, n_comparisons, "The suite, the graders or the judge differ.")
    left, right = np.frombuffer(candidate, "<f8"), np.frombuffer(reference, "<f8")
    left_scored, right_scored = np.isfinite(left), np.isfinite(right)
    n_pairs = int(np.count_nonzero(left_scored & right_scored))
    each = 1.0 - (1.0 - confidence) / n_comparisons
    interval = paired_interval(candidate, reference, scale_min, scale_max, clusters, each)
    if interval is None:
        nothing = _undecided("inconclusive", confidence, n_comparisons, "No item was scored by both.")
        return msgspec.structs.replace(
            nothing, n_missing_candidate=_n_false(left_scored), n_missing_reference=_n_false(right_scored)
        )
    floor, extra = _beyond_items(noise, interval.standard_error, n_pairs)
    interval = widened(interval, extra, each)
    lowest = highest = interval.difference
    if n_pairs < left.size:
        lowest, highest = _bounds(left, right, scale_min, scale_max)
    verdict = _verdict(interval, lowest, highest, margin, direction)
    n_missing = left.size - n_pairs
    return Comparison(
        verdict=verdict,
        difference=round(interval.difference, _DECIMALS),
        standard_error=round(interval.standard_error, _DECIMALS),
        low=round(interval.low, _DECIMALS),
        high=round(interval.high, _DECIMALS),
        confidence=confidence,
        n_comparisons=n_comparisons,
        n_pairs=n_pairs,
        n_missing_candidate=_n_false(left_scored),
        n_missing_reference=_n_false(right_scored),
        worst_case=round(lowest if direction == "up" else highest, _DECIMALS),
        best_case=round(highest if direction == "up" else lowest, _DECIMALS),
        p_value=round(min(1.0, interval.p_value * n_comparisons), _DECIMALS),
        test=interval.test,
        minimum_detectable_effect=round(_visible(interval, each), _DECIMALS),
        noise_floor=floor,
        noise_floor_sd=round(math.sqrt(sum(variance for variance, _ in extra)), _DECIMALS),
        statement=_statement(verdict, interval, direction, confidence, n_comparisons, n_pairs, n_missing, floor),
    )


def paired_interval(
    candidate: bytes,
    reference: bytes,
    scale_min: float,
    scale_max: float,
    clusters: tuple[int, ...] | None,
    confidence: float = CONFIDENCE,
    noise: Noise = ITEMS_ALONE,
) -> Interval | None:
    """Where the mean difference of two evaluations of one suite lies; null when they share no scored item.

    All that a table of a thousand pairs needs: what `compare` adds takes most of its time.
    """
    left, right = np.frombuffer(candidate, "<f8"), np.frombuffer(reference, "<f8")
    if clusters is not None and len(clusters) != left.size:
        raise DomainError("invalid_clusters", f"{len(clusters)} source numbers were given for {left.size} items")
    shared = np.isfinite(left) & np.isfinite(right)
    n_pairs = np.count_nonzero(shared)
    if n_pairs == 0:
        return None
    if n_pairs < left.size:
        left, right = left[shared], right[shared]
        clusters = None if clusters is None else tuple(compress(clusters, shared.tolist()))
    if clusters is not None:
        interval = clustered_interval(left - right, clusters, scale_max - scale_min, confidence)
    elif _is_binary(left, scale_min, scale_max) and _is_binary(right, scale_min, scale_max):
        interval = binary_interval(left - right, scale_max - scale_min, confidence)
    else:
        interval = independent_interval(left - right, scale_max - scale_min, confidence)
    return widened(interval, _beyond_items(noise, interval.standard_error, int(n_pairs))[1], confidence)


def _beyond_items(
    noise: Noise, standard_error: float, n_pairs: int
) -> tuple[FloorSource, tuple[tuple[float, float], ...]]:
    """Variances of the difference that the items' spread does not show, with their degrees of freedom, and the larger.

    One grading's noise is in the scores, so only what the spread falls short of it is added; the seed's is in none.
    """
    grading = training = 0.0
    if noise.regrade_sd:
        grading = max(0.0, regrade_floor(noise.regrade_sd, n_pairs, noise.gradings) ** 2 - standard_error**2)
    if noise.training is not None:
        training = training_floor(noise.training.run_sd, noise.n_trained) ** 2
    df = 1.0 if noise.training is None else float(noise.training.df)
    extra = tuple((variance, of) for variance, of in ((grading, math.inf), (training, df)) if variance > 0.0)
    if not extra:
        return "items", ()
    return "repeated_runs" if training >= grading else "regrading", extra


def _n_false(scored: npt.NDArray[np.bool_]) -> int:
    return int(scored.size - np.count_nonzero(scored))


def _is_binary(scores: FloatArray, scale_min: float, scale_max: float) -> bool:
    return scores[0] in (scale_min, scale_max) and bool(((scores == scale_min) | (scores == scale_max)).all())


def _bounds(left: FloatArray, right: FloatArray, scale_min: float, scale_max: float) -> tuple[float, float]:
    """The least and the greatest mean difference over all items that the missing scores allow."""
    lowest = np.where(np.isfinite(left), left, scale_min) - np.where(np.isfinite(right), right, scale_max)
    highest = np.where(np.isfinite(left), left, scale_max) - np.where(np.isfinite(right), right, scale_min)
    return float(lowest.mean()), float(highest.mean())


def _verdict(interval: Interval, lowest: float, highest: float, margin: float, direction: Direction) -> Verdict:
    if -margin <= min(interval.low, lowest) and max(interval.high, highest) <= margin:
        return "no_difference"
    above = interval.low > 0.0 and lowest > 0.0
    below = interval.high < 0.0 and highest < 0.0
    if above or below:
        return "improved" if above == (direction == "up") else "worse"
    return "inconclusive"


def _visible(interval: Interval, confidence: float) -> float:
    """With equal differences there is no error to go by: half the interval stands in for it."""
    if interval.standard_error == 0.0:
        return (interval.high - interval.low) / 2.0
    error = upper_limit(interval.standard_error, interval.df)
    return detectable_effect(error, interval.df, confidence=confidence, power=POWER)


def _statement(
    verdict: Verdict,
    interval: Interval,
    direction: Direction,
    confidence: float,
    n_comparisons: int,
    n_pairs: int,
    n_missing: int,
    floor: FloorSource,
) -> str:
    if interval.difference == 0.0:
        size = "equal"
    else:
        better = (interval.difference > 0.0) == (direction == "up")
        size = f"{abs(interval.difference):.2f} {'better' if better else 'worse'}"
    corrected = f", corrected for {n_comparisons} comparisons" if n_comparisons > 1 else ""
    measured = (
        f"{size} on {n_pairs} shared items "
        f"({100 * confidence:g} % interval {interval.low:+.2f} to {interval.high:+.2f}{corrected}{COUNTED_IN[floor]})"
    )
    match verdict:
        case "improved" | "worse":
            return f"{verdict.capitalize()}: {measured}."
        case "no_difference":
            return f"No difference that matters: {measured}."
        case _:
            clear = interval.low > 0.0 or interval.high < 0.0
            why = f"the {n_missing} missing items could undo it" if clear else "the interval includes zero"
            return f"Cannot tell: {measured}; {why}."


def _undecided(verdict: Verdict, confidence: float, n_comparisons: int, statement: str) -> Comparison:
    return Comparison(
        verdict=verdict,
        difference=None,
        standard_error=None,
        low=None,
        high=None,
        confidence=confidence,
        n_comparisons=n_comparisons,
        n_pairs=0,
        n_missing_candidate=0,
        n_missing_reference=0,
        worst_case=None,
        best_case=None,
        p_value=None,
        test=None,
        minimum_detectable_effect=None,
        noise_floor="items",
        noise_floor_sd=0.0,
        statement=statement,
    )
