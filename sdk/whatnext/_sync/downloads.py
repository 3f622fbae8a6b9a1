# Generated from _async/downloads.py; do not edit.
# ruff: noqa
"""Bytes that come as a stream."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from whatnext.errors import APIConnectionError


class Download:
    """A file on its way: nothing is fetched until it is read, and it is never whole in memory unless `read()`.

    Each way of reading starts a request of its own.
    """

    def __init__(self, opened: Callable[[], httpx.Response]) -> None:
        self._opened = opened
        self._response: httpx.Response | None = None

    def __iter__(self) -> Iterator[bytes]:
        with self as stream:
            for chunk in stream.chunks():
                yield chunk

    def chunks(self) -> Iterator[bytes]:
        """The bytes as they arrive; inside `with` only."""
        if self._response is None:
            raise APIConnectionError("the download is not open: use it in `with`, or iterate it")
        try:
            for chunk in self._response.iter_bytes():
                yield chunk
        except httpx.TransportError as error:
            raise APIConnectionError(f"the download broke off: {error or type(error).__name__}") from error

    def read(self) -> bytes:
        """All of it."""
        return b"".join([chunk for chunk in self])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file, which appears when it is complete."""
        target = Path(path)
        partial = target.with_name(f".{target.name}.partial")
        try:
            with partial.open("wb") as file:
                for chunk in self:
                    file.write(chunk)
            return partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self._response = self._opened()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None
