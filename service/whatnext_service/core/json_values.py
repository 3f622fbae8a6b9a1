"""JSON of unknown shape: dataset rows, a model's structured output."""

from typing import TypeAlias

import msgspec

JsonValue: TypeAlias = str | int | float | bool | list["JsonValue"] | dict[str, "JsonValue"] | None
JsonObject: TypeAlias = dict[str, JsonValue]


def parse_json(text: bytes | str) -> JsonValue:
    """Parse JSON; raises `msgspec.DecodeError` (RFC 8259: no NaN, no infinity)."""
    value: JsonValue = msgspec.json.decode(text)
    return value


def canonical_json(value: object) -> bytes:
    """Compact JSON with sorted keys: equal values give equal bytes."""
    return msgspec.json.encode(value, order="sorted")
