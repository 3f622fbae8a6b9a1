"""Cutting a file into rows: where each begins."""

import random

import pytest
from tests.core.dataset_samples import HAS_REAL, REAL, chat, jsonl

from whatnext_service.core.dataset_lines import RawRow, RowSplitter

LINES = jsonl(chat("one", "1"), chat("two", "2"))
FILES = {
    "lines": LINES,
    "mark": b"\xef\xbb\xbf" + LINES,
    "carriage returns": LINES.replace(b"\n", b"\r\n"),
    "space around": b" \n\n  " + LINES.replace(b"\n", b" \t\n\n") + b" {}",
    "array": b"[" + b" ,\n ".join(LINES.splitlines()) + b" ]\n",
    "array with a mark": b"\xef\xbb\xbf \n[\n" + b",".join(LINES.splitlines()) + b"]",
    "no end": LINES[:-1],
}


def cut(data: bytes, rng: random.Random, size: int) -> list[RawRow]:
    splitter, rows, at = RowSplitter(), [], 0
    while at < len(data):
        step = rng.randint(1, size)
        rows += splitter.feed(data[at : at + step])
        at += step
    return [row for row in rows + splitter.finish() if row.raw]


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_row_is_found_where_it_begins(data: bytes, size: int) -> None:
    rows = cut(data, random.Random(3), size)
    assert len(rows) >= 2
    assert [data[row.start : row.start + len(row.raw)] for row in rows] == [row.raw for row in rows]
    assert all(row.raw[:1] == b"{" and row.raw[-1:] == b"}" for row in rows)


def test_a_row_behind_one_that_is_too_long_is_found() -> None:
    splitter = RowSplitter(max_row_bytes=50)
    data = b"x" * 80 + b"\n{}\n"
    rows = [row for row in splitter.feed(data[:60]) + splitter.feed(data[60:]) if row.raw]
    assert [(row.start, row.raw) for row in rows] == [(81, b"{}")]


@pytest.mark.skipif(not HAS_REAL, reason="the folder of real datasets is not there")
def test_rows_of_real_files_are_found_where_they_begin() -> None:
    for path in sorted(REAL.rglob("*.json*")):
        data = path.read_bytes()
        rows = cut(data, random.Random(5), 100_000)
        assert [data[row.start : row.start + len(row.raw)] for row in rows] == [row.raw for row in rows]
