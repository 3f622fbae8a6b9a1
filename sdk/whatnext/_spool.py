"""Logged points on disk until the service has them.

A spool file belongs to whoever holds its lock. A process that dies leaves its files unlocked; the next writer for the
same service and key takes them over.
"""

import contextlib
import errno
import os
import secrets
import sys
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _take(file: FileIO) -> None:
        file.seek(2**30)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)

else:
    import fcntl

    def _take(file: FileIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


ROTATE_BYTES = 8 * 2**20
"""A spool file that has grown to this is drained and removed, and another one begun."""
SUFFIX = ".jsonl"


class Spool:
    """One file of lines: appended at the end, read from where the last acknowledged batch ended.

    The file is not buffered: a forked process has nothing of its parent's to write.
    """

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path = path
        self._file = file
        self.end = os.fstat(file.fileno()).st_size
        self._sent = 0

    @property
    def pending(self) -> int:
        """Bytes that the service does not have yet."""
        return self.end - self._sent

    def append(self, line: bytes) -> None:
        """Write a line to the file, where it survives this process; OSError leaves the file as it was."""
        self._file.seek(self.end)
        if self._file.write(line) != len(line):
            raise OSError(errno.ENOSPC, "no room for a whole line", str(self.path))
        self.end += len(line)

    def peek(self, max_bytes: int) -> bytes:
        """Whole lines from where the last batch ended; a line cut off by a crash is skipped."""
        self._file.seek(self._sent)
        chunk = self._file.read(min(max_bytes, self.pending)) or b""
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
    file = FileIO(path, "x+")
    if not _lock(file):
        raise OSError(f"cannot lock {path}")
    return Spool(path, file)


def take_over(folder: Path, owner: str) -> Iterator[Spool]:
    """The spools of this owner that nobody holds any more, locked."""
    for path in sorted(folder.glob(f"{owner}-*{SUFFIX}")):
        try:
            file = FileIO(path, "r+")
        except OSError:
            continue
        if _lock(file) and path.exists():
            yield Spool(path, file)
        else:
            file.close()


def _lock(file: FileIO) -> bool:
    try:
        _take(file)
    except OSError:
        return False
    return True
