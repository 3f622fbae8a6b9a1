"""The judge as an instrument: checked against hand grades, on anchors, and for what its threshold passes."""

from typing import Literal

import msgspec
import numpy as np

from whatnext_service.core.bootstrap import FloatArray
from whatnext_service.core.compare import Comparison, compare
from whatnext_service.core.intervals import mean_and_error, t_quantile
from whatnext_service.core.rank_agreement import MIN_ANSWERS, RankAgreement, rank_agreement

PASS_FAILING_LOW, PASS_FAILING_HIGH = 0.25, 0.50
"""Share of the base model's outputs that should fail an RFT grader (method 4)."""
NO_SIGNAL_BELOW = 0.10
DIVERGES_ABOVE = 0.70

JudgeVerdict = Literal["sound", "biased", "doubtful", "unsound", "cannot_tell"]
DriftVerdict = Literal["steady", "drifted", "cannot_tell"]
PassVerdict = Literal["good", "lenient", "strict", "no_signal", "may_diverge", "cannot_tell"]


class Correction(msgspec.Struct, kw_only=True, frozen=True):
    """Hand grade = intercept + slope x judge's score, by least squares."""

    intercept: float
    slope: float


class Calibration(msgspec.Struct, kw_only=True, frozen=True):
    """How a judge's scores stand to hand grades of the same answers."""

    verdict: JudgeVerdict
    """`sound`: ranks alike, no bias seen. `biased`: ranks alike, but scores too high or too low; differences between
    models hold, the level does not. `doubtful`, `unsound`: ranks too little alike to choose by."""
    agreement: RankAgreement
    bias: float | None
    """Mean of judge minus hand, in points."""
    bias_low: float | None
    bias_high: float | None
    mean_absolute_error: float | None
    within_one_share: float | None
    """Share of answers on which the two differ by at most a tenth of the scale."""
    correction: Correction | None
    """Null unless the judge ranks alike."""
    n: int
    statement: str


class PassReading(msgspec.Struct, kw_only=True, frozen=True):
    """What a pass threshold does to the base model's outputs."""

    verdict: PassVerdict
    threshold: float
    failing_share: float | None
    suggested: float | None
    """A threshold that fails 25 to 50 %, as near to their middle as the scores allow; null when none does."""
    n: int
    statement: str


class DriftReading(msgspec.Struct, kw_only=True, frozen=True):
    """Whether a judge still scores the anchor items as it did."""

    verdict: DriftVerdict
    comparison: Comparison


def calibrate(judge: bytes, hand: bytes, *, scale_min: float, scale_max: float) -> Calibration:
    """Check a judge against at least ten hand grades (method 4), both packed in the same order."""
    agreement = rank_agreement(judge, hand)
    if agreement.n < MIN_ANSWERS:
        return Calibration(
            verdict="cannot_tell",
            agreement=agreement,
            bias=None,
            bias_low=None,
            bias_high=None,
            mean_absolute_error=None,
            within_one_share=None,
            correction=None,
            n=agreement.n,
            statement=agreement.statement,
        )
    left, right = np.frombuffer(judge, "<f8"), np.frombuffer(hand, "<f8")
    shared = np.isfinite(left) & np.isfinite(right)
    given, wanted = left[shared], right[shared]
    gaps = given - wanted
    bias, error = mean_and_error(gaps)
    reach = t_quantile(gaps.size - 1, 0.95) * error
    tenth = (scale_max - scale_min) / 10.0 + 1e-9
    verdict = _judge_verdict(agreement, bias - reach, bias + reach)
    return Calibration(
        verdict=verdict,
        agreement=agreement,
        bias=round(bias, 9),
        bias_low=round(bias - reach, 9),
        bias_high=round(bias + reach, 9),
        mean_absolute_error=round(float(np.abs(gaps).mean()), 9),
        within_one_share=round(float((np.abs(gaps) <= tenth).mean()), 9),
        correction=_correction(given, wanted) if agreement.verdict == "alike" else None,
        n=gaps.size,
        statement=f"{agreement.statement} The judge is {abs(bias):.2f} points too {'high' if bias > 0 else 'low'}"
        f" (95 % interval {bias - reach:+.2f} to {bias + reach:+.2f}): {verdict.replace('_', ' ')}.",
    )


def corrected(score: float, correction: Correction, *, scale_min: float, scale_max: float) -> float:
    """A judge's score as a hand grade, kept on the scale."""
    return min(scale_max, max(scale_min, correction.intercept + correction.slope * score))


def read_drift(then: bytes, now: bytes, *, scale_min: float, scale_max: float, margin: float) -> DriftReading:
    """A judge has drifted when the anchors' scores differ; it is steady only when they differ within the margin."""
    comparison = compare(now, then, scale_min=scale_min, scale_max=scale_max, margin=margin)
    verdict: DriftVerdict = "cannot_tell"
    if comparison.verdict in ("improved", "worse"):
        verdict = "drifted"
    elif comparison.verdict == "no_difference" or (comparison.n_pairs and then == now):
        verdict = "steady"
    return DriftReading(verdict=verdict, comparison=comparison)


def read_pass_threshold(base_scores: bytes, threshold: float) -> PassReading:
    """An RFT threshold should fail 25-50 % of the base model's outputs: under 10 % there is no signal, over 70 % it may
    diverge (method 4). A score equal to the threshold passes."""
    scores = np.frombuffer(base_scores, "<f8")
    scores = np.sort(scores[np.isfinite(scores)])
    if scores.size < MIN_ANSWERS:
        statement = f"{scores.size} outputs are scored; at least {MIN_ANSWERS} are needed."
        return PassReading(
            verdict="cannot_tell",
            threshold=threshold,
            failing_share=None,
            suggested=None,
            n=scores.size,
            statement=statement,
        )
    failing = float(np.searchsorted(scores, threshold, side="left")) / scores.size
    return PassReading(
        verdict=_pass_verdict(failing),
        threshold=threshold,
        failing_share=round(failing, 9),
        suggested=_suggested_threshold(scores),
        n=scores.size,
        statement=f"{100 * failing:.0f} % of {scores.size} outputs of the base model fail; 25 to 50 % should.",
    )


def _judge_verdict(agreement: RankAgreement, bias_low: float, bias_high: float) -> JudgeVerdict:
    match agreement.verdict:
        case "alike":
            return "sound" if bias_low <= 0.0 <= bias_high else "biased"
        case "doubtful":
            return "doubtful"
        case "unlike":
            return "unsound"
        case "cannot_tell":
            return "cannot_tell"


def _correction(given: FloatArray, wanted: FloatArray) -> Correction:
    centred = given - given.mean()
    slope = float(centred @ (wanted - wanted.mean())) / float(centred @ centred)
    return Correction(intercept=round(float(wanted.mean()) - slope * float(given.mean()), 9), slope=round(slope, 9))


def _pass_verdict(failing: float) -> PassVerdict:
    if failing < NO_SIGNAL_BELOW:
        return "no_signal"
    if failing < PASS_FAILING_LOW:
        return "lenient"
    if failing <= PASS_FAILING_HIGH:
        return "good"
    return "strict" if failing <= DIVERGES_ABOVE else "may_diverge"


def _suggested_threshold(scores: FloatArray) -> float | None:
    values, counts = np.unique(scores, return_counts=True)
    middle = (PASS_FAILING_LOW + PASS_FAILING_HIGH) / 2.0
    shares = (np.cumsum(counts) - counts) / scores.size
    best = int(np.argmin(np.abs(shares - middle)))
    return float(values[best]) if PASS_FAILING_LOW <= shares[best] <= PASS_FAILING_HIGH else None
