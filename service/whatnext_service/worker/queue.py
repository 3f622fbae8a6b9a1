"""The job queue: procrastinate, with what a loop that spends money needs besides.

Added to the library: enqueueing in an asyncpg transaction (`store.jobs.defer`), fenced endings, reasons of failures,
recovery from killed workers, retries that do not trip over a waiting job for the same subject, and a worker that
survives a restart of the database.
"""

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import Awaitable, Callable

import procrastinate
import psycopg_pool
from procrastinate.exceptions import AppNotOpen, ConnectorException

from whatnext_service.store import jobs
from whatnext_service.store.db import Pool
from whatnext_service.worker.fenced import (
    CONNECTION_LOST,
    Backoff,
    Exhausted,
    FencedJobs,
    PermanentFailure,
    QueueSettings,
    hold_of,
)

_log = logging.getLogger(__name__)
_LONGEST_REASON = 2000
TaskBody = Callable[..., Awaitable[None]]
OnExhausted = Callable[..., Awaitable[None]]


class Queue:
    """Task kinds and the worker that runs them; `pool` is for short statements, the library keeps its own."""

    def __init__(self, dsn: str, pool: Pool, settings: QueueSettings | None = None) -> None:
        self._pool = pool
        self._settings = settings or QueueSettings()
        # A claim is on disk before any later commit is, such as the intent that precedes a paid call; a claim lost in
        # a crash of the database before that only repeats a job. Waiting for the disk would halve the rate.
        options = {"application_name": "whatnext-queue", "options": "-c synchronous_commit=off"}
        connector = procrastinate.PsycopgConnector(conninfo=dsn, min_size=1, max_size=4, kwargs=options)
        self._app = procrastinate.App(connector=connector)
        self._library = FencedJobs(self._app, connector, pool, self._settings)
        self._app.job_manager = self._library

    def register(self, name: str, run: TaskBody, *, attempts: int = 5, on_exhausted: OnExhausted | None = None) -> None:
        """Run jobs of this name by awaiting `run(**args)`.

        After `attempts` failures (deaths of the worker included), or one PermanentFailure, the job ends as failed;
        `on_exhausted(reason, **args)` is told first, and again if it fails or is cut off.
        """

        async def attempt(context: procrastinate.JobContext, /, **args: object) -> None:
            await self._attempt(context, run, args, attempts, on_exhausted)

        self._app.task(name=name, pass_context=True, retry=Backoff(self._settings))(attempt)

    def register_periodic(self, name: str, run: Callable[[], Awaitable[None]], *, cron: str) -> None:
        """Await `run()` at these times (cron, with an optional sixth field for seconds), in one worker of all.

        A failure is recorded and not retried: the next time comes soon.
        """

        async def attempt(context: procrastinate.JobContext, timestamp: int) -> None:
            await self._attempt(context, run, {}, 1, None)

        task = self._app.task(name=name, pass_context=True, lock=name, queueing_lock=name)(attempt)
        self._app.periodic(cron=cron)(task)

    async def run(self, *, concurrency: int, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then let running jobs end; a lost database is waited for."""
        recovery = asyncio.create_task(self._recover_for_ever(), name="job-recovery")
        pause_s = 0.1
        try:
            while not stop.is_set():
                started = asyncio.get_running_loop().time()
                try:
                    await self._work(concurrency, stop)
                except (ConnectorException, psycopg_pool.PoolTimeout, OSError) as error:
                    _log.warning("the worker lost the database: %s", error)
                if asyncio.get_running_loop().time() - started > 10:
                    pause_s = 0.1
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause_s)
                pause_s = min(pause_s * 2, 5.0)
        finally:
            recovery.cancel()
            await asyncio.gather(recovery, return_exceptions=True)

    async def recover(self) -> int:
        """Hand back the jobs of workers that died, each at the cost of an attempt; return how many."""
        stalled = await self._library.get_stalled_jobs(seconds_since_heartbeat=self._settings.stalled_s)
        recovered = 0
        for job in stalled:
            hold = hold_of(job)
            now = dt.datetime.now(dt.UTC)
            async with self._pool.acquire() as conn:
                await jobs.record_failure(conn, hold.job_id, hold.attempts + 1, "the worker died while it ran")
                recovered += await jobs.hand_back(conn, hold, attempts=hold.attempts + 1, run_at=now)
        return recovered

    async def _work(self, concurrency: int, stop: asyncio.Event) -> None:
        settings = self._settings
        async with self._app.open_async():
            worker = asyncio.create_task(
                self._app.run_worker_async(
                    concurrency=concurrency,
                    fetch_job_polling_interval=settings.poll_s,
                    shutdown_graceful_timeout=settings.stop_s,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                    update_heartbeat_interval=settings.heartbeat_s,
                    stalled_worker_timeout=settings.stalled_s,
                ),
                name="job-worker",
            )
            stopping = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait((worker, stopping), return_when=asyncio.FIRST_COMPLETED)
            finally:
                stopping.cancel()
                # The library turns a cancellation into a graceful stop.
                if not worker.done():
                    worker.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await worker

    async def _recover_for_ever(self) -> None:
        settings = self._settings
        while True:
            await asyncio.sleep(settings.recovery_s)
            try:
                if recovered := await self.recover():
                    _log.warning("recovered %d jobs of workers that died", recovered)
                before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=settings.keep_failed_s)
                async with self._pool.acquire() as conn:
                    await jobs.delete_ended(conn, before)
            except (*CONNECTION_LOST, ConnectorException, AppNotOpen) as error:
                _log.warning("no look for jobs of dead workers: %s", error)

    async def _attempt(
        self,
        context: procrastinate.JobContext,
        run: TaskBody,
        args: dict[str, object],
        attempts: int,
        on_exhausted: OnExhausted | None,
    ) -> None:
        hold = hold_of(context.job)
        told = {"task": context.job.task_name, **args, "attempt": hold.attempts + 1}
        if hold.attempts < attempts:
            started_s = asyncio.get_running_loop().time()
            try:
                await run(**args)
                duration_s = round(asyncio.get_running_loop().time() - started_s, 4)
                _log.log(logging.INFO if args else logging.DEBUG, "job", extra={**told, "duration_s": duration_s})
                return
            except asyncio.CancelledError:
                if context.should_abort():
                    raise
                reason = "it was cancelled from within"
                failure: Exception = RuntimeError(reason)
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
                failure = error
            _log.warning("job failed", extra={**told, "reason": reason}, exc_info=failure)
            async with self._pool.acquire() as conn:
                await jobs.record_failure(conn, hold.job_id, hold.attempts + 1, reason)
            if hold.attempts + 1 < attempts and not isinstance(failure, PermanentFailure):
                raise failure
        else:
            async with self._pool.acquire() as conn:
                reason = await jobs.last_reason(conn, hold.job_id) or "unknown"
        if on_exhausted is not None:
            await on_exhausted(reason, **args)
        raise Exhausted(reason)
