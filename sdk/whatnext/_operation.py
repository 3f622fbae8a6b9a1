"""Operations of the service: their paths, their requests and how their answers are decoded."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, cast, runtime_checkable
from urllib.parse import quote, urlencode

import httpx
import msgspec
from msgspec import UNSET

from whatnext.errors import APIResponseError, FailedAnswer

T = TypeVar("T")

JSON = "application/json"
_PLAIN = re.compile(r"[A-Za-z0-9_~-]+")
_RUN_BY_NAME = re.compile(r"[a-z0-9-]+/R[1-9][0-9]*")


@runtime_checkable
class Identified(Protocol):
    """Anything with an id: a run, a loop, a dataset version."""

    @property
    def id(self) -> str: ...


Ref: TypeAlias = str | Identified
"""An id, a loop's slug, a run's `slug/R3`, or the object itself."""


class PageData(msgspec.Struct, Generic[T], kw_only=True):
    """A page on the wire."""

    data: list[T]
    next_cursor: str | None = None


class Operation(Generic[T]):
    """One operation; `result` is the type of its answer, or of one item where it is a list (`paged`)."""

    def __init__(
        self,
        name: str,
        method: str,
        path: str,
        result: type[T] | None = None,
        *,
        media: str = JSON,
        paged: bool = False,
    ) -> None:
        self.name = name
        self.method = method
        self.path = path
        self.result: Any = result
        self.media = media
        self.paged = paged
        self.accept = {"accept": media}
        self.pieces = re.split(r"\{[^}]+\}", path)

    @cached_property
    def decoder(self) -> msgspec.json.Decoder[T]:
        """Made on first use."""
        return msgspec.json.Decoder(self.result)

    @cached_property
    def page_decoder(self) -> msgspec.json.Decoder[PageData[T]]:
        """Made on first use."""
        return msgspec.json.Decoder(PageData[self.result])  # type: ignore[name-defined]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the paths of this operation."""
        return re.compile("[^/]+".join(map(re.escape, self.pieces)))

    def path_for(self, refs: tuple[Ref, ...]) -> str:
        """The path with its parameters quoted in."""
        if not refs:
            return self.path
        filled = [self.pieces[0]]
        for ref, piece in zip(refs, self.pieces[1:], strict=True):
            filled += (path_segment(ref), piece)
        return "".join(filled)


def path_segment(ref: Ref) -> str:
    """A path parameter, quoted; what would change the path's meaning is refused."""
    text = ref if isinstance(ref, str) else getattr(ref, "id", None)
    if not isinstance(text, str):
        raise TypeError(f"give an id, or an object with one, not {type(ref).__name__}")
    if _PLAIN.fullmatch(text):
        return text
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} names nothing")
    if _RUN_BY_NAME.fullmatch(text):
        text = text.replace("/", "~")
    return quote(text, safe="~")


def query_string(query: Mapping[str, Any]) -> str:
    """The query with what was given; lists repeat their name, null is left out."""
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        if value is UNSET or value is None:
            continue
        several = cast("Sequence[object]", value) if isinstance(value, list | tuple) else (value,)
        pairs.extend((name, query_text(each)) for each in several)
    return urlencode(pairs)


def query_text(value: object) -> str:
    """One query value as the service reads it."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case datetime() | date():
            return value.isoformat()
        case Identified():
            return value.id
        case _:
            return str(value)


def encode_body(body: Mapping[str, Any]) -> bytes:
    """A JSON body of what was given; NaN and infinities, which JSON does not have, as text."""
    given = {name: value for name, value in body.items() if value is not UNSET}
    encoded = msgspec.json.encode(given)
    # msgspec writes them as null, which means something else
    return msgspec.json.encode(_in_words(msgspec.to_builtins(given))) if b"null" in encoded else encoded


def number_or_word(value: float) -> float | str:
    """A number as the service takes it: `"NaN"`, `"Infinity"` or `"-Infinity"` where it is not finite."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _in_words(value: Any) -> Any:
    if isinstance(value, float):
        return number_or_word(value)
    if isinstance(value, dict):
        return {name: _in_words(each) for name, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_in_words(each) for each in cast("list[Any]", value)]
    return value


def decode(decoder: msgspec.json.Decoder[T], content: bytes) -> T:
    """The answer as a model; APIResponseError where it does not fit."""
    try:
        return decoder.decode(content)
    except msgspec.MsgspecError as error:
        raise APIResponseError(
            f"the answer does not fit this version of the package: {error}; it begins {content[:80]!r}"
        ) from None


def entity_tag(response: httpx.Response) -> str | None:
    """The response's ETag."""
    tag: str | None = response.headers.get("etag")
    return tag


def failed(response: httpx.Response) -> FailedAnswer:
    """An error response, apart from its connection."""
    return FailedAnswer(
        method=response.request.method,
        url=str(response.request.url),
        status=response.status_code,
        reason=response.reason_phrase,
        headers={name.lower(): value for name, value in response.headers.items()},
        content=response.content,
    )


def version_tag(name: str, value: int | str | None) -> dict[str, str]:
    """A header that names a version of a resource; a number is quoted as its ETag is."""
    if value is None:
        return {}
    return {name: f'"{value}"' if isinstance(value, int) else value}
