"""An uploaded file as a stream of chunks: the body itself, or the part `file` of a multipart form."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Request
from multipart import MultipartError, MultipartSegment, PushMultipartParser  # type: ignore[import-untyped]

from whatnext_service.errors import DomainError

PLAIN = frozenset(
    {
        "application/jsonl",
        "application/x-ndjson",
        "application/json",
        "application/octet-stream",
        "text/plain",
        "text/csv",
        "application/x-www-form-urlencoded",
        "",
    }
)
"""Files as they are; `application/x-www-form-urlencoded` is what curl says of `--data-binary` unless it is told."""


async def file_stream(request: Request[Any, Any, Any], max_bytes: int | None = None) -> AsyncIterator[bytes]:
    """The file's bytes; never whole in memory. A body that announces itself as larger than `max_bytes` is not read."""
    kind, options = request.content_type
    announced = request.headers.get("content-length", "")
    if max_bytes is not None and kind in PLAIN and announced.isdigit() and int(announced) > max_bytes:
        raise DomainError("too_large", f"The upload is {announced} bytes; at most {max_bytes} are taken.")
    if kind == "multipart/form-data":
        async for chunk in _part(request, options.get("boundary", "")):
            yield chunk
    elif kind in PLAIN:
        async for chunk in request.stream():
            yield chunk
    else:
        raise DomainError("unsupported_media_type", "Send the file as it is, or as a multipart form.")


async def _part(request: Request[Any, Any, Any], boundary: str) -> AsyncIterator[bytes]:
    found = inside = False
    try:
        with PushMultipartParser(boundary, max_segment_count=16) as parser:
            async for chunk in request.stream():
                for event in parser.parse(chunk):
                    if isinstance(event, MultipartSegment):
                        inside = event.name == "file"
                        found = found or inside
                    elif event and inside:
                        yield bytes(event)
    except (MultipartError, ValueError) as error:
        raise DomainError("invalid_body", f"The form cannot be read: {error}") from None
    if not found:
        raise DomainError("invalid_body", "The form has no part called `file`.")
