"""Preference optimisation: the columns that are there, and none that are not (evidence 2)."""

import math

from whatnext_service.core.curve_view import CurveView, Points
from whatnext_service.core.curves import Finding
from whatnext_service.core.loss_facts import LossFacts
from whatnext_service.core.thresholds import CurveThresholds


def preference_points(view: CurveView, kind: str) -> Points:
    """The first column of rewards whose name ends in `kind` (`accuracies`, `chosen`, `margins`), validation first."""
    names = [name for name in view.names() if "reward" in name.lower() and name.lower().endswith(kind)]
    names.sort(key=lambda name: not name.lower().startswith(("eval", "valid", "full_valid")))
    return view.points(names[0]).finite() if names else view.points("")


def preference_findings(facts: LossFacts, view: CurveView, thresholds: CurveThresholds) -> list[Finding]:
    """Preference accuracy and loss at chance level, and a chosen reward that falls."""
    found = [_at_chance(facts, preference_points(view, "accuracies"), thresholds), _chosen_falls(view)]
    return [finding for finding in found if finding is not None and not facts.early]


def _at_chance(facts: LossFacts, accuracy: Points, thresholds: CurveThresholds) -> Finding | None:
    """Preference accuracy below 0.6, or without it a loss within 5 % of ln 2, learned nothing (evidence 2)."""
    if accuracy.n >= 2:
        value, threshold = float(accuracy.values[-3:].mean()), thresholds.preference_chance
        learned = value >= threshold
        words = f"Preference accuracy is {value:.2f} at the end"
    elif facts.last_train is not None and facts.train.n >= thresholds.min_points:
        value, threshold = facts.last_train, math.log(2.0) * (1.0 - thresholds.chance_band)
        learned = value < threshold
        words = f"Preference loss is {value:.3f} at the end, where guessing gives 0.693"
    else:
        return None
    if learned:
        return None
    return Finding(
        code="preference_at_chance",
        severity="caution",
        statement=f"{words}: nothing was learned.",
        value=value,
        threshold=threshold,
        would_change="A higher learning rate, a smaller beta, or pairs that differ more.",
        source="evidence 2",
    )


def _chosen_falls(view: CurveView) -> Finding | None:
    """A reward of the preferred answers that ends below 0 and below its start: both sides become less likely."""
    chosen = preference_points(view, "chosen")
    if chosen.n < 3 or not chosen.values[-1] < min(0.0, float(chosen.values[0])):
        return None
    return Finding(
        code="chosen_reward_falls",
        severity="info",
        statement=(
            f"The reward of the preferred answers fell from {chosen.values[0]:.3g} to {chosen.values[-1]:.3g}: "
            "they become less likely too, only less so than the others."
        ),
        value=float(chosen.values[-1]),
        threshold=0.0,
        would_change="A lower learning rate or a larger beta.",
        source="evidence 2",
    )
