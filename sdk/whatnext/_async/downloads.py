"""Bytes that come as a stream."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from whatnext.errors import APIConnectionError


class AsyncDownload:
    """A file on its way: nothing is fetched until it is read, and it is never whole in memory unless `read()`.

    Each way of reading starts a request of its own.
    """

    def __init__(self, opened: Callable[[], Awaitable[httpx.Response]]) -> None:
        self._opened = opened
        self._response: httpx.Response | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async with self as stream:
            async for chunk in stream.chunks():
                yield chunk

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes as they arrive; inside `with` only."""
        if self._response is None:
            raise APIConnectionError("the download is not open: use it in `with`, or iterate it")
        try:
            async for chunk in self._response.aiter_bytes():
                yield chunk
        except httpx.TransportError as error:
            raise APIConnectionError(f"the download broke off: {error or type(error).__name__}") from error

    async def read(self) -> bytes:
        """All of it."""
        return b"".join([chunk async for chunk in self])

    async def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file, which appears when it is complete."""
        target = Path(path)
        partial = target.with_name(f".{target.name}.partial")
        try:
            with partial.open("wb") as file:
                async for chunk in self:
                    file.write(chunk)
            return partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    async def __aenter__(self) -> Self:
        self._response = await self._opened()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._response is not None:
            await self._response.aclose()
            self._response = None
