"""Findings on losses, one rule a function; each says its threshold and its source."""

from collections.abc import Iterator

from whatnext_service.core.curve_noise import SMALLEST
from whatnext_service.core.curve_view import CurveView, RunFacts
from whatnext_service.core.curves import Finding, Severity
from whatnext_service.core.loss_facts import LossFacts
from whatnext_service.core.loss_shape import Verdict, above_first, is_flat, oscillates, rises
from whatnext_service.core.thresholds import CurveThresholds


def overfitting(facts: LossFacts, verdict: Verdict, thresholds: CurveThresholds) -> Finding | None:
    """Overfitting as judged from ratio and shape (method 3, evidence 8)."""
    levels = facts.levels
    if levels is None or verdict.verdict not in ("mild", "moderate", "severe"):
        return None
    severity: Severity = "info" if verdict.verdict == "mild" else "caution"
    return Finding(
        code=f"overfit_{verdict.verdict}",
        severity="critical" if verdict.verdict == "severe" else severity,
        statement=f"Overfitting is {verdict.verdict} after step {levels.best_step}: {verdict.basis}.",
        value=levels.rise,
        threshold=1.0 + max(thresholds.rise_mild - 1.0, levels.doubt),
        would_change="A validation loss that ends at its minimum: a lower learning rate, or an earlier checkpoint.",
        source="method 3, evidence 8",
    )


def ends_above_first(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """Validation loss ending above its first value is the strongest sign of too high a learning rate (evidence 8)."""
    levels = facts.levels
    if levels is None or facts.early or not above_first(facts, thresholds) or oscillates(facts, thresholds):
        return None
    return Finding(
        code="above_first",
        severity="critical",
        statement=f"Validation loss ended at {levels.last:.4g}, above its first value {levels.first:.4g}.",
        value=levels.change_from_first,
        threshold=1.0 + max(thresholds.plateau_change, levels.first_doubt),
        would_change="A validation loss that ends below its first value: multiply the learning rate by 0.1 to 0.3.",
        source="evidence 8",
    )


def worse_than_untuned(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """Validation loss ending above that of step 0 means that training made the model worse (evidence 8, hazards 9)."""
    levels = facts.levels
    if levels is None or facts.untuned is None or facts.untuned <= SMALLEST or levels.source != "full":
        return None
    change = levels.last / facts.untuned
    if change <= 1.0 + levels.doubt:
        return None
    return Finding(
        code="worse_than_untuned",
        severity="critical",
        statement=f"Validation loss ended at {levels.last:.4g}; before training it was {facts.untuned:.4g}.",
        value=change,
        threshold=1.0 + levels.doubt,
        would_change="A validation loss that ends below that of the untuned model.",
        source="evidence 8",
    )


def both_rise(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """Training and validation loss both ending above their first values, beyond noise: the run diverges (evidence 8).

    A low ratio hides it, for the training loss is high as well.
    """
    levels = facts.levels
    if levels is None or facts.first_train is None or facts.last_train is None or facts.early:
        return None
    if levels.rise < thresholds.rise_usable or not above_first(facts, thresholds):
        return None
    if facts.last_train <= max(facts.first_train, thresholds.near_zero) or facts.train.n < thresholds.min_points:
        return None
    if facts.last_train - facts.first_train <= facts.train.doubt(thresholds):
        return None
    return Finding(
        code="diverged",
        severity="critical",
        statement=(
            f"Training loss ended at {facts.last_train:.4g} and validation loss at {levels.last:.4g}, both above their "
            f"first values {facts.first_train:.4g} and {levels.first:.4g}."
        ),
        value=levels.change_from_first,
        threshold=1.0,
        would_change="A run whose training loss ends below its start: lower the learning rate sharply.",
        source="evidence 8",
    )


def barely_falls(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """Training loss above 0.9 of its start barely falls: raise the rate; lower it if validation rose (evidence 8)."""
    if facts.first_train is None or facts.last_train is None or facts.first_train <= SMALLEST or facts.early:
        return None
    share = facts.last_train / facts.first_train
    if share <= thresholds.barely_falls or facts.train.n < thresholds.min_steps:
        return None
    rate_too_high = above_first(facts, thresholds)
    return Finding(
        code="rate_too_high" if rate_too_high else "underfit",
        severity="critical" if rate_too_high else "caution",
        statement=(
            f"Training loss barely fell, from {facts.first_train:.4g} to {facts.last_train:.4g}"
            + (", and validation loss rose above its first value." if rate_too_high else ".")
        ),
        value=share,
        threshold=thresholds.barely_falls,
        would_change=(
            "A validation loss below its first value: lower the learning rate."
            if rate_too_high
            else "A training loss that falls: a higher learning rate, more epochs, or cleaner data."
        ),
        source="method 3, evidence 8",
    )


def plateau(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """Validation loss flat after the first fifth, to 1 % or its noise: learned at once, or not at all (method 3)."""
    levels = facts.levels
    if levels is None or facts.early or not is_flat(facts, thresholds) or rises(facts, thresholds):
        return None
    if oscillates(facts, thresholds):
        return None
    return Finding(
        code="plateau",
        severity="info",
        statement=f"Validation loss stayed near {levels.last:.4g} after the first fifth of training.",
        value=abs(levels.rise - 1.0),
        threshold=max(thresholds.plateau_change, levels.doubt),
        would_change="A validation loss that still moves: fewer epochs lose nothing, other data may gain.",
        source="method 3",
    )


def oscillation(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """A full-pass loss that jumps by 5 % without a trend: small batch, or inconsistent data (method 3)."""
    levels = facts.levels
    if levels is None or levels.noise is None or not oscillates(facts, thresholds):
        return None
    return Finding(
        code="oscillating",
        severity="caution",
        statement=f"Validation loss jumps by {levels.noise:.0%} from one full pass to the next, without a trend.",
        value=levels.noise,
        threshold=thresholds.oscillation,
        would_change="A smoother loss: a larger batch, a lower learning rate, or audited data.",
        source="method 3",
    )


def cycle_findings(facts: LossFacts, run: RunFacts, thresholds: CurveThresholds) -> Iterator[Finding]:
    """A per-step loss that repeats walks through the validation file (hazards a).

    The row in its place with three times the median row's loss or more is suspect.
    """
    cycle = facts.levels.cycle if facts.levels is not None else None
    if cycle is None:
        return
    rows = run.n_validation
    walks = f"the {rows} rows of the validation file" if rows == cycle.period else "the validation file"
    yield Finding(
        code="periodic_validation",
        severity="info",
        statement=f"Validation loss repeats every {cycle.period} evaluations: it walks through {walks}.",
        value=float(cycle.period),
        threshold=float(rows) if rows is not None else None,
        would_change="Full passes over the validation file.",
        source="hazards a",
    )
    if cycle.highest_over_median < thresholds.suspect_row:
        return
    certain = "" if rows == cycle.period else f", if the file has {cycle.period} rows and one is evaluated at a time"
    yield Finding(
        code="suspect_validation_row",
        severity="caution",
        statement=(
            f"Row {cycle.highest_row} of the validation file has {cycle.highest_over_median:.1f} times the loss of the "
            f"median row{certain}: look at it."
        ),
        value=float(cycle.highest_row),
        threshold=thresholds.suspect_row,
        would_change="A validation file without that row, or with its answer repaired.",
        source="hazards a",
    )


def still_improving(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """Validation loss at its minimum when training ended: more epochs or a higher rate may gain (evidence 8)."""
    levels = facts.levels
    if levels is None or not levels.best_is_last or is_flat(facts, thresholds):
        return None
    return Finding(
        code="still_improving",
        severity="info",
        statement=f"Validation loss was still at its minimum, {levels.best:.4g}, when training ended.",
        value=levels.best,
        threshold=None,
        would_change="A minimum before the last evaluation.",
        source="evidence 8",
    )


def best_early(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """A best step in the first tenth of training: the run was far too long (evidence 3)."""
    levels = facts.levels
    if levels is None or levels.evaluated.values.size < 3 or facts.early or not rises(facts, thresholds):
        return None
    share = levels.best_step / facts.last_step
    if share > thresholds.best_early:
        return None
    return Finding(
        code="best_early",
        severity="caution",
        statement=f"The best step, {levels.best_step}, came in the first {share:.0%} of training.",
        value=share,
        threshold=thresholds.best_early,
        would_change="A run far shorter, or with a lower learning rate.",
        source="evidence 3",
    )


def ratio_without_rise(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """A ratio of 1.2 or more without a rise is no overfitting yet: the plain ratio misleads (evidence 8, hazards i)."""
    if facts.ratio is None or facts.ratio < thresholds.ratio_mild or rises(facts, thresholds) or not facts.same_scale:
        return None
    easy = facts.last_train is not None and facts.last_train < thresholds.near_zero
    return Finding(
        code="ratio_without_rise",
        severity="info",
        statement=f"Validation loss is {facts.ratio:.2f} times training loss, but it does not rise"
        + (": training loss is near zero, an easy task." if easy else "."),
        value=facts.ratio,
        threshold=thresholds.ratio_mild,
        would_change="A validation loss that rises above its best.",
        source="method 3, evidence 8",
    )


def different_scales(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """Validation below 0.67 of training loss at both ends: other scales (masking, dropout), no ratio (hazards c)."""
    if facts.same_scale or facts.initial_ratio is None:
        return None
    return Finding(
        code="scale_mismatch",
        severity="info",
        statement=f"Validation loss began at {facts.initial_ratio:.2f} of training loss: they are on different scales.",
        value=facts.initial_ratio,
        threshold=thresholds.scale_mismatch,
        would_change="Both losses computed in the same way.",
        source="hazards c",
    )


def initial_gap(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """A ratio of 1.5 in the first tenth of training: too little or mismatched data (method 3)."""
    if facts.initial_ratio is None or facts.initial_ratio < thresholds.initial_gap:
        return None
    if not facts.gap_at_start or facts.train.n < thresholds.min_points:
        return None
    return Finding(
        code="initial_gap",
        severity="caution",
        statement=f"Validation loss was {facts.initial_ratio:.2f} times training loss at the first evaluation.",
        value=facts.initial_ratio,
        threshold=thresholds.initial_gap,
        would_change="Training data more like the validation data.",
        source="method 3",
    )


def metric_disagrees(facts: LossFacts, view: CurveView, thresholds: CurveThresholds) -> Finding | None:
    """Validation accuracy up by 0.01 since the best loss while the loss rose: the two disagree (hazards d)."""
    levels = facts.levels
    if levels is None or levels.source != "full" or not rises(facts, thresholds):
        return None
    accuracy = view.points("full_valid_mean_token_accuracy").finite()
    at_best = accuracy.until(levels.best_step)
    if at_best.n == 0 or accuracy.values[-1] - at_best.values[-1] < thresholds.accuracy_gain:
        return None
    return Finding(
        code="metric_disagrees",
        severity="info",
        statement=(
            f"Validation loss rose after step {levels.best_step}, but accuracy went from {at_best.values[-1]:.3f} "
            f"to {accuracy.values[-1]:.3f}: let the held-out evaluation choose."
        ),
        value=float(accuracy.values[-1] - at_best.values[-1]),
        threshold=thresholds.accuracy_gain,
        would_change="A held-out evaluation of both checkpoints.",
        source="hazards d",
    )
