"""What the flows ask of a training platform or a served model, whichever it is.

Every method raises `ProviderError` and nothing else on a platform's or a network's fault.
"""

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from whatnext_service.core.runs import RunConfig


class Message(msgspec.Struct, kw_only=True, frozen=True):
    """One turn of a conversation in a prompt."""

    role: str
    content: str
    raw: bytes | None = None
    """The whole turn as JSON where it is more than a text (parts, tool calls, a tool's answer); it is sent instead."""


class JobSpec(msgspec.Struct, kw_only=True, frozen=True):
    """A fine-tuning job to be created."""

    marker: str
    """The run's id: written into metadata and suffix, so that a job whose creation went unanswered is found again."""
    config: RunConfig
    training_file: str
    validation_file: str | None


class Job(msgspec.Struct, kw_only=True, frozen=True):
    """A fine-tuning job as the platform reports it."""

    id: str
    status: str
    """As the platform words it; an unknown word is kept."""
    model: str | None
    """The fine-tuned model's name, once there is one."""
    base_model: str
    """The base model's snapshot as the platform resolved it."""
    n_epochs: int | None
    learning_rate_multiplier: float | None
    batch_size: int | None
    seed: int | None
    trained_tokens: int | None
    result_files: tuple[str, ...]
    error: str | None


class JobCheckpoint(msgspec.Struct, kw_only=True, frozen=True):
    """A checkpoint the platform still keeps."""

    id: str
    step: int
    model: str
    train_loss: float | None
    valid_loss: float | None
    full_valid_loss: float | None
    full_valid_mean_token_accuracy: float | None
    """0 to 1."""


class MetricPoint(msgspec.Struct, kw_only=True, frozen=True):
    """One named value at a step."""

    step: int
    name: str
    value: float


class Completion(msgspec.Struct, kw_only=True, frozen=True):
    """What a served model answered."""

    text: str
    finish_reason: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    latency_s: float
    tool_calls: bytes | None = None
    """The tool calls it made, as JSON; null when it made none."""


class CompletionRequest(msgspec.Struct, kw_only=True, frozen=True):
    """A prompt for a served model."""

    model: str
    messages: tuple[Message, ...]
    idempotency_key: str
    """Sent along, so that a server that honours it answers a repeated request without charging again."""
    temperature: float | None = None
    max_completion_tokens: int | None = None
    seed: int | None = None
    top_p: float | None = None
    reasoning_effort: str | None = None
    response_schema: bytes | None = None
    """A JSON schema the answer must follow (structured output), as JSON text; null for free text."""
    tools: bytes | None = None
    """The tools on offer, as JSON; with them a tool call without a text is an answer."""
    timeout_s: float = 60.0


class EmbeddingRequest(msgspec.Struct, kw_only=True, frozen=True):
    """Texts whose vectors are wanted."""

    model: str
    texts: tuple[str, ...]
    idempotency_key: str
    timeout_s: float = 60.0


class Embedding(msgspec.Struct, kw_only=True, frozen=True):
    """The vectors of the texts, in their order."""

    vectors: tuple[tuple[float, ...], ...]
    prompt_tokens: int | None


class TrainingPlatform(Protocol):
    """A fine-tuning API."""

    async def find_file(self, filename: str) -> str | None:
        """The id of an uploaded training file of this name, if the platform has one."""

    async def upload_file(self, filename: str, n_bytes: int, chunks: AsyncIterator[bytes]) -> str:
        """Upload a training file; returns its id. Streams: the file is never whole in memory."""
        ...

    async def file_ready(self, file_id: str) -> bool:
        """Whether the file may be used by a job; raises `refused` when the platform rejected it."""
        ...

    async def find_job(self, marker: str) -> Job | None:
        """The job that carries this marker, if one was ever created."""
        ...

    async def create_job(self, spec: JobSpec) -> Job:
        """Create a job. Paid: after an error with `sent` true, look with `find_job` before trying again."""
        ...

    async def job(self, job_id: str) -> Job:
        """The job as it stands."""
        ...

    async def cancel_job(self, job_id: str) -> Job:
        """Ask for cancellation; a job for which it is refused is returned as it is."""
        ...

    async def checkpoints(self, job_id: str) -> tuple[JobCheckpoint, ...]:
        """The checkpoints still kept, in order of step."""
        ...

    async def metrics(self, job_id: str) -> tuple[MetricPoint, ...]:
        """The metric points the job's events carry, for a live curve, in order of step."""
        ...

    async def result_file(self, file_id: str) -> bytes:
        """The result file's bytes as they came."""
        ...

    async def delete_model(self, model: str) -> None:
        """Delete a fine-tuned model; one that is gone already is no error."""


class ServedModels(Protocol):
    """A chat-completions endpoint."""

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer a prompt."""
        ...


class EmbeddingModels(Protocol):
    """An embeddings endpoint."""

    async def embed(self, request: EmbeddingRequest) -> Embedding:
        """Give the vectors of texts; raises `malformed` unless there is one of finite numbers for each."""
        ...


class WebhookAnswer(Protocol):
    """What an endpoint answered."""

    @property
    def status_code(self) -> int: ...


class Poster(Protocol):
    """Posts to a customer's URL, never into our own network."""

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> WebhookAnswer:
        """Post once; redirects are not followed."""
        ...
