"""A run: one training experiment of a loop, and its checkpoints."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from whatnext_service.core.curves import CurveReading
from whatnext_service.core.loops import Method
from whatnext_service.errors import DomainError

Variable = Literal[
    "base_model",
    "dataset_version_id",
    "method",
    "n_epochs",
    "learning_rate_multiplier",
    "batch_size",
    "beta",
    "l2_multiplier",
    "compute_multiplier",
    "reasoning_effort",
    "eval_interval",
    "eval_samples",
    "grader",
]
"""What a run may change against its parent: exactly one of these. `seed` is not among them: a run that differs
from its parent in the seed alone is a repeat."""

RunStatus = Literal["pending", "submitting", "queued", "running", "paused", "succeeded", "failed", "cancelled"]
"""`pending`: recorded, not yet sent. `submitting`: the intent to send is recorded, the outcome not yet known."""

ReasoningEffort = Literal["low", "medium", "high"]


class RunConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What was asked for. Null leaves a value to the provider ("auto")."""

    base_model: Annotated[str, Meta(min_length=1, max_length=256)]
    dataset_version_id: Annotated[str, Meta(max_length=64)]
    method: Method = "sft"
    n_epochs: Annotated[int, Meta(ge=1, le=1000)] | None = None
    learning_rate_multiplier: Annotated[float, Meta(gt=0, le=1000)] | None = None
    batch_size: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    beta: Annotated[float, Meta(gt=0, le=100)] | None = None
    """DPO: weight of the penalty that keeps the model near its reference."""
    l2_multiplier: Annotated[float, Meta(ge=0, le=100)] | None = None
    """DPO: weight of the L2 penalty."""
    compute_multiplier: Annotated[float, Meta(gt=0, le=100)] | None = None
    """RFT: how much exploration a step buys."""
    reasoning_effort: ReasoningEffort | None = None
    """RFT: reasoning effort while sampling."""
    eval_interval: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    """RFT: steps between evaluations."""
    eval_samples: Annotated[int, Meta(ge=1, le=1000)] | None = None
    """RFT: samples per item of an evaluation."""
    grader: Annotated[str, Meta(max_length=65_536)] | None = None
    """RFT: the training grader, as canonical JSON text of an OpenAI grader."""


class EffectiveConfig(msgspec.Struct, kw_only=True, frozen=True):
    """What really trained, as far as it is known: the values the provider resolved, and the facts that follow.

    Two runs are comparable for attribution only by these, never by what was requested (evidence, section 3).
    """

    base_model_snapshot: str | None
    dataset_sha256: str | None
    validation_sha256: str | None
    n_examples: int | None
    n_epochs: int | None
    learning_rate_multiplier: float | None
    batch_size: int | None
    n_steps: int | None
    """Steps = ceil(examples / batch) x epochs."""
    seed: int | None


class Checkpoint(msgspec.Struct, kw_only=True, frozen=True):
    """A state of a run at a step, and whether it can still be deployed."""

    id: str
    step: int
    epoch: int | None
    model: str | None
    """The name under which the provider serves it."""
    deployable: bool
    final: bool
    """Whether this is the state at the end of training."""
    train_loss: float | None
    valid_loss: float | None
    full_valid_loss: float | None
    full_valid_mean_token_accuracy: float | None = None
    """Mean token accuracy over the whole validation set, 0 to 1."""


class RunFault(msgspec.Struct, kw_only=True, frozen=True):
    """What keeps the service from seeing a run at its provider, or from sending it there."""

    fault: str
    """`unauthorized`, `not_found`, `unreachable`, `timeout`, `rate_limited`, `unavailable`, `refused`, `malformed`."""
    detail: str
    """In the provider's words."""
    since: Annotated[datetime, Meta(tz=True)]


class Run(msgspec.Struct, kw_only=True, frozen=True):
    """A run as the core sees it: configuration, what became of it, and the reading of its curve."""

    id: str
    number: int
    """1 for R1; numbered within the loop, in order of creation."""
    parent_id: str | None
    provider: str
    status: RunStatus
    config: RunConfig
    effective: EffectiveConfig | None
    confounded_by: tuple[str, ...]
    """Variables changed against the parent when more than one was allowed to; empty for a clean experiment."""
    recommendation_id: str | None
    reading: CurveReading | None
    """The reading of the training curve; null until there are metrics."""
    checkpoints: tuple[Checkpoint, ...]
    failure: str | None
    """Why it failed, in the provider's words; null otherwise."""
    cost: Decimal | None
    created_at: datetime
    finished_at: datetime | None
    provider_fault: RunFault | None = None
    """What stands between the run and its provider at the moment."""

    @property
    def name(self) -> str:
        """`R1`, `R2`, ..."""
        return f"R{self.number}"


FINAL_STATUSES: tuple[RunStatus, ...] = ("succeeded", "failed", "cancelled")


def check_move(before: str, after: str) -> None:
    """Refuse to move a run that has ended: an ended run is evidence, and stays as it is."""
    if before in FINAL_STATUSES and after != before:
        raise DomainError("run_ended", f"The run has ended ({before}); it cannot become {after}.")


def status_of(provider_status: str, known: str) -> RunStatus:
    """The run's status from the provider's word; an unknown word keeps a run that is under way under way.

    The words are OpenAI's and Azure's; new ones appear (hazards 13), such as `paused`, and are no error.
    """
    match provider_status.lower():
        case "succeeded":
            return "succeeded"
        case "failed" | "error":
            return "failed"
        case "cancelled" | "canceled":
            return "cancelled"
        case "queued" | "validating_files" | "pending" | "created" | "notrunning":
            return "queued"
        case "paused" | "pausing":
            return "paused"
        case "running" | "resuming" | "cancelling":
            return "running"
    return "paused" if known == "paused" else "queued" if known in ("pending", "submitting", "queued") else "running"
