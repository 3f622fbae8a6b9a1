"""Extremes and suspicions: typing errors, far too many epochs, chance level, leaks, rates that did not take."""

import math

from whatnext_service.core.change_took import NOT_TAKEN
from whatnext_service.core.curve_noise import SMALLEST
from whatnext_service.core.curve_view import CurveView, RunFacts
from whatnext_service.core.curves import Finding
from whatnext_service.core.loss_facts import LossFacts
from whatnext_service.core.thresholds import CurveThresholds


def extreme_rate(view: CurveView, run: RunFacts, thresholds: CurveThresholds) -> Finding | None:
    """A logged rate of 0.1 or more, or a requested one above 4, is likely a typing error (hazards h: 5; evidence 3)."""
    logged = view.points("learning_rate").finite()
    requested = run.requested_learning_rate
    if logged.n and float(logged.values.max()) >= thresholds.learning_rate_max:
        rate, threshold = float(logged.values.max()), thresholds.learning_rate_max
    elif requested is not None and requested > thresholds.multiplier_max:
        rate, threshold = requested, thresholds.multiplier_max
    else:
        return None
    return Finding(
        code="learning_rate_extreme",
        severity="critical",
        statement=f"The learning rate was {rate:g}: probably a typing error.",
        value=rate,
        threshold=threshold,
        would_change="A learning rate in the usual range.",
        source="hazards h",
    )


def rate_did_not_take(view: CurveView, run: RunFacts, thresholds: CurveThresholds) -> Finding | None:
    """The highest logged rate differs from the requested one by 1.5 times or more: the change did not take (hazards f).

    Only an absolute rate, below every multiplier, can be compared; and a warm-up keeps the first logged rates low.
    """
    logged = view.points("learning_rate").finite()
    requested = run.requested_learning_rate
    if requested is None or logged.n < thresholds.min_points or not SMALLEST < requested < thresholds.multiplier_min:
        return None
    highest = float(logged.values.max())
    if highest <= SMALLEST or max(requested / highest, highest / requested) < thresholds.rate_mismatch:
        return None
    return Finding(
        code=NOT_TAKEN,
        severity="critical",
        statement=f"A learning rate of {requested:g} was requested, {highest:g} was logged.",
        value=highest / requested,
        threshold=thresholds.rate_mismatch,
        would_change="A log that shows the requested rate.",
        source="hazards f",
    )


def extreme_epochs(view: CurveView, run: RunFacts, thresholds: CurveThresholds) -> Finding | None:
    """More than 20 epochs is twice the widest range of the method (hazards h: 889)."""
    logged = view.points("epoch").finite()
    epochs = max(float(run.n_epochs or 0), float(logged.values[-1]) if logged.n else 0.0)
    if epochs <= thresholds.epochs_max:
        return None
    return Finding(
        code="epochs_extreme",
        severity="caution",
        statement=f"The run took {epochs:.0f} epochs.",
        value=epochs,
        threshold=thresholds.epochs_max,
        would_change="A run of a few epochs.",
        source="hazards h",
    )


def chance_level(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """Every validation loss within 5 % of ln 2, over three or more: two classes, guessed (hazards h)."""
    points = facts.full_values if facts.n_full >= 3 else facts.train
    if points.n < 3:
        return None
    chance = math.log(2.0)
    farthest = float(max(abs(points.values.max() - chance), abs(points.values.min() - chance))) / chance
    if farthest > thresholds.chance_band:
        return None
    return Finding(
        code="chance_level",
        severity="critical",
        statement="The loss stays at ln 2 = 0.693: with two classes, the model guesses.",
        value=farthest,
        threshold=thresholds.chance_band,
        would_change="A loss that leaves 0.693, or an accuracy above chance.",
        source="hazards h",
    )


def leak(facts: LossFacts, thresholds: CurveThresholds) -> Finding | None:
    """Validation loss down to a tenth of its start and no higher than training loss: a leak looks so (hazards e)."""
    levels = facts.levels
    if levels is None or facts.first_train is None or facts.last_train is None or facts.early:
        return None
    start = max(levels.first, facts.first_train if facts.same_scale else levels.first)
    as_low = levels.last <= thresholds.ratio_mild * facts.last_train or levels.last < thresholds.near_zero / 10.0
    if start <= SMALLEST or levels.last > thresholds.leak_level * start or not as_low:
        return None
    return Finding(
        code="leak_suspected",
        severity="caution",
        statement=(
            f"Validation loss fell from {start:.4g} to {levels.last:.3g}, as low as training loss: "
            "validation examples may stand in the training file."
        ),
        value=levels.last / start,
        threshold=thresholds.leak_level,
        would_change="A comparison of both files by content that finds no overlap.",
        source="hazards e",
    )


def impossible_zero(view: CurveView, thresholds: CurveThresholds) -> Finding | None:
    """A validation loss of exactly 0 beside an accuracy below 0.9 is impossible: one is wrong (hazards 6)."""
    for loss_name, accuracy_name in (
        ("full_valid_loss", "full_valid_mean_token_accuracy"),
        ("valid_loss", "valid_mean_token_accuracy"),
    ):
        loss, accuracy = view.points(loss_name), view.points(accuracy_name).finite()
        zeros = loss.steps[loss.values == 0.0]
        if zeros.size == 0 or accuracy.n == 0:
            continue
        at_zero = accuracy.values[(accuracy.steps.searchsorted(zeros)).clip(max=accuracy.n - 1)]
        lowest = float(at_zero.min())
        if lowest < thresholds.accuracy_learned:
            return Finding(
                code="zero_loss_contradicted",
                severity="caution",
                statement=f"Validation loss is exactly 0 at {zeros.size} evaluations, with accuracy {lowest:.2f}.",
                value=lowest,
                threshold=thresholds.accuracy_learned,
                would_change="A loss and an accuracy of the same examples.",
                source="hazards 6",
            )
    return None
