"""A training curve and its reading."""

from typing import Literal

import msgspec

Severity = Literal["info", "caution", "critical"]
OverfitVerdict = Literal["healthy", "mild", "moderate", "severe", "cannot_judge"]
Trend = Literal["falling", "flat", "risen", "above_first", "oscillating", "collapsed", "unknown"]
ValidSource = Literal["full", "batch", "none"]
Shape = Literal[
    "healthy",
    "mild_overfitting",
    "moderate_overfitting",
    "severe_overfitting",
    "underfitting",
    "diverged",
    "plateau",
    "oscillating",
    "too_short",
    "no_validation",
    "unknown",
]


class Series(msgspec.Struct, kw_only=True, frozen=True):
    """One column of a curve: values at increasing steps. Values may be NaN or infinite, steps never repeat."""

    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


class Curve(msgspec.Struct, kw_only=True, frozen=True):
    """The columns of one run's result file, under their canonical names (method, section 3)."""

    series: tuple[Series, ...]


class Finding(msgspec.Struct, kw_only=True, frozen=True):
    """One thing a curve shows."""

    code: str
    severity: Severity
    statement: str
    value: float | None
    threshold: float | None
    would_change: str
    """What observation would change this finding."""
    source: str
    """The rule's source, such as `method 3` or `evidence 2`."""


class CurveReading(msgspec.Struct, kw_only=True, frozen=True):
    """What a curve shows: the numbers every rule reads, the verdict, and the findings."""

    thresholds_version: str
    n_points: int
    last_step: int
    verdict: OverfitVerdict
    """Overfitting, resting on the ratio and the shape together."""
    verdict_basis: str
    """Which of ratio and shape the verdict rests on, in words."""
    trend: Trend
    """The shape of the validation loss."""
    valid_source: ValidSource
    first_train_loss: float | None
    last_train_loss: float | None
    """Training loss at the end, averaged over the neighbouring steps."""
    first_valid_loss: float | None
    best_valid_loss: float | None
    best_step: int | None
    last_valid_loss: float | None
    overfit_ratio: float | None
    """Validation over smoothed training loss at the last evaluated step; null where it cannot be formed."""
    rise: float | None
    """Last over best validation loss."""
    best_is_last: bool
    """Whether validation loss was still at its minimum when training ended."""
    best_accuracy: float | None
    n_valid_points: int
    nominated_steps: tuple[int, ...]
    """Steps whose checkpoints deserve a held-out evaluation, most promising first."""
    findings: tuple[Finding, ...]
    shape: Shape = "unknown"
    """The curve in one word: what a reader would call it."""
    initial_ratio: float | None = None
    """Validation over smoothed training loss at the first evaluated step; the ratio at the end is compared with it."""
    change_from_first: float | None = None
    """Last over first validation loss after training began; above 1 the learning rate is the first suspect."""
    noise: float | None = None
    """Standard deviation of one validation value, relative to the best level; null where it cannot be estimated."""
