"""What every resource shares on the wire."""

from datetime import datetime
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

T = TypeVar("T")

UtcTime = Annotated[datetime, Meta(tz=True)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Text = Annotated[str, Meta(max_length=4000)]
Reference = Annotated[str, Meta(min_length=1, max_length=128)]


class Body(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A request body: unknown fields are refused."""


class Resource(msgspec.Struct, kw_only=True, frozen=True):
    """A resource as it is answered: every field is always present."""


class Page(msgspec.Struct, Generic[T], kw_only=True, frozen=True):
    """One page of a list, newest first."""

    data: tuple[T, ...]
    next_cursor: str | None
    """Pass as `cursor` for the next page; null at the end."""
