"""The parts of the platform's answers that the service reads, as they come over the wire.

Lenient on purpose: platforms add fields, leave fields out and grow their enumerations; only what nothing can be done
without is required.
"""

import json
import re
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from whatnext_service.errors import ProviderError

T = TypeVar("T")
MAX_TOKENS = 10_000_000
"""More than any model takes or gives at once."""
MAX_STEP = 10**12
"""More than any training takes."""
_STREAMED = (b"data:", b"event:", b":")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
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
    metadata: object = None
    suffix: str | None = None
    user_provided_suffix: str | None = None


class WireCheckpointMetrics(msgspec.Struct, kw_only=True, frozen=True):
    train_loss: object = None
    valid_loss: object = None
    full_valid_loss: object = None
    full_valid_mean_token_accuracy: object = None


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
    refusal: object = None
    tool_calls: object = None
    function_call: object = None


class WireChoice(msgspec.Struct, kw_only=True, frozen=True):
    message: WireMessage
    finish_reason: object = None


class WireCompletion(msgspec.Struct, kw_only=True, frozen=True):
    choices: list[WireChoice] | None = None
    usage: object = None
    error: object = None


class WireVector(msgspec.Struct, kw_only=True, frozen=True):
    embedding: list[float]
    index: int | None = None


class WireEmbeddings(msgspec.Struct, kw_only=True, frozen=True):
    data: list[WireVector]
    usage: object = None


def decoded(body: bytes, shape: type[T], *, keep: bool = False) -> T:
    """Read an answer's body. NaN and infinities are taken as numbers; what does not fit is `malformed`.

    Of what is to be kept, every text is made storable.
    """
    if body.lstrip().startswith(_STREAMED):
        detail = "the server streams its answers, though whole ones were asked for"
        raise ProviderError("malformed", detail, retryable=False)
    try:
        value: object = json.loads(body)
        return msgspec.convert(storable_value(value) if keep else value, shape)
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


def whole(value: object, least: int, most: int) -> int | None:
    """A whole number in these bounds, also when it was sent as `100.0`; null for everything else."""
    found = value if type(value) is int else number(value)
    return int(found) if found is not None and least <= found <= most and found == int(found) else None


def tokens(usage: object, name: str) -> int | None:
    """A count of tokens; null for what cannot be one, such as a negative number."""
    return whole(mapping(usage).get(name), 0, MAX_TOKENS)


def storable(text: str) -> str:
    """A text without what no database holds: NUL and halves of surrogate pairs."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def storable_value(value: object) -> object:
    """A value from JSON with all of its texts storable."""
    match value:
        case str():
            return storable(value)
        case list():
            return [storable_value(each) for each in value]
        case dict():
            return {storable(str(name)): storable_value(each) for name, each in value.items()}
        case _:
            return value


def mapping(value: object) -> dict[str, object]:
    """An object's members; empty for everything else."""
    return value if isinstance(value, dict) else {}
