"""The shape table: what a curve's findings mean, and what the method would change (method, section 3)."""

from typing import Literal

import msgspec

from whatnext_service.core.collapse import COLLAPSE_CODES
from whatnext_service.core.curves import CurveReading, Finding
from whatnext_service.core.findings import DiagnosisFinding
from whatnext_service.core.thresholds import DEFAULT, CurveThresholds


class Row(msgspec.Struct, kw_only=True, frozen=True):
    """One row of the shape table."""

    observation: Literal[
        "training loss barely falls",
        "training loss crashes to about 0",
        "validation loss rises after epoch k",
        "validation loss flat after epoch 1",
        "validation loss oscillates",
        "both losses stay high",
        "large train/validation gap from the first step",
        "NaN, or loss explodes",
        "no validation series",
        "reward flat near 0",
        "reward always negative",
        "reward high and flat from the start",
        "train/validation reward gap",
        "completion tokens grow",
        "other errors of the grader",
    ]
    codes: tuple[str, ...]
    """Codes of the curve findings that show it."""
    reading: str
    change: str


TABLE: tuple[Row, ...] = (
    Row(
        observation="NaN, or loss explodes",
        codes=tuple(sorted(COLLAPSE_CODES)),
        reading="diverged",
        change="lower the learning rate sharply",
    ),
    Row(
        observation="no validation series",
        codes=("no_validation",),
        reading="cannot judge",
        change="attach a validation file",
    ),
    Row(
        observation="validation loss rises after epoch k",
        codes=("overfit_mild", "overfit_moderate", "overfit_severe"),
        reading="overfitting",
        change="use the checkpoint of the best step",
    ),
    Row(
        observation="validation loss oscillates",
        codes=("oscillating",),
        reading="small batch, or inconsistent data",
        change="take a larger batch, or audit the data",
    ),
    Row(
        observation="validation loss flat after epoch 1",
        codes=("plateau",),
        reading="learned at once",
        change="train one epoch, or lower the learning rate",
    ),
    Row(
        observation="both losses stay high",
        codes=("both_losses_high",),
        reading="the task is too hard for the model",
        change="take a larger model, or a simpler task",
    ),
    Row(
        observation="training loss barely falls",
        codes=("underfit",),
        reading="learning rate too low, or noisy data",
        change="raise the learning rate, or clean the data",
    ),
    Row(
        observation="training loss crashes to about 0",
        codes=("train_loss_crashed",),
        reading="learning rate too high, or trivial data",
        change="lower the learning rate, or add harder examples",
    ),
    Row(
        observation="large train/validation gap from the first step",
        codes=("initial_gap",),
        reading="too little or mismatched data",
        change="add diverse data",
    ),
    Row(
        observation="reward flat near 0",
        codes=("reward_near_zero",),
        reading="grader broken or too strict",
        change="repair or relax the grader",
    ),
    Row(
        observation="reward always negative",
        codes=("reward_always_negative",),
        reading="pass threshold too high",
        change="lower the pass threshold",
    ),
    Row(
        observation="reward high and flat from the start",
        codes=("reward_high_and_flat",),
        reading="grader too lenient",
        change="make the grader stricter",
    ),
    Row(
        observation="train/validation reward gap",
        codes=("reward_hacking",),
        reading="likely reward hacking",
        change="stop, and repair the grader",
    ),
    Row(
        observation="completion tokens grow",
        codes=("tokens_verbose",),
        reading="the grader pays for verbosity",
        change="grade conciseness too",
    ),
    Row(
        observation="other errors of the grader",
        codes=("grader_errors",),
        reading="grader calls failed",
        change="repair the grader: the count must be 0",
    ),
)


def row_of(code: str) -> Row | None:
    """The row that a curve finding shows; null for findings the table does not know."""
    return next((row for row in TABLE if code in row.codes), None)


def shapes(reading: CurveReading | None, thresholds: CurveThresholds = DEFAULT) -> tuple[DiagnosisFinding, ...]:
    """The curve's findings with the method's change where the table has one, in the curve's own order.

    A training loss that barely falls while validation loss rises above its first value is `rate_too_high` and no row
    of the table: there the method would raise the rate and the evidence lowers it (evidence 8).
    """
    if reading is None:
        return ()
    found = (*reading.findings, *_both_high(reading, thresholds), *_crashed(reading, thresholds))
    return tuple(_diagnosed(finding) for finding in found)


def has_diverged(reading: CurveReading) -> bool:
    """Losses became NaN or infinite, or exploded (method 3)."""
    return reading.shape == "diverged" or reading.trend == "collapsed"


def _diagnosed(finding: Finding) -> DiagnosisFinding:
    row = row_of(finding.code)
    return DiagnosisFinding(
        kind="curve",
        code=finding.code,
        severity=finding.severity,
        statement=finding.statement,
        suggestion=finding.would_change if row is None else f"{row.reading}: {row.change}",
        value=finding.value,
        threshold=finding.threshold,
        source=finding.source,
    )


def _both_high(reading: CurveReading, thresholds: CurveThresholds) -> tuple[Finding, ...]:
    """Neither loss fell by a tenth, and validation loss did not rise either (method 3)."""
    if reading.valid_source == "none" or not reading.first_train_loss or not reading.first_valid_loss:
        return ()
    if reading.last_train_loss is None or reading.last_valid_loss is None or has_diverged(reading):
        return ()
    high = thresholds.barely_falls
    train = reading.last_train_loss / reading.first_train_loss
    valid = reading.last_valid_loss / reading.first_valid_loss
    if reading.n_valid_points < 2 or train <= high or not high < valid <= 1.0:
        return ()
    return (
        Finding(
            code="both_losses_high",
            severity="caution",
            statement=f"Training loss is still {train:.0%} and validation loss {valid:.0%} of its first value.",
            value=valid,
            threshold=high,
            would_change="A loss that falls by a tenth or more.",
            source="method 3",
        ),
    )


def _crashed(reading: CurveReading, thresholds: CurveThresholds) -> tuple[Finding, ...]:
    """Training loss fell from above to below 0.01, and no accuracy shows a learned task (method 3, hazards 5, g)."""
    first, last, accuracy = reading.first_train_loss, reading.last_train_loss, reading.best_accuracy
    crashed = thresholds.crashed
    if first is None or last is None or first < crashed or last >= crashed or has_diverged(reading):
        return ()
    explained = any(finding.code in ("memorised", "saturated_preference") for finding in reading.findings)
    if explained or (accuracy is not None and accuracy >= thresholds.accuracy_easy):
        return ()
    reached = "no accuracy is logged" if accuracy is None else f"validation accuracy reached only {accuracy:.0%}"
    return (
        Finding(
            code="train_loss_crashed",
            severity="info" if accuracy is None else "caution",
            statement=f"Training loss fell to {last:.3g}, and {reached}.",
            value=last,
            threshold=crashed,
            would_change="A training loss that keeps some distance from 0.",
            source="method 3",
        ),
    )
