"""Loops on the wire."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from whatnext_service.contract.common import Body, Resource, UtcTime
from whatnext_service.contract.thresholds import ThresholdsPatch
from whatnext_service.core.loops import Autopilot, Budget, Choices, Method, Metric, Range, Rules
from whatnext_service.core.thresholds import CurveThresholds

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Task = Annotated[str, Meta(min_length=1, max_length=4000)]
Money = Annotated[str, Meta(pattern=r"^\d{1,12}(\.\d{1,6})?$")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
DatasetId = Annotated[str, Meta(min_length=1, max_length=64)]


class NewBudget(Body, kw_only=True, frozen=True):
    """What a loop may spend; null means unlimited."""

    max_runs: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    max_cost: Money | None = None
    currency: Currency = "USD"
    deadline: UtcTime | None = None


class NewLoop(Body, kw_only=True, frozen=True):
    """A loop to be created."""

    slug: Slug
    """A short name, unique in the workspace; usable wherever the loop's id is."""
    task: Task
    """What the model is being tuned for, in a sentence."""
    metric: Metric = Metric()
    rules: Rules = Rules()
    budget: NewBudget = NewBudget()
    choices: Choices = Choices()
    autopilot: Autopilot = "propose"
    dataset_id: DatasetId | None = None
    """The training dataset; may be attached later."""
    validation_version_id: DatasetId | None = None
    """The dataset version used as validation file by every run."""
    thresholds: CurveThresholds = CurveThresholds()
    """What its training curves are read with; what is left out is at its default."""


class RulesPatch(Body, kw_only=True, frozen=True):
    """Rules to change; what is absent stays."""

    target: float | None | UnsetType = UNSET
    min_margin_pct: Annotated[float, Meta(ge=0, le=1000)] | UnsetType = UNSET
    min_gain: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    patience: Annotated[int, Meta(ge=1, le=100)] | UnsetType = UNSET


class BudgetPatch(Body, kw_only=True, frozen=True):
    """Limits to change; what is absent stays, null lifts a limit."""

    max_runs: Annotated[int, Meta(ge=1, le=1_000_000)] | None | UnsetType = UNSET
    max_cost: Money | None | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    deadline: UtcTime | None | UnsetType = UNSET


class ChoicesPatch(Body, kw_only=True, frozen=True):
    """Choices to change; what is absent stays, null lifts a restriction."""

    base_models: Annotated[tuple[str, ...], Meta(max_length=32)] | None | UnsetType = UNSET
    methods: Annotated[tuple[Method, ...], Meta(max_length=3)] | None | UnsetType = UNSET
    learning_rate_multiplier: Range | None | UnsetType = UNSET
    n_epochs: Range | None | UnsetType = UNSET
    batch_size: Range | None | UnsetType = UNSET


class LoopPatch(Body, kw_only=True, frozen=True):
    """Changes to a loop. What is absent stays as it is; nested objects are merged."""

    task: Task | UnsetType = UNSET
    rules: RulesPatch | UnsetType = UNSET
    budget: BudgetPatch | UnsetType = UNSET
    choices: ChoicesPatch | UnsetType = UNSET
    autopilot: Autopilot | UnsetType = UNSET
    dataset_id: DatasetId | None | UnsetType = UNSET
    validation_version_id: DatasetId | None | UnsetType = UNSET
    thresholds: ThresholdsPatch | None | UnsetType = UNSET
    """Null resets all of them. Every curve of the loop is read anew when they change."""


class NewBaseline(Body, kw_only=True, frozen=True):
    """Which evaluation of the untuned model everything is compared with."""

    evaluation_id: Annotated[str, Meta(max_length=64)]


class Loop(Resource, kw_only=True, frozen=True):
    """One fine-tuning goal that is being iterated on."""

    id: str
    slug: str
    task: str
    metric: Metric
    rules: Rules
    budget: Budget
    choices: Choices
    autopilot: Autopilot
    dataset_id: str | None
    validation_version_id: str | None
    baseline_evaluation_id: str | None
    n_runs: int
    thresholds: CurveThresholds
    """What its training curves are read with."""
    state_version: int
    """Counts whatever may alter the advice."""
    version: int
    created_at: UtcTime
    updated_at: UtcTime
