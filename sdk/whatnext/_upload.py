"""What is sent as a file: streamed in chunks, counted, and sent again where that is possible."""

import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, TypeAlias

CHUNK_BYTES = 256 * 1024

File: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | Iterable[bytes]
"""A path, the bytes themselves, a file opened for bytes, or an iterable of chunks."""

OnProgress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes sent so far and the size where it is known; a retry starts again at 0."""


class Upload:
    """A file on its way; `chunks()` starts it, and starts it again when the request is retried."""

    def __init__(self, file: File, on_progress: OnProgress | None = None) -> None:
        self._file: Any = file
        if isinstance(file, str | os.PathLike):
            self._file = Path(file)
        self._on_progress = on_progress
        self._started = False
        self._seekable: bool = hasattr(file, "seek") and self._file.seekable()
        self._start: int = self._file.tell() if self._seekable else 0
        self.size = self._size()
        self.replayable = isinstance(self._file, Path | bytes | list | tuple) or self._seekable

    def _size(self) -> int | None:
        if isinstance(self._file, Path):
            size: int = self._file.stat().st_size
            return size
        if isinstance(self._file, bytes):
            return len(self._file)
        if self._seekable:
            end: int = self._file.seek(0, os.SEEK_END)
            self._file.seek(self._start)
            return end - self._start
        return None

    @property
    def may_send(self) -> bool:
        """Whether the whole file can (still, or again) be sent."""
        return self.replayable or not self._started

    def chunks(self) -> Iterator[bytes]:
        """The file from its beginning."""
        self._started = True
        sent = 0
        for chunk in self._read():
            yield chunk
            sent += len(chunk)
            if self._on_progress is not None:
                self._on_progress(sent, self.size)

    async def achunks(self) -> AsyncIterator[bytes]:
        """The same for an asynchronous client."""
        for chunk in self.chunks():
            yield chunk

    def _read(self) -> Iterator[bytes]:
        if isinstance(self._file, Path):
            with self._file.open("rb") as opened:
                yield from iter(lambda: opened.read(CHUNK_BYTES), b"")
        elif isinstance(self._file, bytes):
            for at in range(0, len(self._file), CHUNK_BYTES):
                yield self._file[at : at + CHUNK_BYTES]
        elif hasattr(self._file, "read"):
            if self._seekable:
                self._file.seek(self._start)
            yield from iter(lambda: self._file.read(CHUNK_BYTES), b"")
        else:
            yield from self._file
