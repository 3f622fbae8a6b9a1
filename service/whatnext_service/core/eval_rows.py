"""One row of a held-out dataset as an eval item: what the model is asked, and what its answer is graded against."""

from collections.abc import Iterable

import msgspec

from whatnext_service.core.json_values import JsonObject, JsonValue, canonical_json, parse_json
from whatnext_service.errors import DomainError

_NO_FIELDS = frozenset(
    {"messages", "preferred_output", "non_preferred_output", "tools", "parallel_tool_calls", "tags", "tag", "source_id"}
)
MAX_TAGS = 32
MAX_TAG_LENGTH = 100


class EvalItem(msgspec.Struct, kw_only=True, frozen=True):
    """One item of a suite."""

    messages: tuple[JsonObject, ...]
    """The conversation to be continued, as a chat completion takes it; it never holds the reference answer."""
    tools: JsonValue
    """The tools on offer, as the row gives them; null when there are none."""
    reference: str | None
    """The answer to compare with; null where the row has none."""
    fields: JsonObject
    """What `{{item.*}}` reads: the row's fields beside messages, tools and tags, and `prompt` (the conversation as
    text), `question` (the last user turn) and `reference_answer` where the row has no field of that name."""
    tags: tuple[str, ...]
    source: str | None
    """Name of the source that items share (`source_id` in the row); null when it stands alone."""


class MissingField(msgspec.Struct, kw_only=True, frozen=True):
    """An item field that a grader reads and some items lack."""

    name: str
    n_items: int
    first_item: int
    """Place of the first item that lacks it, from 0."""


def read_eval_row(raw: bytes | str) -> EvalItem:
    """Turn one JSON row into an item; raises `DomainError("invalid_eval_row")`.

    SFT `messages` (the last assistant turn is the reference, all before it is asked), DPO (the preferred output is the
    reference), RFT (`messages` end with the user; the other fields are the grader's), `{input, ideal}`, and the legacy
    `{prompt, completion}`.
    """
    try:
        row = parse_json(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(f"the row is not JSON: {error}") from error
    if not isinstance(row, dict):
        raise _refusal("the row is not a JSON object")
    asked = row.get("input")
    if "preferred_output" in row and isinstance(asked, dict):
        prompt, tools = _messages(asked.get("messages")), asked.get("tools")
        answers = _messages(row["preferred_output"])
        reference = _said(answers[-1]) if answers else None
    elif "messages" in row:
        prompt, tools = _messages(row["messages"]), row.get("tools")
        prompt, reference = _split(prompt)
        if reference is None:
            reference = _first_text(row.get("reference_answer"), row.get("answer"), row.get("ideal"))
    elif "input" in row and "ideal" in row:
        prompt = _messages(asked) if isinstance(asked, list) else (_user(asked, "input"),)
        tools, reference = row.get("tools"), _first_text(row["ideal"])
    elif "prompt" in row and "completion" in row:
        prompt, tools, reference = (_user(row["prompt"], "prompt"),), None, _first_text(row["completion"])
        reference = None if reference is None else reference.strip()
    else:
        raise _refusal("the row has neither messages, nor input and ideal, nor prompt and completion")
    if not prompt:
        raise _refusal("nothing is asked: no message stands before the answer")
    return EvalItem(
        messages=prompt,
        tools=tools,
        reference=reference,
        fields=_fields(row, prompt, reference),
        tags=_tags(row),
        source=_source(row.get("source_id")),
    )


def cluster_numbers(items: Iterable[EvalItem]) -> tuple[int, ...] | None:
    """For each item the number of its source, as `Suite.clusters`; null when no two items share one."""
    numbers: dict[str, int] = {}
    clusters: list[int] = []
    n_alone = 0
    for item in items:
        key = f"alone {n_alone}" if item.source is None else f"source {item.source}"
        n_alone += item.source is None
        clusters.append(numbers.setdefault(key, len(numbers)))
    return tuple(clusters) if len(numbers) < len(clusters) else None


def missing_fields(items: Iterable[EvalItem], names: frozenset[str]) -> tuple[MissingField, ...]:
    """The fields of `names` that some items lack, so that a suite can be refused before a model is paid for it."""
    lacking: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        for name in names:
            if item.fields.get(name) is None:
                lacking.setdefault(name, []).append(place)
    return tuple(
        MissingField(name=name, n_items=len(lacking[name]), first_item=lacking[name][0]) for name in sorted(lacking)
    )


def message_text(message: JsonObject) -> str:
    """What a message says: its text, the texts of its parts with other parts named, or its tool calls as JSON."""
    content = message.get("content")
    if isinstance(content, str):
        text = content
    elif isinstance(content, list):
        text = "\n".join(_part_text(part) for part in content)
    else:
        text = ""
    calls = message.get("tool_calls")
    return "\n".join(part for part in (text, _calls_text(calls) if calls else "") if part)


def _split(messages: tuple[JsonObject, ...]) -> tuple[tuple[JsonObject, ...], str | None]:
    """Cut the conversation before its last assistant message, if nobody speaks after it."""
    if messages and messages[-1].get("role") == "assistant":
        return messages[:-1], _said(messages[-1])
    return messages, None


def _messages(value: JsonValue) -> tuple[JsonObject, ...]:
    if not isinstance(value, list):
        raise _refusal("messages is not a list")
    messages = []
    for message in value:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise _refusal("a message is not an object with a role")
        messages.append({key: part for key, part in message.items() if key != "weight"})
    return tuple(messages)


def _user(value: JsonValue, name: str) -> JsonObject:
    if not isinstance(value, str) or not value.strip():
        raise _refusal(f"{name} is not a text")
    return {"role": "user", "content": value}


def _said(message: JsonObject) -> str | None:
    return message_text(message).strip() or None


def _fields(row: JsonObject, prompt: tuple[JsonObject, ...], reference: str | None) -> JsonObject:
    fields = {key: value for key, value in row.items() if key not in _NO_FIELDS}
    if "preferred_output" in row:
        fields.pop("input", None)
    questions = [message_text(message) for message in prompt if message.get("role") == "user"]
    fields.setdefault("prompt", "\n\n".join(f"{message['role']}: {message_text(message)}" for message in prompt))
    fields.setdefault("question", questions[-1] if questions else "")
    if reference is not None:
        fields.setdefault("reference_answer", reference)
    return fields


def _first_text(*values: JsonValue) -> str | None:
    """The first value that can stand as an answer; of a list of acceptable answers the first."""
    for value in values:
        if isinstance(value, list):
            value = value[0] if value else None
        if value is not None and value != "":
            return value if isinstance(value, str) else canonical_json(value).decode()
    return None


def _tags(row: JsonObject) -> tuple[str, ...]:
    given = row.get("tags")
    named = [*(given if isinstance(given, list) else [given]), row.get("tag")]
    tags = [tag.strip()[:MAX_TAG_LENGTH] for tag in named if isinstance(tag, str) and tag.strip()]
    return tuple(dict.fromkeys(tags))[:MAX_TAGS]


def _source(value: JsonValue) -> str | None:
    return None if value is None else value if isinstance(value, str) else canonical_json(value).decode()


def _part_text(part: JsonValue) -> str:
    if isinstance(part, dict):
        text = part.get("text")
        return text if isinstance(text, str) else f"[{part.get('type', 'part')}]"
    return part if isinstance(part, str) else ""


def _calls_text(calls: JsonValue) -> str:
    """Name and arguments of each call; ids differ from run to run and say nothing."""
    if not isinstance(calls, list):
        return ""
    functions = [call.get("function") for call in calls if isinstance(call, dict)]
    return canonical_json(functions).decode() if functions else ""


def _refusal(detail: str) -> DomainError:
    return DomainError("invalid_eval_row", detail)
