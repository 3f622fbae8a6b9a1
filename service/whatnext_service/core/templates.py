"""Grader templates: `{{ item.question }}`, `{{ sample.output_text }}`, `{{ sample.output_json.items[0].name }}`.

Rendering is one pass: what a value says is never read as a template, an expression or a format again.
"""

import re
from collections.abc import Callable

import msgspec

from whatnext_service.core.grader_types import Sample, ScoreError
from whatnext_service.core.json_values import JsonObject, JsonValue, canonical_json, parse_json

_SLOT = re.compile(r"\{\{\s*([A-Za-z_][^{}\s]*)\s*\}\}")
_PATH = re.compile(r"(item|sample)((?:\.[\w-]+|\[\d{1,6}\]|\[\"[^\"\]]*\"\]|\['[^'\]]*'\])+)")
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]|\[\"([^\"\]]*)\"\]|\['([^'\]]*)'\]")
_SAMPLE_FIELDS = ("output_text", "output_json", "output_tools")

Step = str | int
Insert = Callable[[str, str], str]
"""Given a slot's path and its value, the text that takes the slot's place."""


def template_fault(template: str) -> str | None:
    """What is wrong with a template: the first slot that names nothing there can be; null when all may be filled."""
    for slot in _SLOT.findall(template):
        steps = _steps(slot)
        if steps is None:
            return f"{{{{{slot}}}}} is not a path below item or sample"
        if steps[0] == "sample" and steps[1] not in _SAMPLE_FIELDS:
            return f"{{{{{slot}}}}}: sample has {', '.join(_SAMPLE_FIELDS)}"
    return None


def template_fields(template: str) -> frozenset[str]:
    """The item's fields that a template reads."""
    paths = [steps for slot in _SLOT.findall(template) if (steps := _steps(slot)) is not None]
    return frozenset(str(steps[1]) for steps in paths if steps[0] == "item")


def plain(_path: str, value: str) -> str:
    """Insert a value as it is."""
    return value


def render(template: str, item: JsonObject, sample: Sample, insert: Insert = plain) -> str | ScoreError:
    """Fill a template's slots; the first one that has no value is the error.

    Strings are inserted as they are, other values as compact JSON; null counts as no value.
    """
    parts: list[str] = []
    end = 0
    for match in _SLOT.finditer(template):
        value = _value(match[1], item, sample)
        if isinstance(value, ScoreError):
            return value
        parts += [template[end : match.start()], insert(match[1], _text(value))]
        end = match.end()
    return "".join([*parts, template[end:]])


def _steps(slot: str) -> tuple[Step, ...] | None:
    match = _PATH.fullmatch(slot)
    if match is None:
        return None
    steps = (int(step[1]) if step[1] else step[0] or step[2] or step[3] for step in _STEP.findall(match[2]))
    return (match[1], *steps)


def _value(slot: str, item: JsonObject, sample: Sample) -> JsonValue | ScoreError:
    steps = _steps(slot)
    if steps is None:
        return ScoreError(fault="invalid_variable_error", detail=f"{{{{{slot}}}}} is not a path below item or sample")
    value: JsonValue | ScoreError = item if steps[0] == "item" else _sample_field(steps[1], sample)
    for step in steps[1 if steps[0] == "item" else 2 :]:
        match value:
            case dict() if isinstance(step, str):
                value = value.get(step)
            case list() if isinstance(step, int):
                value = value[step] if step < len(value) else None
            case ScoreError():
                return value
            case _:
                value = None
    if value is None:
        return ScoreError(fault="invalid_variable_error", detail=f"{{{{{slot}}}}} has no value")
    return value


def _sample_field(name: Step, sample: Sample) -> JsonValue | ScoreError:
    match name:
        case "output_text":
            return sample.output_text
        case "output_tools":
            return sample.output_tools
        case "output_json":
            try:
                return parse_json(sample.output_text)
            except (msgspec.DecodeError, RecursionError):
                return ScoreError(fault="sample_parse_error", detail="the output is not JSON")
        case _:
            return None


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else canonical_json(value).decode()
