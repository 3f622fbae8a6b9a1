"""Examples of models, made from their types: for tests of programs that use this package."""

import types
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

M = TypeVar("M", bound=msgspec.Struct)
MOMENT = datetime(2026, 11, 22, 8, tzinfo=UTC)
ID_PREFIXES = {
    "loop": "loop",
    "run": "run",
    "parent_run": "run",
    "dataset": "ds",
    "dataset_version": "dsv",
    "version": "dsv",
    "parent": "dsv",
    "checkpoint": "ckpt",
    "suite": "eval_suite",
    "evaluation": "eval",
    "diagnosis": "diag",
    "recommendation": "rec",
    "deployment": "dep",
    "event": "evt",
    "key": "key",
}


def example(kind: type[M], /, **fields: Any) -> M:
    """A complete model with plausible values; `fields` are set as given.

    >>> from whatnext.testing import example
    >>> example(whatnext.models.Run, status="running").status
    'running'
    """
    hints = get_type_hints(kind)
    unknown = set(fields) - set(hints)
    if unknown:
        raise TypeError(f"{kind.__name__} has no field {', '.join(sorted(unknown))}")
    values = {name: _value(name, hint, kind) for name, hint in hints.items() if name not in fields}
    return msgspec.convert(values | fields, kind)


def _value(name: str, hint: Any, owner: type) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Union or origin is types.UnionType:
        return None if type(None) in arguments else _value(name, arguments[0], owner)
    if origin is Literal:
        return _choice(name, arguments)
    if origin is list:
        return []
    if origin is dict or hint is Any:
        return {}
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return example(hint)
    plain = {int: 1, float: 1.0, bool: True, datetime: MOMENT, date: MOMENT.date(), Decimal: Decimal("1.00")}
    return plain[hint] if hint in plain else _text(name, owner)


def _choice(name: str, choices: tuple[Any, ...]) -> Any:
    wanted = {"status": "queued", "kind": "start_run", "verdict": "accepted", "method": "sft", "direction": "up"}
    return wanted[name] if wanted.get(name) in choices else choices[0]


def _text(name: str, owner: type) -> str:
    if name == "id":
        resource = owner.__name__.lower()
        return f"{ID_PREFIXES.get(resource, resource)}_1"
    if name.endswith("_id"):
        return f"{ID_PREFIXES.get(name.removesuffix('_id'), name.removesuffix('_id'))}_1"
    return {"slug": "support-bot", "name": "R1", "run": "R1"}.get(name, name.replace("_", " "))
