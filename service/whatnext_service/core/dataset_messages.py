"""Checking and folding the messages of one row."""

import hashlib
from collections.abc import Callable
from typing import Literal

import msgspec

from whatnext_service.core.dataset_rows import fold
from whatnext_service.core.datasets import ProblemCode, Trait
from whatnext_service.core.tokens import TOKENS_PER_MESSAGE, estimate_tokens

Role = Literal["system", "developer", "user", "assistant", "tool", "function"]
Report = Callable[[ProblemCode, str, str], None]
"""Takes a problem's code, message and remedy."""

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "function",
}
_ROLE_HINTS = {"human": "user", "bot": "assistant", "gpt": "assistant", "model": "assistant", "ai": "assistant"}
_TEXT_PARTS = {"text": "text", "refusal": "refusal", "input_text": "text", "output_text": "text"}
_MEDIA_PARTS = ("image_url", "input_audio", "file")


class Message(msgspec.Struct, frozen=True):
    """One message of a row, folded."""

    role: Role
    text: str
    """Its text, then its tool calls, one after the other. A picture, sound or file stands in it as a digest."""
    n_tokens: int
    calls: frozenset[str]
    """Ids of the tool calls it makes."""
    answers: str
    """Id of the tool call it answers; empty otherwise."""
    traits: frozenset[Trait]


def canonical(value: object) -> str:
    """A JSON value as text that does not depend on the order of its keys."""
    return msgspec.json.encode(value, order="sorted").decode()


def read_messages(value: object, where: str, report: Report) -> tuple[Message, ...]:
    """Check a list of messages; give those that could be read. `where` names the list in reports."""
    if not isinstance(value, list):
        report("bad_messages", f"`{where}` is {kind_of(value)}, not a list.", f"Make `{where}` a list of messages.")
        return ()
    if not value:
        report("bad_messages", f"`{where}` is empty.", "Add the conversation, or drop the row.")
        return ()
    read = (_read_message(item, f"{where}[{at}]", report) for at, item in enumerate(value))
    return tuple(message for message in read if message is not None)


def kind_of(value: object) -> str:
    """Name a JSON value's type for a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "an object"


def clip(text: str, length: int = 60) -> str:
    """Shorten a text for a message."""
    return text if len(text) <= length else text[: length - 1] + "…"


def _read_message(value: object, where: str, report: Report) -> Message | None:
    if not isinstance(value, dict):
        report("bad_message", f"`{where}` is {kind_of(value)}, not an object.", "Give it `role` and `content`.")
        return None
    name = value.get("role")
    role = _ROLES.get(name) if isinstance(name, str) else None
    if role is None:
        hint = _ROLE_HINTS.get(name.lower()) if isinstance(name, str) else None
        shown = f"`{clip(name)}`" if isinstance(name, str) else kind_of(name) if "role" in value else "missing"
        remedy = f"Write `{hint}`." if hint else "Use system, developer, user, assistant or tool."
        report("unknown_role", f"The role of `{where}` is {shown}.", remedy)
        return None
    traits: set[Trait] = set()
    calls = _read_calls(value, where, report)
    text = _read_content(value, where, bool(calls) or "function_call" in value, traits, report)
    if role == "developer":
        traits.add("developer_role")
    if role in ("system", "developer"):
        traits.add("system_role")
    if calls or "function_call" in value:
        traits.add("tool_calls")
    if "weight" in value:
        traits.add("weights")
        if role != "assistant" or value["weight"] not in (0, 1):
            report("bad_weight", f"`{where}.weight` must be 0 or 1 on an assistant message.", "Correct or remove it.")
    n_tokens = estimate_tokens(text) + TOKENS_PER_MESSAGE
    if calls or "function_call" in value:
        spoken = [call for _, call in calls] or [canonical(value["function_call"])]
        n_tokens += sum(map(estimate_tokens, spoken))
        text = " ".join([text, *spoken]).strip()
    answered = value.get("tool_call_id")
    return Message(
        role=role,
        text=text,
        n_tokens=n_tokens,
        calls=frozenset(call_id for call_id, _ in calls),
        answers=answered if role == "tool" and isinstance(answered, str) else "",
        traits=frozenset(traits),
    )


def _read_content(value: dict[str, object], where: str, calls: bool, traits: set[Trait], report: Report) -> str:
    content = value.get("content")
    if isinstance(content, str):
        return fold(content)
    if isinstance(content, list):
        traits.add("parts")
        return fold(
            " ".join(_read_part(part, f"{where}.content[{at}]", traits, report) for at, part in enumerate(content))
        )
    if content is None:
        refusal = value.get("refusal")
        if isinstance(refusal, str):
            return fold(refusal)
        if not calls:
            state = "null" if "content" in value else "missing"
            report("bad_content", f"`{where}.content` is {state}.", "Write the message's text, or drop the row.")
        return ""
    report("bad_content", f"`{where}.content` is {kind_of(content)}.", "Make it text, or a list of parts.")
    return ""


def _read_part(part: object, where: str, traits: set[Trait], report: Report) -> str:
    if isinstance(part, dict):
        kind = part.get("type")
        if isinstance(kind, str) and kind in _TEXT_PARTS:
            text = part.get(_TEXT_PARTS[kind])
            if isinstance(text, str):
                return text
        elif kind in _MEDIA_PARTS and isinstance(part.get(kind), dict):
            traits.add("vision")
            digest = hashlib.blake2b(canonical(part[kind]).encode(), digest_size=8).hexdigest()
            return f"{kind}:{digest}"
    report("bad_part", f"`{where}` is no text or image part.", 'Use {"type": "text", "text": ...} or "image_url".')
    return ""


def _read_calls(value: dict[str, object], where: str, report: Report) -> list[tuple[str, str]]:
    calls = value.get("tool_calls")
    if calls is None:
        return []
    if value.get("role") != "assistant" or not isinstance(calls, list):
        report("bad_tool_call", f"`{where}.tool_calls` must be a list on an assistant message.", "Move or remove it.")
        return []
    read: list[tuple[str, str]] = []
    for at, call in enumerate(calls):
        function = call.get("function") if isinstance(call, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(call, dict) or not isinstance(function, dict) or not isinstance(name, str):
            report("bad_tool_call", f"`{where}.tool_calls[{at}]` names no function.", "Give it `function.name`.")
            continue
        call_id = call.get("id")
        arguments = _canonical_arguments(function.get("arguments"), f"{where}.tool_calls[{at}]", report)
        read.append((call_id if isinstance(call_id, str) else "", f"{name}({arguments})"))
    return read


def _canonical_arguments(value: object, where: str, report: Report) -> str:
    if isinstance(value, str):
        if not value.strip():
            return ""
        try:
            return canonical(msgspec.json.decode(value))
        except (msgspec.MsgspecError, RecursionError, ValueError):
            report("bad_arguments", f"The arguments of `{where}` are not JSON.", "Write them as JSON text.")
            return fold(value)
    report("bad_arguments", f"The arguments of `{where}` are {kind_of(value)}, not JSON text.", "Encode them as text.")
    return canonical(value)
