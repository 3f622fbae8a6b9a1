"""JSON bodies decoded from their bytes into the handler's type: no coercion, exact pointers, 415 for other media."""

import functools
import re
from typing import Any

import msgspec
from litestar import Request

from whatnext_service.errors import DomainError, FieldError

_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>\$[^`]*)`)?$", re.DOTALL)


class StrictRequest(Request[Any, Any, Any]):
    """Replaces the lax JSON decoding of request bodies."""

    async def json(self) -> Any:
        if self.content_type[0] != "application/json":
            raise DomainError("unsupported_media_type", "The body must be JSON, sent as application/json.")
        field = self.route_handler.parsed_fn_signature.parameters["data"]
        return decode_body(await self.body(), field.annotation)


def decode_body(body: bytes, kind: Any) -> Any:
    """Decode a JSON body; raises `invalid_body` with a JSON pointer to the fault."""
    try:
        return _decoder(kind).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        what, pointer = _located(str(error))
        raise DomainError("invalid_body", what, errors=(FieldError(pointer=pointer, message=what),)) from None


@functools.cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _located(message: str) -> tuple[str, str]:
    """msgspec's `$.points[3].step` as the JSON pointer `/points/3/step`; an unknown field is named by the pointer."""
    match = _AT.match(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    pointer = re.sub(r"\[(\d+|\.\.\.)\]", r"/\1", path.removeprefix("$")).replace(".", "/").replace("/...", "")
    if named := re.search(r"(?:unknown|required) field `([^`]+)`", what):
        pointer = f"{pointer}/{named[1]}"
    return what, pointer
