"""Endings of jobs that only their present holder can bring about, and when to try again."""

import asyncio
import datetime as dt
import logging
from collections.abc import Awaitable, Callable

import asyncpg
import msgspec
import procrastinate
from procrastinate import jobs as library_jobs
from procrastinate.manager import JobManager
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from whatnext_service.store import jobs
from whatnext_service.store.db import Conn, Pool

_log = logging.getLogger(__name__)
_UNKNOWN_TASK_ATTEMPTS = 20
CONNECTION_LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class QueueSettings(msgspec.Struct, kw_only=True, frozen=True):
    """Seconds throughout. A killed worker's job runs again after at most `stalled_s + recovery_s + poll_s`."""

    poll_s: float = 0.5
    """How late a job with a `run_at` may start; other jobs are announced."""
    heartbeat_s: float = 5.0
    stalled_s: float = 25.0
    """A worker silent for so long is taken for dead."""
    recovery_s: float = 10.0
    """How often to look for jobs of dead workers."""
    stop_s: float = 20.0
    """How long running jobs may go on after a stop before they are cancelled and handed back."""
    backoff_s: float = 2.0
    """The wait after the first failure; doubles with each further one."""
    longest_backoff_s: float = 300.0
    keep_failed_s: float = 30 * 86400.0


class PermanentFailure(Exception):
    """Raised by a task that need not be tried again."""


class RetryAfter(Exception):
    """Raised by a task to be tried again after `wait_s`, at the cost of an attempt."""

    def __init__(self, wait_s: float, reason: str) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Exhausted(Exception):
    """A job was given up; the message is the last attempt's reason."""


class FencedJobs(JobManager):
    """The library's job manager, with endings that only the present holder of a job can bring about."""

    def __init__(
        self, app: procrastinate.App, connector: procrastinate.PsycopgConnector, pool: Pool, settings: QueueSettings
    ) -> None:
        super().__init__(connector)
        self._tasks = app.tasks
        self._pool = pool
        self._settings = settings

    async def finish_job(self, job: library_jobs.Job, status: library_jobs.Status, delete_job: bool) -> None:
        hold = hold_of(job)
        if job.task_name not in self._tasks and hold.attempts < _UNKNOWN_TASK_ATTEMPTS:
            # A newer version's job: a worker of that version will come for it.
            reason = f"this worker knows no task called {job.task_name}"
            async with self._pool.acquire() as conn:
                await jobs.record_failure(conn, hold.job_id, hold.attempts + 1, reason)
            await self.retry_job(job, retry_at=_after(self._settings.longest_backoff_s / 10))
            return
        ending: jobs.Ending = (
            "succeeded"
            if status is library_jobs.Status.SUCCEEDED
            else "aborted"
            if status is library_jobs.Status.ABORTED
            else "failed"
        )
        await self._persist(hold, lambda conn: jobs.finish(conn, hold, ending))

    async def retry_job(
        self,
        job: library_jobs.Job,
        retry_at: dt.datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        hold = hold_of(job)
        attempts = hold.attempts + (retry_at is not None)
        await self._persist(hold, lambda conn: jobs.hand_back(conn, hold, attempts=attempts, run_at=retry_at))

    async def _persist(self, hold: jobs.Hold, write: Callable[[Conn], Awaitable[bool]]) -> None:
        """Insist through a restart of the database: a job that stays `doing` under a live worker is found by nobody."""
        deadline = asyncio.get_running_loop().time() + 2 * self._settings.stalled_s
        while True:
            try:
                async with self._pool.acquire() as conn:
                    if not await write(conn):
                        _log.warning("job %d was given to another worker meanwhile", hold.job_id)
                    return
            except CONNECTION_LOST:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.2)


class Backoff(BaseRetryStrategy):
    """Exponential; a job cut off by a stop is handed back at once and keeps its attempt (`retry_at` None)."""

    def __init__(self, settings: QueueSettings) -> None:
        self._settings = settings

    def get_retry_decision(self, *, exception: BaseException, job: library_jobs.Job) -> RetryDecision | None:
        if isinstance(exception, Exhausted):
            return None
        if isinstance(exception, RetryAfter):
            return RetryDecision(retry_at=_after(exception.wait_s))
        if isinstance(exception, Exception):
            settings = self._settings
            return RetryDecision(retry_at=_after(min(settings.backoff_s * 2**job.attempts, settings.longest_backoff_s)))
        return RetryDecision()


def _after(seconds: float) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)


def hold_of(job: library_jobs.Job) -> jobs.Hold:
    if job.id is None:
        raise ValueError("a job that was never stored has no holder")
    return jobs.Hold(job_id=job.id, worker_id=job.worker_id, attempts=job.attempts)
