"""A large version's report is made by a process of its own, and is the same report."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
from tests.core.dataset_samples import chat, corpus_of, jsonl, labelled

from whatnext_service.core.quality import JudgeScores, OtherSet
from whatnext_service.core.quality_report import report_quality
from whatnext_service.flows.data_process import (
    LENGTH_BYTES,
    PROGRAM,
    CoverageOrder,
    DataProcessError,
    OtherFile,
    ReportOrder,
    count_coverage,
    make_report,
)
from whatnext_service.flows.report_quality import build_corpus

ROWS = [chat(text, label) for text, label in labelled(4_200)]
TRAINING = jsonl(*ROWS, ROWS[3], chat(labelled(4_200)[9][0], "another"))
HELD_OUT = jsonl(*ROWS[:5])
ORDER = ReportOrder(others=(OtherFile(role="selection", name="eval"),), judged=None)


async def in_chunks(content: bytes, size: int = 10_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def ignore(n_rows: int) -> None:
    pass


async def test_the_report_is_the_one_made_in_process() -> None:
    heard: list[int] = []

    async def hear(n_rows: int) -> None:
        heard.append(n_rows)

    judged = JudgeScores(scores=b"\0" * 8 * (len(ROWS) + 2), threshold=5.0)
    order = ReportOrder(others=ORDER.others, judged=judged)
    made = await make_report(order, [in_chunks(TRAINING), in_chunks(HELD_OUT)], hear)
    other = OtherSet(role="selection", name="eval", corpus=corpus_of(HELD_OUT))
    corpus = await build_corpus(in_chunks(TRAINING))
    assert made == report_quality(corpus, (other,), judged=judged)
    assert heard == [4096]


async def test_a_row_that_cannot_be_read_is_named() -> None:
    with pytest.raises(DataProcessError, match="DomainError"):
        await make_report(ReportOrder(others=(), judged=None), [in_chunks(b'{"a": 1}\n')], ignore)


async def test_a_file_that_cannot_be_sent_is_the_reason() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield TRAINING[:1000]
        raise LookupError("the chunk is gone")

    with pytest.raises(LookupError, match="the chunk is gone"):
        await make_report(ReportOrder(others=(), judged=None), [broken()], ignore)


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


async def started(before: set[int]) -> int:
    while not (new := children() - before):  # noqa: ASYNC110 -- nobody says that a process was started
        await asyncio.sleep(0)
    return new.pop()


async def never_ending() -> AsyncIterator[bytes]:
    while True:
        yield TRAINING


@pytest.mark.parametrize("end", [lambda task, pid: task.cancel(), lambda task, pid: os.kill(pid, signal.SIGKILL)])
async def test_it_leaves_no_process_behind(end: Callable[[asyncio.Task[object], int], object]) -> None:
    before = children()
    task = asyncio.create_task(make_report(ReportOrder(others=(), judged=None), [never_ending()], ignore))
    end(task, await started(before))
    with pytest.raises((asyncio.CancelledError, DataProcessError)):
        await task
    assert children() == before


async def test_it_ends_with_its_input() -> None:
    """Whoever feeds it was killed: nobody wants the report any more."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", PROGRAM, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    message = msgspec.msgpack.encode(ORDER)
    out, _ = await program.communicate(len(message).to_bytes(LENGTH_BYTES, "little") + message + b"\x10")
    assert (program.returncode, out) == (1, b"")


async def test_rows_of_a_type_are_counted() -> None:
    types = ({"rain": 1.0, "storm": 2.0}, {"nowhere": 1.0}, {})
    counts, n_rows = await count_coverage(CoverageOrder(types=types), in_chunks(TRAINING))
    assert n_rows == len(ROWS) + 2
    texts = [str(row["messages"][0]["content"]).split() for row in [*ROWS, ROWS[3], ROWS[9]]]
    assert counts == (sum("rain" in words or "storm" in words for words in texts), 0, 0)
