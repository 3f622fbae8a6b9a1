"""Have a large dataset version read by a process of its own: the event loop stays free, and the memory is given back.

The process is sent an order and then the files; it answers with notes of progress and what it found. Each message is
its length as eight bytes, and then so many bytes; a message of no bytes ends a file.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeAlias, TypeVar

import msgspec

from whatnext_service.core.quality import JudgeScores, QualityReport, SetRole

PROGRAM = "whatnext_service.flows.data_program"
LENGTH_BYTES = 8

Pipe = TypeVar("Pipe", asyncio.StreamReader, asyncio.StreamWriter)


class OtherFile(msgspec.Struct, kw_only=True, frozen=True):
    """A file to be held against the version."""

    role: SetRole
    name: str


class ReportOrder(msgspec.Struct, kw_only=True, frozen=True, tag="report"):
    """Make the quality report; the version's file follows, then the others in their order."""

    others: tuple[OtherFile, ...]
    judged: JudgeScores | None


class CoverageOrder(msgspec.Struct, kw_only=True, frozen=True, tag="coverage"):
    """Count the rows that are like each type of input, by the weights of its words; the version's file follows."""

    types: tuple[dict[str, float], ...]


Order: TypeAlias = ReportOrder | CoverageOrder


class Answer(msgspec.Struct, kw_only=True, frozen=True):
    """What the process says: rows read so far, and in the end what it found, or why it found nothing."""

    n_rows: int
    report: QualityReport | None = None
    counts: tuple[int, ...] | None = None
    failure: str | None = None


class DataProcessError(RuntimeError):
    """The process ended without an answer."""


Tell: TypeAlias = Callable[[int], Awaitable[None]]


async def make_report(order: ReportOrder, files: Sequence[AsyncIterator[bytes]], tell: Tell) -> QualityReport:
    """Send the order and the files (the version's, then one for each of `order.others`); wait for the report."""
    answer = await _ask(order, files, tell)
    if answer.report is None:
        raise AssertionError("a report was ordered")
    return answer.report


async def count_coverage(order: CoverageOrder, file: AsyncIterator[bytes]) -> tuple[tuple[int, ...], int]:
    """Send the order and the file; wait for the count of each type, and of all rows."""
    answer = await _ask(order, [file], _say_nothing)
    return answer.counts or (), answer.n_rows


async def _ask(order: Order, files: Sequence[AsyncIterator[bytes]], tell: Tell) -> Answer:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", PROGRAM, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    feeding = asyncio.create_task(_feed(process, order, files))
    try:
        while (answer := await _hear(process)) is not None:
            if answer.report is not None or answer.counts is not None:
                return answer
            if answer.failure is not None:
                raise DataProcessError(answer.failure)
            await tell(answer.n_rows)
        await _end(feeding)
        raise DataProcessError(f"the process ended with status {await process.wait()}")
    finally:
        feeding.cancel()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await asyncio.gather(feeding, process.wait(), return_exceptions=True)


async def _say_nothing(n_rows: int) -> None:
    pass


async def _end(feeding: "asyncio.Task[None]") -> None:
    """Let a file that cannot be read be the reason, and not that the process then lacked it."""
    if feeding.done() and not feeding.cancelled() and (error := feeding.exception()) is not None:
        raise error


async def _feed(process: asyncio.subprocess.Process, order: Order, files: Sequence[AsyncIterator[bytes]]) -> None:
    pipe = _given(process.stdin)
    try:
        pipe.write(_framed(msgspec.msgpack.encode(order)))
        for file in files:
            async for chunk in file:
                if chunk:
                    pipe.write(_framed(chunk))
                    await pipe.drain()
            pipe.write(_framed(b""))
        await pipe.drain()
    except (BrokenPipeError, ConnectionResetError):
        return
    except BaseException:
        pipe.close()
        raise


async def _hear(process: asyncio.subprocess.Process) -> Answer | None:
    pipe = _given(process.stdout)
    try:
        n_bytes = int.from_bytes(await pipe.readexactly(LENGTH_BYTES), "little")
        return msgspec.msgpack.decode(await pipe.readexactly(n_bytes), type=Answer)
    except asyncio.IncompleteReadError:
        return None


def _framed(message: bytes) -> bytes:
    return len(message).to_bytes(LENGTH_BYTES, "little") + message


def _given(pipe: Pipe | None) -> Pipe:
    if pipe is None:
        raise AssertionError("the process was started with pipes")
    return pipe
