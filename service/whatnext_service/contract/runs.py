"""Runs, metrics and checkpoints on the wire."""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from whatnext_service.contract.common import Body, Name, Reference, Resource, Text, UtcTime
from whatnext_service.core.advice import Overrides
from whatnext_service.core.curves import CurveReading
from whatnext_service.core.loops import Method
from whatnext_service.core.runs import EffectiveConfig, RunConfig, RunFault, RunStatus, Variable

Provider = Literal["openai", "sandbox", "external"]
MetricValue = float | Literal["NaN", "Infinity", "-Infinity"]
"""A number; JSON has no others, and a training that breaks logs them."""
ReportedStatus = Literal["queued", "running", "paused", "succeeded", "failed", "cancelled"]
Count = Annotated[int, Meta(ge=1, le=10**12)]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class EffectivePatch(Body, kw_only=True, frozen=True):
    """What an external run really trained with, as far as it is known.

    What is absent stays as it was; in a new run it is null, which is "not known".
    """

    base_model_snapshot: Annotated[str, Meta(min_length=1, max_length=256)] | None | UnsetType = UNSET
    dataset_sha256: Digest | None | UnsetType = UNSET
    validation_sha256: Digest | None | UnsetType = UNSET
    n_examples: Count | None | UnsetType = UNSET
    n_epochs: Annotated[int, Meta(ge=1, le=100_000)] | None | UnsetType = UNSET
    learning_rate_multiplier: Annotated[float, Meta(gt=0, le=1e6)] | None | UnsetType = UNSET
    batch_size: Count | None | UnsetType = UNSET
    n_steps: Count | None | UnsetType = UNSET
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None | UnsetType = UNSET


class NewRun(Body, kw_only=True, frozen=True):
    """A run to start at a provider, or to register when it trains elsewhere (`external`).

    Give either `config` (a first run) or `parent_run_id` with `overrides`: exactly one variable, or `seed` alone
    for a repeat.
    """

    loop_id: Reference
    provider: Provider | None = None
    """Null: the parent's, or the service's default."""
    parent_run_id: Reference | None = None
    overrides: Overrides | None = None
    config: RunConfig | None = None
    allow_confounded: bool = False
    """Accept more than one change; the run is then marked as confounded wherever it is shown."""
    recommendation_id: Reference | None = None
    """The advice that this run carries out; it is carried out once, whoever asks."""
    note: Text | None = None
    status: ReportedStatus | None = None
    """External runs only: where it stands; null means `running`."""
    effective: EffectivePatch | None = None
    """External runs only: the values as they were resolved."""


class RunPatch(Body, kw_only=True, frozen=True):
    """Changes to a run. Only an external run's status, failure, cost and effective values may be reported."""

    note: Text | None | UnsetType = UNSET
    status: ReportedStatus | UnsetType = UNSET
    failure: Text | None | UnsetType = UNSET
    cost: Annotated[str, Meta(pattern=r"^\d{1,12}(\.\d{1,6})?$")] | None | UnsetType = UNSET
    effective: EffectivePatch | None | UnsetType = UNSET


class Run(Resource, kw_only=True, frozen=True):
    """One training experiment of a loop."""

    id: str
    loop_id: str
    number: int
    name: str
    """`R1`, `R2`, ... within the loop."""
    parent_run_id: str | None
    provider: str
    status: RunStatus | str
    provider_status: str | None
    """The status in the provider's own words."""
    provider_job_id: str | None
    provider_fault: RunFault | None
    """What keeps the service from seeing the run at its provider at the moment; it is looked at again and again."""
    model: str | None
    """The name under which the provider serves the final model."""
    config: RunConfig
    effective: EffectiveConfig | None
    changed: tuple[Variable | str, ...]
    """What it changes against its parent; empty for a first run or a repeat."""
    confounded_by: tuple[str, ...]
    """The variables changed when more than one was: nothing may be attributed to such a run."""
    recommendation_id: str | None
    note: str | None
    reading: CurveReading | None
    """The reading of the training curve; null until there are metrics."""
    last_step: int | None
    trained_tokens: int | None
    cost: Decimal | None
    failure: str | None
    version: int
    created_at: UtcTime
    started_at: UtcTime | None
    finished_at: UtcTime | None
    updated_at: UtcTime


class NewPoint(Body, kw_only=True, frozen=True):
    """Named values at a step. What is no number is sent as `"NaN"`, `"Infinity"` or `"-Infinity"`."""

    step: Annotated[int, Meta(ge=0, le=10**12)]
    values: Annotated[
        dict[Annotated[str, Meta(min_length=1, max_length=128)], MetricValue], Meta(min_length=1, max_length=64)
    ]


class NewMetrics(Body, kw_only=True, frozen=True):
    """Points to append. A value already known under the same name and step is replaced.

    Other tools' names, such as `loss` or `eval/loss`, are read as in a result file: `train_loss`, `full_valid_loss`.
    """

    points: Annotated[tuple[NewPoint, ...], Meta(min_length=1, max_length=10_000)]


class MetricsReceipt(Resource, kw_only=True, frozen=True):
    """What became of a batch of points or a result file."""

    run_id: str
    n_values: int
    """Values received."""
    n_new: int
    """Values not known before."""
    last_step: int
    format: str
    """The dialect that was read: `points`, or the kind of result file."""
    notes: tuple[str, ...]
    """What was renamed, repaired or left out."""
    reading: CurveReading | None


class CurveSeries(Resource, kw_only=True, frozen=True):
    """One metric's values at its steps."""

    name: str
    steps: tuple[int, ...]
    values: tuple[float | None, ...]
    """Null where the value was NaN or infinite."""


class Curves(Resource, kw_only=True, frozen=True):
    """A run's curves, downsampled when `max_points` asks for it."""

    run_id: str
    series: tuple[CurveSeries, ...]
    n_points: int
    """Values stored, before downsampling."""
    best_step: int | None


class NewCheckpoint(Body, kw_only=True, frozen=True):
    """A checkpoint of an external run."""

    step: Annotated[int, Meta(ge=0, le=10**12)]
    epoch: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    model: Annotated[str, Meta(max_length=256)] | None = None
    deployable: bool = True
    final: bool = False
    train_loss: float | None = None
    valid_loss: float | None = None
    full_valid_loss: float | None = None
    full_valid_mean_token_accuracy: Annotated[float, Meta(ge=0, le=1)] | None = None


class Checkpoint(Resource, kw_only=True, frozen=True):
    """A deployable state of a run at a step."""

    id: str
    run_id: str
    step: int
    epoch: int | None
    model: str | None
    deployable: bool
    final: bool
    train_loss: float | None
    valid_loss: float | None
    full_valid_loss: float | None
    full_valid_mean_token_accuracy: float | None
    """Over the whole validation set, 0 to 1."""
    created_at: UtcTime


class NewMultiModel(Body, kw_only=True, frozen=True):
    """The same training through two or three base models."""

    dataset_version_id: Reference
    base_models: Annotated[tuple[Name, ...], Meta(min_length=2, max_length=3)] | None = None
    """Null: chosen from the catalogue by the method's rule."""
    provider: Provider | None = None
    method: Method = "sft"
    n_epochs: Annotated[int, Meta(ge=1, le=1000)] | None = None
    learning_rate_multiplier: Annotated[float, Meta(gt=0, le=1000)] | None = None
    batch_size: Annotated[int, Meta(ge=1, le=100_000)] | None = None


class MultiModelRuns(Resource, kw_only=True, frozen=True):
    """The runs that were started."""

    statement: str
    runs: tuple[Run, ...]
