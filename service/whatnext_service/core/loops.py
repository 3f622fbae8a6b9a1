"""A loop: one fine-tuning goal that is being iterated on."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from whatnext_service.core.thresholds import DEFAULT, CurveThresholds
from whatnext_service.errors import DomainError, FieldError

Direction = Literal["up", "down"]
Autopilot = Literal["off", "propose", "auto"]
Method = Literal["sft", "dpo", "rft"]


class Metric(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The primary metric of a loop: what "better" means, and on which scale."""

    name: Annotated[str, Meta(min_length=1, max_length=64)] = "combined"
    scale_min: float = 1.0
    scale_max: float = 10.0
    direction: Direction = "up"


class Rules(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """When a loop is good enough or not worth going on (method, section 7)."""

    target: float | None = None
    """Score at which the model is good enough for production; its interval must be clear of it."""
    min_margin_pct: Annotated[float, Meta(ge=0, le=1000)] = 5.0
    """Percent over the baseline that counts as a meaningful margin."""
    min_gain: Annotated[float, Meta(ge=0)] = 0.1
    """Points of the metric below which an experiment's gain counts as diminishing."""
    patience: Annotated[int, Meta(ge=1, le=100)] = 3
    """Experiments without improvement before the loop counts as flat."""


class Range(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """An inclusive range of allowed values."""

    min: float
    max: float


class Budget(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a loop may spend; null means unlimited."""

    max_runs: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    max_cost: Decimal | None = None
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "USD"
    deadline: Annotated[datetime, Meta(tz=True)] | None = None


class Choices(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What advice may choose from; null leaves a variable to the model catalogue's and the method's range."""

    base_models: Annotated[tuple[str, ...], Meta(max_length=32)] | None = None
    methods: Annotated[tuple[Method, ...], Meta(max_length=3)] | None = None
    learning_rate_multiplier: Range | None = None
    n_epochs: Range | None = None
    batch_size: Range | None = None


class Loop(msgspec.Struct, kw_only=True, frozen=True):
    """A loop as the core sees it."""

    id: str
    slug: str
    task: str
    metric: Metric
    rules: Rules
    budget: Budget
    choices: Choices
    autopilot: Autopilot
    dataset_id: str | None
    """The training dataset whose versions are candidates; null until one is attached."""
    validation_version_id: str | None
    """The dataset version used as validation file by every run; null when there is none."""
    created_at: datetime
    thresholds: CurveThresholds = DEFAULT
    """What the loop's training curves are read with."""


def check_loop(metric: Metric, rules: Rules, choices: Choices, thresholds: CurveThresholds) -> None:
    """Refuse a loop whose numbers contradict each other."""
    faults = [
        FieldError(pointer=f"/choices/{name}", message="min is above max")
        for name in ("learning_rate_multiplier", "n_epochs", "batch_size")
        if (allowed := getattr(choices, name)) is not None and allowed.min > allowed.max
    ]
    faults += [
        FieldError(pointer=f"/thresholds/{higher}", message=f"is below {lower}")
        for higher, lower in thresholds.disordered()
    ]
    if metric.scale_min >= metric.scale_max:
        faults.append(FieldError(pointer="/metric/scale_min", message="must be below scale_max"))
    elif rules.target is not None and not metric.scale_min <= rules.target <= metric.scale_max:
        faults.append(FieldError(pointer="/rules/target", message="lies outside the metric's scale"))
    if faults:
        raise DomainError("invalid_loop", "; ".join(f"{f.pointer} {f.message}" for f in faults), errors=tuple(faults))
