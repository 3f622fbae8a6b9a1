"""Keys and events on the wire."""

from typing import Annotated, Literal

from msgspec import Meta

from whatnext_service.contract.common import Body, Name, Resource, UtcTime

Scope = Literal["read", "write", "admin"]


class NewKey(Body, kw_only=True, frozen=True):
    """An API key to be made for this workspace."""

    name: Name
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=3)] = ("read", "write")


class Key(Resource, kw_only=True, frozen=True):
    """An API key; the secret itself is not kept."""

    id: str
    name: str
    scopes: tuple[Scope | str, ...]
    hint: str
    """The last four characters."""
    created_at: UtcTime
    revoked_at: UtcTime | None


class CreatedKey(Resource, kw_only=True, frozen=True):
    """A key just made; `secret` is shown this once."""

    key: Key
    secret: str | None
    """Null when an idempotent request is answered once more: a secret is stored nowhere."""


class Event(Resource, kw_only=True, frozen=True):
    """Something that happened, in the order it was committed."""

    id: str
    seq: int
    type: str
    """Such as `run.succeeded`; the set grows."""
    loop_id: str | None
    subject_id: str
    version: int
    """The subject's version after the event."""
    created_at: UtcTime
