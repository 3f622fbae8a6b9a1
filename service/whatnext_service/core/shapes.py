"""The shape table: what the losses of a curve look like, and what the method would change (method, section 3)."""

from typing import Literal

import msgspec

from whatnext_service.core.advice import Severity
from whatnext_service.core.curves import CurveReading
from whatnext_service.core.findings import DiagnosisFinding
from whatnext_service.core.thresholds import CurveThresholds

ShapeCode = Literal[
    "train_loss_barely_falls",
    "train_loss_crashed",
    "validation_loss_rises",
    "validation_loss_flat",
    "validation_loss_oscillates",
    "both_losses_high",
    "large_initial_gap",
    "diverged",
    "no_validation_series",
]

BARELY = CurveThresholds().barely_falls
"""Last over first loss above which it "barely falls"."""
CRASHED = 0.01
"""Training loss that counts as "about 0" (method 3 calls a ratio at 0.008 misleading)."""
LEARNED_ACCURACY = 0.95
"""Validation accuracy from which a training loss of about 0 means an easy task, not a fault (method 3, hazards g)."""
GAP = CurveThresholds().initial_gap
"""Validation over training loss from the first step that is a large gap: the ratio table's "moderate" (method 3)."""
RISEN = CurveThresholds().rise_strong
"""Last over best validation loss that is overfitting: method 3, "more than 20 % above the best one"."""


class Row(msgspec.Struct, kw_only=True, frozen=True):
    """One row of the shape table."""

    code: ShapeCode
    severity: Severity
    reading: str
    change: str


TABLE: tuple[Row, ...] = (
    Row(
        code="diverged",
        severity="critical",
        reading="diverged",
        change="lower the learning rate sharply",
    ),
    Row(
        code="no_validation_series",
        severity="caution",
        reading="overfitting cannot be judged",
        change="attach a validation file",
    ),
    Row(
        code="validation_loss_rises",
        severity="caution",
        reading="overfitting",
        change="use the checkpoint of the best step",
    ),
    Row(
        code="validation_loss_oscillates",
        severity="info",
        reading="small batch, or inconsistent data",
        change="take a larger batch, or audit the data",
    ),
    Row(
        code="validation_loss_flat",
        severity="info",
        reading="learned at once",
        change="train one epoch, or lower the learning rate",
    ),
    Row(
        code="both_losses_high",
        severity="caution",
        reading="the task is too hard for the model",
        change="take a larger model, or a simpler task",
    ),
    Row(
        code="train_loss_barely_falls",
        severity="caution",
        reading="learning rate too low, or noisy data",
        change="raise the learning rate, or clean the data",
    ),
    Row(
        code="train_loss_crashed",
        severity="caution",
        reading="learning rate too high, or trivial data",
        change="lower the learning rate, or add harder examples",
    ),
    Row(
        code="large_initial_gap",
        severity="caution",
        reading="too little or mismatched data",
        change="add diverse data",
    ),
)


def shapes(reading: CurveReading | None) -> tuple[DiagnosisFinding, ...]:
    """The rows of the table that the curve shows, in the table's order; none for a run without a curve."""
    if reading is None:
        return ()
    found = []
    for row in TABLE:
        shown = _shown(row.code, reading)
        if shown is not None:
            statement, value, threshold = shown
            found.append(
                DiagnosisFinding(
                    kind="curve",
                    code=row.code,
                    severity=row.severity,
                    statement=f"{statement}: {row.reading}",
                    suggestion=row.change,
                    value=value,
                    threshold=threshold,
                    source="method 3",
                )
            )
    return tuple(found)


def has_diverged(reading: CurveReading) -> bool:
    """Losses became NaN or infinite, or exploded (method 3)."""
    return reading.shape == "diverged" or reading.trend == "collapsed"


def _shown(code: ShapeCode, reading: CurveReading) -> tuple[str, float | None, float | None] | None:
    first_train, last_train = reading.first_train_loss, reading.last_train_loss
    first_valid, last_valid = reading.first_valid_loss, reading.last_valid_loss
    fall = last_train / first_train if first_train and last_train is not None else None
    match code:
        case "diverged":
            if not has_diverged(reading):
                return None
            if reading.trend == "collapsed" or first_valid is None or last_valid is None:
                return "the losses became NaN or infinite, or exploded", None, None
            return (
                f"validation loss ended at {last_valid:.3g}, above its first value {first_valid:.3g}",
                last_valid,
                first_valid,
            )
        case "no_validation_series":
            return ("there is no validation series", None, None) if reading.valid_source == "none" else None
        case "validation_loss_rises":
            if reading.rise is None or reading.rise <= RISEN or reading.best_is_last:
                return None
            told = f"validation loss rose to {reading.rise:.2f} times its best after step {reading.best_step}"
            return told, reading.rise, RISEN
        case "validation_loss_oscillates":
            return (
                ("validation loss oscillates", None, None) if "oscillating" in (reading.trend, reading.shape) else None
            )
        case "validation_loss_flat":
            return (
                ("validation loss hardly moves after its first values", None, None) if reading.trend == "flat" else None
            )
        case "both_losses_high":
            high = fall is not None and fall > BARELY and first_valid is not None and last_valid is not None
            if not high or first_valid is None or last_valid is None or last_valid <= BARELY * first_valid:
                return None
            return "neither loss fell by much", fall, BARELY
        case "train_loss_barely_falls":
            if fall is None or fall <= BARELY:
                return None
            return f"training loss is still {fall:.0%} of its first value", fall, BARELY
        case "train_loss_crashed":
            learned = reading.best_accuracy is not None and reading.best_accuracy >= LEARNED_ACCURACY
            if last_train is None or first_train is None or last_train >= CRASHED or first_train < CRASHED or learned:
                return None
            return f"training loss fell to {last_train:.3g}", last_train, CRASHED
        case "large_initial_gap":
            ratio = reading.initial_ratio
            if ratio is None and first_train and first_valid is not None:
                ratio = first_valid / first_train
            if ratio is None or ratio <= GAP:
                return None
            return f"validation loss was {ratio:.2f} times training loss from the first step", ratio, GAP
