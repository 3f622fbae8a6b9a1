"""One outside result an entry, in whatever format it came."""

import math
from typing import Literal

import msgspec

from whatnext_service.core.eval_rows import message_text
from whatnext_service.core.json_values import JsonObject, JsonValue, canonical_json
from whatnext_service.errors import DomainError, FieldError

LogFormat = Literal["inspect_ai", "promptfoo", "lm_eval", "csv"]
MAX_OUTPUT = 100_000


class LogEntry(msgspec.Struct, kw_only=True, frozen=True):
    """What an outside tool says of one item."""

    row: int
    """Its place in the file, from 1."""
    index: int | None
    """The item's number as the tool counts them; null when it does not."""
    texts: tuple[str, ...]
    """What was asked, in every form in which it might stand in the suite."""
    score: float | None
    output: str | None = None
    completion_tokens: int | None = None
    error: str | None = None
    """Why there is no score."""


class EvaluationLog(msgspec.Struct, kw_only=True, frozen=True):
    """A whole file."""

    format: LogFormat
    scorer: str | None
    """The tool's own name of what scored; null for a plain table."""
    low: float | None
    """Range of the scores; null when they are on the suite's scale."""
    high: float | None
    entries: tuple[LogEntry, ...]


def refused(message: str, errors: tuple[FieldError, ...] = ()) -> DomainError:
    """The file cannot be taken over."""
    return DomainError("invalid_evaluation_log", f"{message[:1].upper()}{message[1:]}.", errors=errors)


def chosen(names: tuple[str, ...], wanted: str | None, what: str) -> str:
    """The one that is there, or the one named; refused where it has to be named."""
    if wanted is not None and wanted in names:
        return wanted
    told = ", ".join(names[:20]) or "none"
    if wanted is not None:
        raise refused(f"the file has no {what} {wanted!r}; it has {told}")
    if len(names) == 1:
        return names[0]
    raise refused(f"name one {what} with `score`: {told}")


def number(value: JsonValue) -> float | None:
    """A score as a finite number; true and false are 1 and 0."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None


def whole(value: JsonValue) -> int | None:
    """A count that a database column holds."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def text_of(value: JsonValue) -> str | None:
    """A text, or another value as JSON; of moderate length."""
    if value is None:
        return None
    text = value if isinstance(value, str) else canonical_json(value).decode()
    return text[:MAX_OUTPUT].replace("\0", "\N{REPLACEMENT CHARACTER}")


def asked_texts(value: JsonValue) -> tuple[str, ...]:
    """What a prompt asks: the text, or of a conversation its last user turn and the whole."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        return ()
    turns = [turn for turn in value if isinstance(turn, dict)]
    users = [message_text(turn) for turn in turns if turn.get("role") == "user"]
    return (*users[-1:], conversation(turns))


def conversation(turns: list[JsonObject]) -> str:
    """A conversation as one text."""
    return "\n\n".join(f"{turn.get('role')}: {message_text(turn)}" for turn in turns)
