"""Cutting a byte stream into rows: one a line, or the elements of one JSON array."""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from whatnext_service.core.datasets import MAX_ROW_BYTES, ProblemCode

BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_STRUCTURE = re.compile(rb'["{}\[\],]')
_IN_STRING = re.compile(rb'"|\\.', re.DOTALL)
_Layout = Literal["unknown", "lines", "array", "array_ended", "refused"]


class RawRow(msgspec.Struct, frozen=True):
    """The bytes of one row without surrounding white space; empty for a blank line, and where `fault` is set."""

    line: int
    raw: bytes
    fault: ProblemCode | None = None
    start: int = 0
    """Where `raw` begins, in bytes from the start of the file; 0 where there is none."""


class RowSplitter:
    """An incremental cutter: holds at most one row, whatever the size of the file.

    A leading byte-order mark is dropped. A first byte `[` means one JSON array in place of lines. A file in UTF-16 or
    UTF-32 is refused, not decoded: the stored bytes must be the bytes a platform can train on.
    """

    def __init__(self, max_row_bytes: int = MAX_ROW_BYTES) -> None:
        self.has_bom = False
        self.has_crlf = False
        self._max = max_row_bytes
        self._layout: _Layout = "unknown"
        self._head = b""
        self._line = 1
        self._offset = 0
        """Of the line, or of the buffer."""
        self._parts: list[bytes] = []
        self._held = 0
        self._skipping = False
        self._buffer = bytearray()
        self._mark = 0
        self._at = 0
        self._depth = 0
        self._start = -1
        self._start_line = 1
        self._in_string = False

    @property
    def is_array(self) -> bool:
        """Whether the file is one JSON array."""
        return self._layout in ("array", "array_ended")

    def feed(self, chunk: bytes) -> list[RawRow]:
        """Take the next bytes; give the rows they complete."""
        if self._layout == "unknown":
            self._head += chunk
            seen = self._head.removeprefix(BOM).lstrip(_SPACE)
            return self._open() if len(seen) >= 4 or len(self._head) > 4096 else []
        if self._layout == "lines":
            return self._cut_lines(chunk)
        return self._cut_array(chunk) if self._layout != "refused" else []

    def finish(self) -> list[RawRow]:
        """Give the last row, which may lack its line end."""
        rows = self._open() if self._layout == "unknown" else []
        if self._layout == "lines":
            rest = b"".join(self._parts)
            if self._skipping or rest.strip(_SPACE):
                rows += self._cut_lines(b"\n")
        elif self._layout == "array":
            rows.append(RawRow(self._line, b"", "array_unfinished"))
        return rows

    def _open(self) -> list[RawRow]:
        head, self._head = self._head, b""
        if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head[:4]:
            self._layout = "refused"
            return [RawRow(0, b"", "wrong_encoding")]
        if head.startswith(BOM):
            self.has_bom = True
            self._offset = len(BOM)
            head = head[len(BOM) :]
        first = head.lstrip(_SPACE)[:1]
        if first == b"[":
            self._layout = "array"
            lead = head.index(b"[") + 1
            self._line += head.count(b"\n", 0, lead)
            self._offset += lead
            return self._cut_array(head[lead:])
        self._layout = "lines"
        return self._cut_lines(head)

    def _cut_lines(self, chunk: bytes) -> list[RawRow]:
        rows: list[RawRow] = []
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            self._hold(piece)
            rows.append(self._end_line())
            self._line += 1
        self._hold(rest)
        return rows

    def _hold(self, piece: bytes) -> None:
        self._held += len(piece)
        if self._held > self._max:
            self._skipping = True
            self._parts.clear()
        elif piece:
            self._parts.append(piece)

    def _end_line(self) -> RawRow:
        raw = b"".join(self._parts)
        start, self._offset = self._offset, self._offset + self._held + 1
        skipped, self._skipping, self._held = self._skipping, False, 0
        self._parts.clear()
        if skipped:
            return RawRow(self._line, b"", "row_too_long")
        self.has_crlf = self.has_crlf or raw.endswith(b"\r")
        bare = raw.lstrip(_SPACE)
        return RawRow(self._line, bare.rstrip(_SPACE), start=start + len(raw) - len(bare))

    def _cut_array(self, chunk: bytes) -> list[RawRow]:
        rows: list[RawRow] = []
        self._buffer += chunk
        while self._layout == "array":
            found = (_IN_STRING if self._in_string else _STRUCTURE).search(self._buffer, self._at)
            if found is None:
                cut_escape = self._in_string and self._buffer.endswith(b"\\")
                self._pass_over(len(self._buffer) - cut_escape)
                break
            token = found.group()
            if not self._in_string and token in b'"{[' and self._start < 0:
                self._pass_over(found.start())
                self._start, self._start_line = found.start(), self._line
            self._pass_over(found.end())
            if self._in_string:
                self._in_string = token != b'"'
            elif token == b'"':
                self._in_string = True
            elif token in b"{[":
                self._depth += 1
            elif self._depth > 0:
                if token in b"}]":
                    self._depth -= 1
            else:
                rows += self._end_element(found.start())
                self._layout = "array" if token == b"," else "array_ended"
        self._drop()
        if self._layout == "array_ended" and self._buffer.strip(_SPACE):
            rows.append(RawRow(self._line, b"", "array_trailing_content"))
            self._layout = "refused"
        elif len(self._buffer) > self._max:
            rows.append(RawRow(self._start_line, b"", "row_too_long"))
            self._layout = "refused"
        return rows

    def _pass_over(self, to: int) -> None:
        self._line += self._buffer.count(b"\n", self._at, to)
        self._at = to

    def _end_element(self, end: int) -> list[RawRow]:
        bare = bytes(self._buffer[self._mark : end]).lstrip(_SPACE)
        raw, start = bare.rstrip(_SPACE), self._offset + end - len(bare)
        line = self._start_line if self._start >= 0 else self._line
        self._start, self._mark = -1, self._at
        self.has_crlf = self.has_crlf or b"\r\n" in raw
        if len(raw) > self._max:
            return [RawRow(line, b"", "row_too_long")]
        return [RawRow(line, raw, start=start)] if raw else []

    def _drop(self) -> None:
        del self._buffer[: self._mark]
        self._offset += self._mark
        self._at -= self._mark
        self._start = max(self._start - self._mark, -1)
        self._mark = 0


def one_line(raw: bytes) -> bytes:
    """A row as platforms want it, on a line of its own: a row of a JSON array may span many."""
    if b"\n" in raw or b"\r" in raw:
        raw = msgspec.json.format(raw, indent=-1)
    return raw + b"\n"


def iter_rows(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Give the rows of an accepted file again, each with the line it begins on; blank lines are left out."""
    for row in iter_raw_rows(chunks):
        yield row.line, row.raw


def iter_raw_rows(chunks: Iterable[bytes]) -> Iterator[RawRow]:
    """Give the rows of an accepted file again, each with its place; blank lines are left out."""
    splitter = RowSplitter()
    for chunk in chunks:
        yield from (row for row in splitter.feed(chunk) if row.raw)
    yield from (row for row in splitter.finish() if row.raw)
