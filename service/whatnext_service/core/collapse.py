"""Runs that broke: not-a-number, explosion, and losses of exactly zero (method 3, hazards 6 and g)."""

import math
from types import MappingProxyType

import numpy as np

from whatnext_service.core.curve_noise import LARGEST, SMALLEST
from whatnext_service.core.curve_view import CurveView, Points
from whatnext_service.core.curves import Finding
from whatnext_service.core.loops import Method
from whatnext_service.core.thresholds import CurveThresholds

COLLAPSE_CODES = frozenset({"not_finite", "nan_collapse", "diverged", "validation_collapsed"})


def collapse_findings(view: CurveView, method: Method, thresholds: CurveThresholds) -> list[Finding]:
    """What broke, and what looks broken but is not."""
    train = view.points("train_loss")
    found = [_not_finite(train, "training"), _exploded(train, thresholds), _zero_loss(view, method, thresholds)]
    valid = view.points("full_valid_loss") if view.points("full_valid_loss").n else view.points("valid_loss")
    found.append(_not_finite(valid, "validation") if train.n == 0 else _gaps(valid))
    return [finding for finding in found if finding is not None]


def _not_finite(points: Points, what: str) -> Finding | None:
    """A loss that ends as NaN or infinity has diverged (method 3 "NaN, or loss explodes")."""
    if points.n == 0 or abs(points.values[-1]) <= LARGEST:
        return None
    broken = np.flatnonzero(~points.usable())
    step = int(points.steps[broken[0]])
    return Finding(
        code="not_finite",
        severity="critical",
        statement=f"The {what} loss is {points.values[-1]:g} at the end; it was first not finite at step {step}.",
        value=float(step),
        threshold=None,
        would_change="A run whose loss stays finite: lower the learning rate sharply.",
        source="method 3",
    )


def _gaps(valid: Points) -> Finding | None:
    """Validation losses that are not finite while training goes on are left out; above half of them, the run broke."""
    n_broken = int(np.count_nonzero(~valid.usable()))
    if n_broken == 0:
        return None
    mostly = n_broken > valid.n / 2
    return Finding(
        code="validation_collapsed" if mostly else "validation_not_finite",
        severity="critical" if mostly else "caution",
        statement=f"{n_broken} of {valid.n} validation losses are not finite; they are left out of the reading.",
        value=float(n_broken),
        threshold=0.0,
        would_change="Validation examples on which the loss stays finite.",
        source="hazards 6",
    )


def _exploded(train: Points, thresholds: CurveThresholds) -> Finding | None:
    """Training loss that ends `diverged_train` (1.5) times above where it began, beyond its own noise, has diverged."""
    finite = train.finite()
    if finite.n < 4:
        return None
    first, last = finite.ends(thresholds)
    if first <= SMALLEST or last < max(thresholds.diverged_train * first, thresholds.near_zero):
        return None
    if last - first <= finite.doubt(thresholds):
        return None
    return Finding(
        code="diverged",
        severity="critical",
        statement=f"Training loss ended at {last:.4g}, {last / first:.2f} times where it began ({first:.4g}).",
        value=last / first,
        threshold=thresholds.diverged_train,
        would_change="A run whose training loss ends below its start: lower the learning rate sharply.",
        source="method 3",
    )


def _zero_loss(view: CurveView, method: Method, thresholds: CurveThresholds) -> Finding | None:
    """Exact zeros at the end are a collapse, memorisation or a saturated preference loss, told apart by accuracy.

    Without an accuracy: by the gradient norm, and by whether the loss fell to zero at once (`abrupt`) (hazards g).
    """
    train = view.points("train_loss").finite()
    nonzero = np.flatnonzero(train.values)
    n_zeros = train.n - 1 - int(nonzero[-1]) if nonzero.size else train.n
    if method == "rft" or n_zeros < thresholds.zero_tail:
        return None
    accuracy = _preference_accuracy(view) if method == "dpo" else view.accuracy()
    before = float(train.values[nonzero[-3:]].mean()) if nonzero.size else 0.0
    first = float(train.values[0])
    gradients = view.points("grad_norm").values
    broken_gradient = bool(gradients.size) and not math.isfinite(gradients[-1])
    at_once = before > max(thresholds.abrupt * first, thresholds.near_zero)
    if accuracy is not None:
        code = "nan_collapse" if accuracy < thresholds.accuracy_learned else "memorised"
        why = f"accuracy is {accuracy:.3f}"
    elif broken_gradient or at_once:
        code, why = "nan_collapse", "the gradient is not finite" if broken_gradient else "it fell to zero at once"
    else:
        code, why = "memorised", f"it had fallen to {before:.3g} before, and no accuracy is logged"
    if code == "memorised" and method == "dpo":
        code = "saturated_preference"
    return Finding(
        code=code,
        severity="critical" if code == "nan_collapse" else "info",
        statement=f"Training loss is exactly 0 in the last {n_zeros} entries: {_WORDS[code]}, for {why}.",
        value=accuracy,
        threshold=thresholds.accuracy_learned if accuracy is not None else None,
        would_change="An accuracy logged beside the loss, or the gradient norm at the end.",
        source="hazards g",
    )


_WORDS = MappingProxyType(
    {
        "nan_collapse": "a collapse, no success",
        "memorised": "the examples are memorised",
        "saturated_preference": "the preference loss is saturated",
    }
)


def _preference_accuracy(view: CurveView) -> float | None:
    for name in view.names():
        if name.lower() in ("rewards/accuracies", "train_rewards/accuracies", "train_reward_accuracy"):
            finite = view.points(name).finite()
            if finite.n:
                return float(finite.values[-1])
    return None
