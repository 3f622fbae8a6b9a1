"""What is wrong with a JSON body, and where: msgspec's words with a JSON pointer, and what would have been right."""

import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from whatnext_service.errors import DomainError, FieldError

Json = dict[str, Any]
_AT = re.compile(r"^(?P<what>.*?)(?: - at (?:`key` in )?`(?P<path>\$[^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\[(\d+)\]|\.([^.\[\]]+)|\[\.\.\.\]")
_NO_JSON = re.compile(rb"[:,\[]\s*-?(?:NaN|Infinity)\b")
_REF = "#/$defs/"


def invalid_body(error: Exception, body: bytes, kind: Any) -> DomainError:
    """The refusal of a body that is not of its kind."""
    what, pointer = _located(str(error))
    if what.startswith("Invalid enum value") and (choices := _choices(kind, pointer)):
        what += f": it is one of {', '.join(choices)}"
    elif what.startswith("JSON is malformed") and _NO_JSON.search(body):
        what += '; JSON has no NaN and no Infinity, a metric\'s value is sent as "NaN" or "Infinity"'
    detail = f"{pointer}: {what}" if pointer else what
    return DomainError("invalid_body", detail, errors=(FieldError(pointer=pointer, message=what),))


def _located(message: str) -> tuple[str, str]:
    """msgspec's `$.points[3].step` as the JSON pointer `/points/3/step`; it ends at an object whose names are data, and
    goes on to a field that is unknown or missing."""
    match = _AT.match(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    steps = [step[1] or step[2] for step in _STEP.finditer(path)]
    pointer = "".join(f"/{step}" for step in itertools.takewhile(lambda step: step is not None, steps))
    if named := re.search(r"(?:unknown|required) field `([^`]+)`", what):
        pointer = f"{pointer}/{named[1]}"
    return what, pointer


def _choices(kind: Any, pointer: str) -> list[str]:
    """The texts that a place of a body takes; none where it takes others than listed ones."""
    schema = _schema(kind)
    return sorted(set(_enumerated(schema, schema, pointer.split("/")[1:])))


@functools.cache
def _schema(kind: Any) -> Json:
    return msgspec.json.schema(kind)


def _enumerated(schema: Json, node: Json, steps: Sequence[str]) -> Iterator[str]:
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].removeprefix(_REF)]
    for option in node.get("anyOf", ()):
        yield from _enumerated(schema, option, steps)
    inner = node.get("properties", {}).get(steps[0]) if steps else None
    inner = inner or node.get("items") or node.get("additionalProperties")
    if isinstance(inner, dict):
        yield from _enumerated(schema, inner, steps[1:])
    elif not steps:
        yield from (repr(each) for each in node.get("enum", ()) if isinstance(each, str))
