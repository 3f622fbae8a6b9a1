"""The objects of the OpenAI dialect, as the sandbox answers and stores them."""

from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from whatnext_service.sandbox.messages import RawMessage

Auto = Literal["auto"]


class File(msgspec.Struct, kw_only=True, frozen=True):
    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: Literal["uploaded", "processed", "error"]
    status_details: str | None = None
    expires_at: int | None = None


class Hyperparameters(msgspec.Struct, kw_only=True, frozen=True):
    n_epochs: Annotated[int, Meta(ge=1, le=1000)] | Auto = "auto"
    batch_size: Annotated[int, Meta(ge=1, le=4096)] | Auto = "auto"
    learning_rate_multiplier: Annotated[float, Meta(gt=0)] | Auto = "auto"


class Supervised(msgspec.Struct, kw_only=True, frozen=True):
    hyperparameters: Hyperparameters = Hyperparameters()


class Method(msgspec.Struct, kw_only=True, frozen=True):
    type: str = "supervised"
    supervised: Supervised = Supervised()


class JobRequest(msgspec.Struct, kw_only=True, frozen=True):
    """What creates a job; fields not listed here are tolerated and ignored."""

    model: str
    training_file: str
    validation_file: str | None = None
    method: Method | None = None
    hyperparameters: Hyperparameters | None = None
    """Deprecated by OpenAI; `method` wins."""
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    suffix: Annotated[str, Meta(max_length=64)] | None = None
    metadata: dict[str, str] | None = None


class JobError(msgspec.Struct, kw_only=True, frozen=True):
    code: str
    message: str
    param: str | None = None


JobStatus = Literal["validating_files", "queued", "running", "paused", "succeeded", "failed", "cancelled"]


class Job(msgspec.Struct, kw_only=True, frozen=True):
    id: str
    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    created_at: int
    finished_at: int | None = None
    model: str
    fine_tuned_model: str | None = None
    organization_id: str = "org-sandbox"
    status: JobStatus
    training_file: str
    validation_file: str | None
    result_files: tuple[str, ...] = ()
    hyperparameters: Hyperparameters
    method: Method
    trained_tokens: int | None = None
    error: JobError | None = None
    seed: int
    user_provided_suffix: str | None
    metadata: dict[str, str] | None
    estimated_finish: int | None = None
    integrations: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        return self.status in ("succeeded", "failed", "cancelled")


class Metrics(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A step's measurements. What was not measured, or is not finite, is left out."""

    step: int
    total_steps: int
    train_loss: float | None = None
    train_mean_token_accuracy: float | None = None
    valid_loss: float | None = None
    valid_mean_token_accuracy: float | None = None
    full_valid_loss: float | None = None
    full_valid_mean_token_accuracy: float | None = None


class Event(msgspec.Struct, kw_only=True, frozen=True):
    id: str
    object: Literal["fine_tuning.job.event"] = "fine_tuning.job.event"
    created_at: int
    level: Literal["info", "warn", "error"]
    message: str
    type: Literal["message", "metrics"]
    data: Metrics | None


class Checkpoint(msgspec.Struct, kw_only=True, frozen=True):
    id: str
    object: Literal["fine_tuning.job.checkpoint"] = "fine_tuning.job.checkpoint"
    created_at: int
    fine_tuning_job_id: str
    fine_tuned_model_checkpoint: str
    step_number: int
    metrics: Metrics


class Model(msgspec.Struct, kw_only=True, frozen=True):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class Deleted(msgspec.Struct, kw_only=True, frozen=True):
    id: str
    object: str
    deleted: bool = True


T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], kw_only=True, frozen=True):
    object: Literal["list"] = "list"
    data: list[T]
    has_more: bool = False
    first_id: str | None = None
    last_id: str | None = None


class ChatRequest(msgspec.Struct, kw_only=True, frozen=True):
    """A chat completion is always greedy: sampling parameters and other fields are tolerated and ignored."""

    model: str
    messages: Annotated[list[RawMessage], Meta(min_length=1)]
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    n: int | None = None
    stream: bool | None = None


class Answer(msgspec.Struct, kw_only=True, frozen=True):
    role: Literal["assistant"] = "assistant"
    content: str
    refusal: str | None = None


class Choice(msgspec.Struct, kw_only=True, frozen=True):
    index: int = 0
    message: Answer
    finish_reason: Literal["stop", "length"]
    logprobs: None = None


class Usage(msgspec.Struct, kw_only=True, frozen=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class EmbeddingRequest(msgspec.Struct, kw_only=True, frozen=True):
    """Texts to be embedded; tokens in place of texts are not offered."""

    model: str
    input: str | Annotated[list[str], Meta(min_length=1)]
    encoding_format: Literal["float", "base64"] = "float"


class Vector(msgspec.Struct, kw_only=True, frozen=True):
    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str
    """Numbers, or little-endian float32 in base64."""


class EmbeddingUsage(msgspec.Struct, kw_only=True, frozen=True):
    prompt_tokens: int
    total_tokens: int


class Embeddings(msgspec.Struct, kw_only=True, frozen=True):
    object: Literal["list"] = "list"
    data: list[Vector]
    model: str
    usage: EmbeddingUsage


class ChatCompletion(msgspec.Struct, kw_only=True, frozen=True):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: tuple[Choice, ...]
    usage: Usage
    system_fingerprint: str = "fp_sandbox"
