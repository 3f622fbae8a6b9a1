"""The parts of the platform's answers that the service reads, as they come over the wire.

Lenient on purpose: platforms add fields, leave fields out and grow their enumerations; only what nothing can be done
without is required.
"""

import json
import math
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from whatnext_service.errors import ProviderError

T = TypeVar("T")
Id = Annotated[str, Meta(min_length=1, max_length=512)]


class WirePage(msgspec.Struct, Generic[T], kw_only=True, frozen=True):
    """One page of a list."""

    data: list[T]
    has_more: bool | None = None


class WireFile(msgspec.Struct, kw_only=True, frozen=True):
    id: Id
    filename: str | None = None
    purpose: str | None = None
    status: str | None = None
    status_details: object = None


class WireUpload(msgspec.Struct, kw_only=True, frozen=True):
    id: Id
    file: WireFile | None = None


class WirePart(msgspec.Struct, kw_only=True, frozen=True):
    id: Id


class WireMethod(msgspec.Struct, kw_only=True, frozen=True):
    type: str | None = None
    supervised: object = None
    dpo: object = None
    reinforcement: object = None


class WireJob(msgspec.Struct, kw_only=True, frozen=True):
    id: Id
    status: str
    model: str | None = None
    fine_tuned_model: str | None = None
    hyperparameters: object = None
    method: WireMethod | None = None
    seed: object = None
    trained_tokens: object = None
    result_files: list[object] | None = None
    error: object = None
    estimated_finish: object = None
    metadata: object = None
    suffix: str | None = None
    user_provided_suffix: str | None = None


class WireCheckpointMetrics(msgspec.Struct, kw_only=True, frozen=True):
    train_loss: object = None
    valid_loss: object = None
    full_valid_loss: object = None


class WireCheckpoint(msgspec.Struct, kw_only=True, frozen=True):
    id: Id
    step_number: float
    fine_tuned_model_checkpoint: str | None = None
    metrics: WireCheckpointMetrics | None = None


class WireEvent(msgspec.Struct, kw_only=True, frozen=True):
    id: str | None = None
    message: str | None = None
    data: object = None


class WireMessage(msgspec.Struct, kw_only=True, frozen=True):
    content: object = None
    refusal: str | None = None
    tool_calls: list[object] | None = None


class WireChoice(msgspec.Struct, kw_only=True, frozen=True):
    message: WireMessage
    finish_reason: str | None = None


class WireUsage(msgspec.Struct, kw_only=True, frozen=True):
    prompt_tokens: object = None
    completion_tokens: object = None


class WireCompletion(msgspec.Struct, kw_only=True, frozen=True):
    choices: list[WireChoice] | None = None
    usage: WireUsage | None = None
    error: object = None


class WireVector(msgspec.Struct, kw_only=True, frozen=True):
    embedding: list[float]
    index: int | None = None


class WireEmbeddings(msgspec.Struct, kw_only=True, frozen=True):
    data: list[WireVector]
    usage: WireUsage | None = None


def decoded(body: bytes, shape: type[T]) -> T:
    """Read an answer's body. NaN and infinities are taken as numbers; what does not fit is `malformed`."""
    try:
        return msgspec.convert(json.loads(body), shape)
    except (ValueError, RecursionError) as fault:
        detail = f"the answer is not what the API promises: {fault}"
        raise ProviderError("malformed", detail[:300], retryable=True) from None


def number(value: object) -> float | None:
    """A number sent as a number or as text (`"NaN"`); null for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def whole(value: object) -> int | None:
    """A whole number, also when it was sent as `100.0`."""
    found = number(value)
    return int(found) if found is not None and math.isfinite(found) and found == int(found) else None


def mapping(value: object) -> dict[str, object]:
    """An object's members; empty for everything else."""
    return value if isinstance(value, dict) else {}
