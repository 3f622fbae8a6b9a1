"""JSON bodies decoded from their bytes into the handler's type: no coercion, exact pointers, 415 for other media."""

import functools
from collections.abc import Iterable
from typing import Any

import msgspec
from litestar import Request

from whatnext_service.api.body_faults import invalid_body
from whatnext_service.errors import DomainError, FieldError


class StrictRequest(Request[Any, Any, Any]):
    """Replaces the lax JSON decoding of request bodies."""

    async def json(self) -> Any:
        if self.content_type[0] != "application/json":
            raise DomainError("unsupported_media_type", "The body must be JSON, sent as application/json.")
        field = self.route_handler.parsed_fn_signature.parameters["data"]
        return decode_body(await self.body(), field.annotation)


def decode_body(body: bytes, kind: Any) -> Any:
    """Decode a JSON body; raises `invalid_body` or `invalid_text` with a JSON pointer to the fault."""
    try:
        if b"\\u0000" in body and (pointer := _nul_at(msgspec.json.decode(body))) is not None:
            message = "holds a NUL character, which cannot be stored"
            raise DomainError(
                "invalid_text", f"{pointer} {message}.", errors=(FieldError(pointer=pointer, message=message),)
            )
        return _decoder(kind).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid_body(error, body, kind) from None


@functools.cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _nul_at(value: object, pointer: str = "") -> str | None:
    """Where a text or a name holds a NUL character."""
    if isinstance(value, str):
        return pointer if "\0" in value else None
    children: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict):
        if any("\0" in name for name in value):
            return pointer
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    return next((found for name, child in children if (found := _nul_at(child, f"{pointer}/{name}")) is not None), None)
