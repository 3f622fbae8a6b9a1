"""Have a quality report made by a process of its own: the event loop stays free, and the memory is given back.

The process is sent an order and then the files; it answers with notes of progress and the report. Each message is its
length as eight bytes, and then so many bytes; a message of no bytes ends a file.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from whatnext_service.core.quality import JudgeScores, QualityReport, SetRole

PROGRAM = "whatnext_service.flows.report_program"
LENGTH_BYTES = 8

Pipe = TypeVar("Pipe", asyncio.StreamReader, asyncio.StreamWriter)


class OtherFile(msgspec.Struct, kw_only=True, frozen=True):
    """A file to be held against the version."""

    role: SetRole
    name: str


class Order(msgspec.Struct, kw_only=True, frozen=True):
    """What the process is to do; the version's file follows, then the others in their order."""

    others: tuple[OtherFile, ...]
    judged: JudgeScores | None


class Answer(msgspec.Struct, kw_only=True, frozen=True):
    """What the process says: rows read so far, and in the end the report, or why there is none."""

    n_rows: int
    report: QualityReport | None = None
    failure: str | None = None


class ReportProcessError(RuntimeError):
    """The process ended without a report."""


async def make_report(
    order: Order, files: Sequence[AsyncIterator[bytes]], tell: Callable[[int], Awaitable[None]]
) -> QualityReport:
    """Send the order and the files (the version's, then one for each of `order.others`); wait for the report."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", PROGRAM, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    feeding = asyncio.create_task(_feed(process, order, files))
    try:
        while (answer := await _hear(process)) is not None:
            if answer.report is not None:
                return answer.report
            if answer.failure is not None:
                raise ReportProcessError(answer.failure)
            await tell(answer.n_rows)
        await _end(feeding)
        raise ReportProcessError(f"the report's process ended with status {await process.wait()}")
    finally:
        feeding.cancel()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await asyncio.gather(feeding, process.wait(), return_exceptions=True)


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
