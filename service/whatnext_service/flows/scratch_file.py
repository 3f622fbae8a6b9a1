"""Texts put aside on disk, so that a large version's report needs little memory."""

import os
import tempfile

BUFFER_BYTES = 1 << 20


class FileScratch:
    """A file without a name: a killed process leaves nothing behind. Reads do not count as the process's memory."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 -- closed with the process that fills it
        self._buffer = bytearray()

    def append(self, data: bytes) -> None:
        """Put bytes behind those that are there."""
        self._buffer += data
        if len(self._buffer) >= BUFFER_BYTES:
            self._flush()

    def read(self, start: int, n_bytes: int) -> bytes:
        """Bytes put aside before."""
        if self._buffer:
            self._flush()
        return os.pread(self._file.fileno(), n_bytes, start)

    def _flush(self) -> None:
        held = memoryview(bytes(self._buffer))
        self._buffer.clear()
        while held:
            held = held[os.write(self._file.fileno(), held) :]
