"""Background jobs as rows: put into the queue by anyone, held and given back by workers.

A job says "look at this now" and nothing else: the domain's rows are the truth, and a job that is lost, repeated or
late does no harm.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import asyncpg
import msgspec

from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)

Ending = Literal["succeeded", "failed", "aborted"]


class Hold(msgspec.Struct, kw_only=True, frozen=True):
    """A worker's claim on a job, which ends when the job is given to another."""

    job_id: int
    worker_id: int | None
    attempts: int
    """How many attempts had failed when it was given."""


class FailedJob(msgspec.Struct, kw_only=True, frozen=True):
    job_id: int
    task: str
    args: msgspec.Raw
    attempts: int
    reason: str | None
    failed_at: datetime | None


class QueueDepth(msgspec.Struct, kw_only=True, frozen=True):
    """How many jobs of a kind wait (`todo`) or run (`doing`)."""

    task: str
    status: str
    n: int


async def defer(
    conn: Conn,
    task: str,
    args: Mapping[str, str | int | None],
    *,
    subject: str | None = None,
    queue: str = "default",
    run_at: datetime | None = None,
) -> int:
    """Put a job into the queue as part of the caller's transaction, and return the id of the job that will run.

    Of one task and subject at most one job waits and one runs, one after the other; asking again while one waits
    answers that one, brought forward if need be. Without a subject every call makes a job.
    """
    job_id: int = await conn.fetchval(sql.defer, queue, task, subject, msgspec.json.encode(args), run_at)
    return job_id


async def finish(conn: Conn, hold: Hold, ending: Ending) -> bool:
    """End a job, and forget it if it succeeded; false, without effect, if the hold is lost."""
    delete = ending == "succeeded"
    row = await conn.fetchrow(sql.finish, hold.job_id, hold.worker_id, hold.attempts, ending, delete)
    return row is not None


async def hand_back(conn: Conn, hold: Hold, *, attempts: int, run_at: datetime | None) -> bool:
    """Let a job wait again with so many attempts behind it; false, without effect, if the hold is lost.

    If another job for its subject waits already, that one inherits its attempts and reasons and it ceases to exist.
    """
    async with conn.transaction():
        held = await conn.fetchrow(sql.hold, hold.job_id, hold.worker_id, hold.attempts)
        if held is None:
            return False
        while True:
            waiting = await conn.fetchval(sql.find_waiting, held["queueing_lock"], attempts)
            if waiting is not None:
                await conn.execute(sql.move_failures, hold.job_id, waiting)
                await conn.execute(sql.delete_job, hold.job_id)
                return True
            try:
                async with conn.transaction():
                    await conn.execute(sql.hand_back, hold.job_id, attempts, run_at)
                    return True
            except asyncpg.UniqueViolationError:
                continue


async def record_failure(conn: Conn, job_id: int, attempt: int, reason: str) -> None:
    """Keep why an attempt (the first is 1) failed; a second report about the same attempt changes nothing."""
    await conn.execute(sql.record_failure, job_id, attempt, reason.replace("\0", "\N{REPLACEMENT CHARACTER}"))


async def last_reason(conn: Conn, job_id: int) -> str | None:
    reason: str | None = await conn.fetchval(sql.last_reason, job_id)
    return reason


async def list_failed(conn: Conn, *, limit: int = 100) -> list[FailedJob]:
    """The jobs that were given up, newest first, with the last reason."""
    return [FailedJob(**{**row, "args": msgspec.Raw(row["args"])}) for row in await conn.fetch(sql.list_failed, limit)]


async def delete_ended(conn: Conn, before: datetime) -> None:
    """Forget jobs that were given up or cancelled before that time."""
    await conn.execute(sql.delete_ended, before)


async def depth(conn: Conn) -> tuple[QueueDepth, ...]:
    """The jobs that have not ended, by kind and status."""
    return tuple(QueueDepth(**row) for row in await conn.fetch(sql.depth))
