"""From a database row to a struct: by field name, with `jsonb` decoded straight into the field's type."""

import functools
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import asyncpg
import msgspec

from whatnext_service.contract.common import Page

S = TypeVar("S", bound=msgspec.Struct)

Decode: TypeAlias = Callable[[Any], Any]
Row: TypeAlias = asyncpg.Record | Mapping[str, Any]


def decode(kind: type[S], row: Row) -> S:
    """Make a struct of a row that has at least its fields; the database is trusted, nothing is validated twice."""
    return kind(**{name: read(row[name]) if read else row[name] for name, read in _plan(kind)})


def encode(value: object) -> bytes:
    """A struct as `jsonb`."""
    return msgspec.json.encode(value)


def page_of(kind: type[S], rows: Sequence[asyncpg.Record], limit: int) -> Page[S]:
    """Make a page of `limit` rows from a query that asked for one more, newest first."""
    data = tuple(decode(kind, row) for row in rows[:limit])
    return Page(data=data, next_cursor=rows[limit - 1]["id"] if len(rows) > limit else None)


@functools.cache
def _plan(kind: type[msgspec.Struct]) -> tuple[tuple[str, Decode | None], ...]:
    return tuple((field.name, _reader(field.type)) for field in msgspec.structs.fields(kind))


def _reader(annotation: Any) -> Decode | None:
    members = set(typing.get_args(annotation)) | {annotation}
    if bytes in members:
        return None
    from_json = msgspec.json.Decoder(annotation).decode
    if any(typing.get_origin(member) is tuple for member in members):
        return lambda value: from_json(value) if type(value) is bytes else tuple(value) if value is not None else None
    return lambda value: from_json(value) if type(value) is bytes else value
