"""The reading of losses: SFT and DPO (method 3, evidence 2 and 8)."""

from whatnext_service.core import extremes
from whatnext_service.core import loss_findings as rules
from whatnext_service.core.collapse import COLLAPSE_CODES, collapse_findings
from whatnext_service.core.curve_view import CurveView, RunFacts
from whatnext_service.core.curves import CurveReading, Finding, Shape, Trend
from whatnext_service.core.loops import Method
from whatnext_service.core.loss_facts import LossFacts
from whatnext_service.core.loss_shape import Verdict, judge, trend_of, unreadable
from whatnext_service.core.nominate import best_step_gone
from whatnext_service.core.read_dpo import preference_findings
from whatnext_service.core.reading import reading_of
from whatnext_service.core.thresholds import CurveThresholds


def read_losses(
    view: CurveView, facts: LossFacts, run: RunFacts, thresholds: CurveThresholds, method: Method
) -> CurveReading:
    """The reading of an SFT or DPO run; for DPO no rule looks at the ratio, which means nothing there (evidence 2)."""
    findings = collapse_findings(view, method, thresholds)
    spread = rules.both_rise(facts, thresholds)
    collapsed = spread is not None or any(finding.code in COLLAPSE_CODES for finding in findings)
    short = _too_short(facts, thresholds)
    verdict = judge(facts, thresholds, uses_ratio=method == "sft")
    if collapsed:
        verdict = Verdict(verdict="cannot_judge", basis="the run broke: overfitting is not its trouble")
    elif short is not None:
        verdict = Verdict(verdict="cannot_judge", basis="too few points")
    found = [short, spread, _no_validation(facts), _early(facts, thresholds)]
    if not collapsed:
        found += _loss_findings(view, facts, verdict, thresholds, method)
    found += [
        extremes.extreme_rate(view, run, thresholds),
        extremes.rate_did_not_take(view, run, thresholds),
        extremes.extreme_epochs(view, run, thresholds),
        extremes.impossible_zero(view, thresholds),
        best_step_gone(facts.levels.best_step if facts.levels else None, run.deployable_steps),
    ]
    findings += [finding for finding in found if finding is not None]
    findings += rules.cycle_findings(facts, run, thresholds)
    if method == "dpo":
        findings += preference_findings(facts, view, thresholds)
    trend: Trend = "collapsed" if collapsed else trend_of(facts, thresholds)
    codes = {finding.code for finding in findings}
    shape = _shape(facts, verdict, trend, codes, thresholds)
    return reading_of(view, facts, run, thresholds, verdict=verdict, trend=trend, shape=shape, findings=findings)


def _loss_findings(
    view: CurveView, facts: LossFacts, verdict: Verdict, thresholds: CurveThresholds, method: Method
) -> list[Finding | None]:
    found = [
        rules.worse_than_untuned(facts, thresholds),
        rules.ends_above_first(facts, thresholds),
        rules.overfitting(facts, verdict, thresholds),
        rules.barely_falls(facts, thresholds),
        rules.oscillation(facts, thresholds),
        _too_noisy(facts, thresholds),
        rules.plateau(facts, thresholds),
        rules.best_early(facts, thresholds),
        rules.still_improving(facts, thresholds),
        rules.metric_disagrees(facts, view, thresholds),
    ]
    if method == "sft":
        found += [
            rules.ratio_without_rise(facts, thresholds),
            rules.different_scales(facts, thresholds),
            rules.initial_gap(facts, thresholds),
            extremes.chance_level(facts, thresholds),
            extremes.leak(facts, thresholds),
        ]
    return found


def _too_short(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """Fewer than 5 points or 10 steps, and fewer than three evaluations, are too short to read (measured)."""
    if max(facts.n_full, facts.n_batch) >= 3:
        return None
    if facts.n_points >= thresholds.min_points and facts.last_step >= thresholds.min_steps:
        return None
    return Finding(
        code="too_short",
        severity="caution",
        statement=f"{facts.n_points} points up to step {facts.last_step} are too few to read a curve from.",
        value=float(facts.n_points),
        threshold=float(thresholds.min_points),
        would_change="More logged points, or three evaluations.",
        source="evidence 2",
    )


def _too_noisy(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """Noise that could hide a rise of a quarter, where the loss fell by no more: nothing can be read (measured)."""
    levels = facts.levels
    if levels is None or not unreadable(facts, thresholds):
        return None
    return Finding(
        code="too_noisy",
        severity="caution",
        statement=(
            f"Validation loss is too noisy to read: by chance alone it may end {levels.doubt:.0%} above its best."
        ),
        value=levels.doubt,
        threshold=thresholds.hides_anything,
        would_change="Full passes over the validation file, a larger one, or more evaluations.",
        source="evidence 2",
    )


def _no_validation(facts: LossFacts) -> Finding | None:
    """Without a validation series overfitting cannot be judged (method 3)."""
    if facts.n_full or facts.n_batch or facts.n_points == 0:
        return None
    return Finding(
        code="no_validation",
        severity="caution",
        statement="There is no validation loss: overfitting cannot be judged.",
        value=None,
        threshold=None,
        would_change="A validation file attached to the run.",
        source="method 3",
    )


def _early(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """In the first 30 % of the planned training no alarm is raised but that of a broken run (evidence 2)."""
    if not facts.early:
        return None
    return Finding(
        code="too_early",
        severity="info",
        statement=f"Step {facts.last_step} lies in the first {thresholds.early_share:.0%} of the planned training.",
        value=float(facts.last_step),
        threshold=thresholds.early_share,
        would_change="More of the training.",
        source="evidence 2",
    )


def _shape(facts: LossFacts, verdict: Verdict, trend: Trend, codes: set[str], thresholds: CurveThresholds) -> Shape:
    """The curve in one word; a loss that never moved is a plateau before it is underfitting."""
    if trend == "collapsed":
        return "diverged"
    if "too_short" in codes or facts.n_points == 0:
        return "too_short"
    if "no_validation" in codes:
        return "no_validation"
    if facts.levels is None and verdict.verdict == "cannot_judge":
        return "too_short"
    if trend == "oscillating":
        return "oscillating"
    match verdict.verdict:
        case "severe":
            return "severe_overfitting"
        case "moderate":
            return "moderate_overfitting"
        case "mild":
            return "mild_overfitting"
        case "cannot_judge":
            return "unknown"
        case "healthy":
            pass
    if "underfit" in codes and ("plateau" not in codes or _moved(facts, thresholds)):
        return "underfitting"
    return "plateau" if "plateau" in codes else "healthy"


def _moved(facts: LossFacts, thresholds: CurveThresholds) -> bool:
    if facts.first_train is None or facts.last_train is None:
        return False
    return abs(facts.last_train - facts.first_train) > thresholds.plateau_change * abs(facts.first_train)
