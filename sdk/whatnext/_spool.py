"""Logged points on disk until the service has them.

A spool file belongs to whoever holds its lock. A process that dies leaves its files unlocked; the next writer for the
same service and key takes them over.
"""

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        file.seek(2**30)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)

else:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


ROTATE_BYTES = 8 * 2**20
"""A spool file that has grown to this is drained and removed, and another one begun."""
SUFFIX = ".jsonl"


class Spool:
    """One file of lines: appended at the end, read from where the last acknowledged batch ended."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._file = file
        self.end = os.fstat(file.fileno()).st_size
        self._sent = 0

    @property
    def pending(self) -> int:
        """Bytes that the service does not have yet."""
        return self.end - self._sent

    def append(self, line: bytes) -> None:
        """Write a line through to the file; it survives this process."""
        self._file.seek(0, os.SEEK_END)
        self._file.write(line)
        self._file.flush()
        self.end = self._file.tell()

    def peek(self, max_bytes: int) -> bytes:
        """Whole lines from where the last batch ended; a line cut off by a crash is skipped."""
        self._file.seek(self._sent)
        chunk = self._file.read(max_bytes)
        whole = chunk[: chunk.rfind(b"\n") + 1]
        if not whole and chunk:
            self._sent = self.end
        return whole

    def acknowledge(self, n_bytes: int) -> None:
        """The service has the next so many bytes; an empty spool becomes an empty file."""
        self._sent += n_bytes
        if self.pending <= 0:
            self._file.truncate(0)
            self._sent = self.end = 0

    def remove(self) -> None:
        """Close the file, and delete it when nothing in it is pending."""
        done = self.pending <= 0
        with contextlib.suppress(OSError):
            if done:
                self.path.unlink()
            self._file.close()


def create(folder: Path, owner: str) -> Spool:
    """A new spool of this owner, locked."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{owner}-{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
    file = path.open("x+b")
    if not _lock(file):
        raise OSError(f"cannot lock {path}")
    return Spool(path, file)


def take_over(folder: Path, owner: str) -> Iterator[Spool]:
    """The spools of this owner that nobody holds any more, locked."""
    for path in sorted(folder.glob(f"{owner}-*{SUFFIX}")):
        try:
            file = path.open("r+b")
        except OSError:
            continue
        if _lock(file) and path.exists():
            yield Spool(path, file)
        else:
            file.close()


def _lock(file: IO[bytes]) -> bool:
    try:
        _take(file)
    except OSError:
        return False
    return True
