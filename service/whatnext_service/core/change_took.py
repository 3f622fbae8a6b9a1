"""Whether a change reached the trainer at all (hazards f)."""

from collections.abc import Iterable

import numpy as np

from whatnext_service.core.curve_view import CurveView, Points
from whatnext_service.core.curves import Curve, Finding
from whatnext_service.core.runs import Run
from whatnext_service.core.thresholds import DEFAULT, CurveThresholds

NOT_TAKEN = "change_did_not_take"
FEWEST_SHARED = 5
COLUMNS = ("train_loss", "learning_rate")
"""What is compared."""
_UNSEEN = frozenset({"n_epochs", "eval_interval", "eval_samples"})
"""Variables that leave the losses of the shared steps as they were."""


def must_show(changed: Iterable[str]) -> bool:
    """Whether a change of these variables shows in the training loss."""
    return not _UNSEEN.issuperset(changed)


def took(run: Run) -> bool:
    """Whether what the run changed against its parent shows in its curve, as far as that is known."""
    reading = run.reading
    return reading is None or not reading.findings or all(each.code != NOT_TAKEN for each in reading.findings)


def change_took(parent: Curve, child: Curve, thresholds: CurveThresholds = DEFAULT) -> Finding | None:
    """Null when the change shows; a finding when two runs said to differ log the same rate and the same losses.

    Two runs of one length are the same when five or more shared training losses agree to `same_curve` (0.5 %) in the
    median, and so do their logged rates. For a change of rate, batch or data: a change of epochs alone leaves the
    shared part the same, and runs of different length are not compared (hazards f).
    """
    before, after = CurveView(parent), CurveView(child)
    train_before, train_after = before.points("train_loss").finite(), after.points("train_loss").finite()
    losses = _shared(train_before, train_after)
    if losses is None or losses > thresholds.same_curve or train_before.steps[-1] != train_after.steps[-1]:
        return None
    rates = _shared(before.points("learning_rate").finite(), after.points("learning_rate").finite())
    if rates is not None and rates > thresholds.same_curve:
        return None
    logged = "the logged learning rates are the same, and " if rates is not None else ""
    return Finding(
        code=NOT_TAKEN,
        severity="critical",
        statement=f"The change did not take: {logged}the training losses differ from the parent's by {losses:.2%} in "
        "the median.",
        value=losses,
        threshold=thresholds.same_curve,
        would_change="Training losses that differ: ask the trainer which values it used; count the run as a repeat.",
        source="hazards f",
    )


def _shared(a: Points, b: Points) -> float | None:
    """Median relative difference over the steps that both have and where not both are zero; null below five."""
    _, at_a, at_b = np.intersect1d(a.steps, b.steps, return_indices=True)
    left, right = a.values[at_a], b.values[at_b]
    size = np.maximum(np.abs(left), np.abs(right))
    known = size > 0.0
    if np.count_nonzero(known) < FEWEST_SHARED:
        return None
    return float(np.median(np.abs(left - right)[known] / size[known]))
