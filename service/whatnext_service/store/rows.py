"""From a database row to a struct: by field name, with `jsonb` decoded straight into the field's type."""

import functools
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

import asyncpg
import msgspec

from whatnext_service.contract.common import Page

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")

S = TypeVar("S", bound=msgspec.Struct)

Decode: TypeAlias = Callable[[Any], Any]
Row: TypeAlias = asyncpg.Record | Mapping[str, Any]

_UNIONS = (typing.Union, types.UnionType)
_PLAIN = (type(None), bool, int, float, str, bytes, Decimal, date, datetime)
"""What Postgres gives as it is, never as `jsonb`."""


def decode(kind: type[S], row: Row) -> S:
    """Make a struct of a row that has at least its fields; the database is trusted, nothing is validated twice."""
    names, documents = _plan(kind)
    values = {name: row[name] for name in names}
    for name, read in documents:
        values[name] = read(values[name])
    return kind(**values)


def encode(value: object) -> bytes:
    """A struct as `jsonb`."""
    return msgspec.json.encode(value)


def storable(document: bytes) -> bytes:
    """JSON as `jsonb` can hold it: a NUL character becomes the replacement character."""
    return _NUL.sub(rb"\1\\ufffd", document)


def page_of(kind: type[S], rows: Sequence[asyncpg.Record], limit: int) -> Page[S]:
    """Make a page of `limit` rows from a query that asked for one more, newest first."""
    data = tuple(decode(kind, row) for row in rows[:limit])
    return Page(data=data, next_cursor=rows[limit - 1]["id"] if len(rows) > limit else None)


@functools.cache
def _plan(kind: type[msgspec.Struct]) -> tuple[tuple[str, ...], tuple[tuple[str, Decode], ...]]:
    """The names of a struct's fields, and how those are read that are no plain values."""
    fields = msgspec.structs.fields(kind)
    readers = ((field.name, _reader(field.type)) for field in fields)
    return tuple(field.name for field in fields), tuple((name, read) for name, read in readers if read is not None)


def _reader(annotation: Any) -> Decode | None:
    members = typing.get_args(annotation) if typing.get_origin(annotation) in _UNIONS else (annotation,)
    if all(member in _PLAIN or typing.get_origin(member) is typing.Literal for member in members):
        return None
    from_json = msgspec.json.Decoder(annotation).decode
    if any(typing.get_origin(member) is tuple for member in members):
        return lambda value: from_json(value) if type(value) is bytes else tuple(value) if value is not None else None
    return lambda value: from_json(value) if type(value) is bytes else value
