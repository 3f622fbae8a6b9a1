"""Whether a change of the learning rate reached the trainer at all (hazards f)."""

import numpy as np

from whatnext_service.core.curve_view import CurveView, Points
from whatnext_service.core.curves import Curve, Finding
from whatnext_service.core.thresholds import DEFAULT, CurveThresholds

FEWEST_SHARED = 5


def change_took(a: Curve, b: Curve, thresholds: CurveThresholds = DEFAULT) -> Finding | None:
    """Null when the change shows; a finding when two runs said to differ log the same rate and the same losses.

    Two runs of one length are the same when five or more shared training losses agree to `same_curve` (0.5 %) in the
    median, and so do their logged rates. For a change of rate, batch or data: a change of epochs alone leaves the
    shared part the same, and runs of different length are not compared (hazards f).
    """
    view_a, view_b = CurveView(a), CurveView(b)
    train_a, train_b = view_a.points("train_loss").finite(), view_b.points("train_loss").finite()
    losses = _shared(train_a, train_b)
    if losses is None or losses > thresholds.same_curve or train_a.steps[-1] != train_b.steps[-1]:
        return None
    rates = _shared(view_a.points("learning_rate").finite(), view_b.points("learning_rate").finite())
    if rates is not None and rates > thresholds.same_curve:
        return None
    logged = "their logged learning rates are the same, and " if rates is not None else ""
    return Finding(
        code="change_did_not_take",
        severity="critical",
        statement=f"The change did not take: {logged}their training losses differ by {losses:.2%} in the median.",
        value=losses,
        threshold=thresholds.same_curve,
        would_change="Two logs that differ.",
        source="hazards f",
    )


def _shared(a: Points, b: Points) -> float | None:
    """Median relative difference over the steps that both have; null below five of them."""
    _, at_a, at_b = np.intersect1d(a.steps, b.steps, return_indices=True)
    if at_a.size < FEWEST_SHARED:
        return None
    left, right = a.values[at_a], b.values[at_b]
    size = np.maximum(np.abs(left), np.abs(right))
    return float(np.median(np.divide(np.abs(left - right), size, out=np.zeros_like(size), where=size > 0.0)))
