import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from tests.worker.worker_process import QUICK

from whatnext_service.store.db import Pool, create_pool
from whatnext_service.store.embedded import EmbeddedPostgres
from whatnext_service.store.jobs import FailedJob, defer, list_failed
from whatnext_service.store.migrate import migrate
from whatnext_service.store.postgres_cluster import EmbeddedSettings
from whatnext_service.worker.fenced import CONNECTION_LOST, PermanentFailure, QueueSettings, RetryAfter
from whatnext_service.worker.queue import Queue

SCRIPT = Path(__file__).with_name("worker_process.py")


@pytest.fixture
def queue(dsn: str, pool: Pool) -> Queue:
    return Queue(dsn, pool, QUICK)


@asynccontextmanager
async def working(queue: Queue, concurrency: int = 4) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    async with asyncio.timeout(30):
        worker = asyncio.create_task(queue.run(concurrency=concurrency, stop=stop))
        try:
            yield stop
        finally:
            stop.set()
            await worker


async def until(predicate: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await predicate():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def statuses(pool: Pool) -> list[tuple[str, int]]:
    rows = await pool.fetch("select status::text, attempts from procrastinate_jobs order by id")
    return [(row["status"], row["attempts"]) for row in rows]


async def until_empty(pool: Pool) -> None:
    async def empty() -> bool:
        return await statuses(pool) == []

    await until(empty)


async def until_failed(pool: Pool) -> FailedJob:
    async with pool.acquire() as conn:

        async def failed() -> bool:
            return bool(await list_failed(conn))

        await until(failed)
        return (await list_failed(conn))[0]


class Recorder:
    """A task body that fails as told, in turn, and then succeeds."""

    def __init__(self, *failures: BaseException | None) -> None:
        self.failures = list(failures)
        self.calls: list[dict[str, object]] = []
        self.called = asyncio.Event()

    async def __call__(self, **args: object) -> None:
        self.calls.append(args)
        self.called.set()
        if self.failures and (failure := self.failures.pop(0)) is not None:
            raise failure


async def test_a_job_runs_if_its_transaction_commits(queue: Queue, pool: Pool) -> None:
    body = Recorder()
    queue.register("look", body)
    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await defer(conn, "look", {"run_id": "lost"})
        await transaction.rollback()
        async with conn.transaction():
            await defer(conn, "look", {"run_id": "kept"})
    async with working(queue):
        await until_empty(pool)
    assert body.calls == [{"run_id": "kept"}]


async def test_a_subject_has_one_waiting_job_for_each_task(pool: Pool) -> None:
    async with pool.acquire() as conn, conn.transaction():
        first = await defer(conn, "look", {"n": 1}, subject="a")
        assert await defer(conn, "look", {"n": 1}, subject="a") == first
        assert await defer(conn, "look", {"n": 2}, subject="b") != first
        assert await defer(conn, "tell", {"n": 1}, subject="a") != first
        assert await defer(conn, "look", {"n": 1}) != await defer(conn, "look", {"n": 1})
    assert len(await statuses(pool)) == 5


async def test_asking_again_brings_a_waiting_job_forward_and_never_back(pool: Pool) -> None:
    soon, late = (datetime.now(UTC) + timedelta(hours=hours) for hours in (1, 2))

    async def ask(at: datetime | None) -> object:
        async with pool.acquire() as conn:
            await defer(conn, "look", {}, subject="a", run_at=at)
            return await conn.fetchval("select scheduled_at from procrastinate_jobs")

    assert [await ask(at) for at in (late, soon, late, None, soon)] == [late, soon, soon, None, None]


async def test_asking_again_does_not_cut_a_backoff_short(pool: Pool) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    async with pool.acquire() as conn:
        await defer(conn, "look", {}, subject="a", run_at=later)
        await conn.execute("update procrastinate_jobs set attempts = 1")
        await defer(conn, "look", {}, subject="a")
        assert await conn.fetchval("select scheduled_at from procrastinate_jobs") == later


async def test_a_waiting_job_starts_only_when_what_was_asked_of_it_can_be_seen(queue: Queue, pool: Pool) -> None:
    seen: list[object] = []
    marked = asyncio.Event()

    async def look() -> None:
        seen.append(await pool.fetchval("select count(*) from workspace"))

    async def mark() -> None:
        marked.set()

    queue.register("look", look)
    queue.register("mark", mark)
    async with pool.acquire() as conn:
        await defer(conn, "look", {}, subject="a")
        async with conn.transaction():
            await conn.execute("insert into workspace (id, name, created_at) values ('ws_a', 'a', now())")
            await defer(conn, "look", {}, subject="a")
            async with working(queue):
                async with pool.acquire() as other:
                    await defer(other, "mark", {})
                await marked.wait()
        async with working(queue):
            await until_empty(pool)
    assert seen == [1]


async def test_jobs_run_together_but_a_subjects_run_in_turn(queue: Queue, pool: Pool) -> None:
    barrier, running, together = asyncio.Barrier(3), 0, 0

    async def meet() -> None:
        await barrier.wait()

    async def alone(again: bool) -> None:
        nonlocal running, together
        running += 1
        together = max(together, running)
        if again:
            async with pool.acquire() as conn:
                await defer(conn, "alone", {"again": False}, subject="a")
        for _ in range(100):
            await asyncio.sleep(0)
        running -= 1

    queue.register("meet", meet)
    queue.register("alone", alone)
    async with pool.acquire() as conn:
        for _ in range(3):
            await defer(conn, "meet", {})
        await defer(conn, "alone", {"again": True}, subject="a")
    async with working(queue):
        await until_empty(pool)
    assert together == 1


async def test_a_failing_job_is_tried_again(queue: Queue, pool: Pool) -> None:
    body = Recorder(ValueError("once"), OSError("twice"))
    queue.register("look", body, attempts=3)
    async with pool.acquire() as conn:
        await defer(conn, "look", {"n": 7}, subject="a")
    async with working(queue):
        await until_empty(pool)
    assert body.calls == [{"n": 7}] * 3


async def test_a_poison_job_ends_after_its_attempts_with_a_reason(queue: Queue, pool: Pool) -> None:
    body, told = Recorder(*(ValueError(f"bad \0 {n}") for n in range(9))), Recorder()

    async def tell(reason: str, **args: object) -> None:
        await told(reason=reason, **args)

    queue.register("look", body, attempts=3, on_exhausted=tell)
    async with pool.acquire() as conn:
        await defer(conn, "look", {"n": 7}, subject="a")
    async with working(queue):
        failed = await until_failed(pool)
    assert (len(body.calls), failed.task, failed.attempts) == (3, "look", 3)
    assert (failed.reason, msgspec.json.decode(failed.args)) == ("ValueError: bad � 2", {"n": 7})
    assert told.calls == [{"reason": "ValueError: bad \0 2", "n": 7}]


async def test_a_permanent_failure_is_not_tried_again(queue: Queue, pool: Pool) -> None:
    body = Recorder(PermanentFailure("no such model"))
    queue.register("look", body)
    async with pool.acquire() as conn:
        await defer(conn, "look", {})
    async with working(queue):
        failed = await until_failed(pool)
    assert (len(body.calls), failed.reason) == (1, "PermanentFailure: no such model")


async def test_whoever_must_know_of_the_end_is_told_again_if_that_fails(queue: Queue, pool: Pool) -> None:
    body, told = Recorder(ValueError("bad"), ValueError("bad")), Recorder(OSError("no network"))

    async def tell(reason: str) -> None:
        await told(reason=reason)

    queue.register("look", body, attempts=1, on_exhausted=tell)
    async with pool.acquire() as conn:
        await defer(conn, "look", {})
    async with working(queue):
        await until_failed(pool)
    assert (len(body.calls), told.calls) == (1, [{"reason": "ValueError: bad"}] * 2)


async def test_a_task_may_choose_its_wait(queue: Queue, pool: Pool) -> None:
    queue.register("look", Recorder(RetryAfter(3600, "slow down")))
    async with pool.acquire() as conn:
        await defer(conn, "look", {})

    async def waiting() -> bool:
        return await statuses(pool) == [("todo", 1)]

    async with working(queue):
        await until(waiting)
    assert await pool.fetchval("select scheduled_at > now() + interval '50 minutes' from procrastinate_jobs")


async def test_a_retry_meets_a_waiting_job_and_becomes_it(queue: Queue, pool: Pool) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)

    async def look() -> None:
        async with pool.acquire() as conn:
            await defer(conn, "look", {}, subject="a", run_at=later)
        raise ValueError("bad")

    queue.register("look", look)
    async with pool.acquire() as conn:
        first = await defer(conn, "look", {}, subject="a")

    async def merged() -> bool:
        return await statuses(pool) == [("todo", 1)]

    async with working(queue):
        await until(merged)
    assert await pool.fetchval("select count(*) from procrastinate_jobs where id = $1", first) == 0
    assert await pool.fetchval("select reason from job_failure") == "ValueError: bad"


async def test_a_job_cancelled_from_within_counts_as_failed(queue: Queue, pool: Pool) -> None:
    queue.register("look", Recorder(asyncio.CancelledError()), attempts=1)
    async with pool.acquire() as conn:
        await defer(conn, "look", {})
    async with working(queue):
        assert (await until_failed(pool)).reason == "it was cancelled from within"


async def test_a_newer_versions_job_waits_for_a_newer_worker(dsn: str, queue: Queue, pool: Pool) -> None:
    settings = msgspec.structs.replace(QUICK, longest_backoff_s=0.1)
    async with pool.acquire() as conn:
        await defer(conn, "novelty", {})

    async def refused() -> bool:
        return await pool.fetchval("select reason from job_failure") == "this worker knows no task called novelty"

    async with working(Queue(dsn, pool, settings)):
        await until(refused)
    body = Recorder()
    queue.register("novelty", body)
    async with working(queue):
        await until_empty(pool)
    assert len(body.calls) == 1


async def test_a_stop_lets_running_jobs_end(dsn: str, pool: Pool) -> None:
    queue = Queue(dsn, pool, msgspec.structs.replace(QUICK, stop_s=20))
    started, go_on = asyncio.Event(), asyncio.Event()

    async def look() -> None:
        started.set()
        await go_on.wait()

    queue.register("look", look)
    async with pool.acquire() as conn:
        await defer(conn, "look", {}, subject="a")
        async with working(queue) as stop:
            await started.wait()
            stop.set()
            await defer(conn, "look", {}, subject="b")
            go_on.set()
    assert await statuses(pool) == [("todo", 0)]


async def test_a_stop_hands_back_what_takes_too_long_without_counting_it(queue: Queue, pool: Pool) -> None:
    started = asyncio.Event()

    async def look() -> None:
        started.set()
        await asyncio.Event().wait()

    queue.register("look", look)
    async with pool.acquire() as conn:
        await defer(conn, "look", {}, subject="a")
    async with working(queue):
        await started.wait()
    assert await statuses(pool) == [("todo", 0)]


async def test_a_worker_taken_for_dead_cannot_end_a_job_that_is_anothers(queue: Queue, pool: Pool) -> None:
    starts: asyncio.Queue[asyncio.Event] = asyncio.Queue()

    async def look() -> None:
        go_on = asyncio.Event()
        await starts.put(go_on)
        await go_on.wait()

    queue.register("look", look)
    async with pool.acquire() as conn:
        await defer(conn, "look", {}, subject="a")
    async with working(queue):
        first = await starts.get()
        await pool.execute("update procrastinate_jobs set worker_id = null")
        second = await starts.get()
        first.set()
        for _ in range(100):
            await asyncio.sleep(0)
        assert await statuses(pool) == [("doing", 1)]
        second.set()
        await until_empty(pool)


async def test_a_worker_survives_the_loss_of_its_connections(queue: Queue, pool: Pool) -> None:
    started, go_on, body = asyncio.Event(), asyncio.Event(), Recorder()

    async def look() -> None:
        started.set()
        await go_on.wait()

    queue.register("look", look)
    queue.register("later", body)
    async with pool.acquire() as conn:
        await defer(conn, "look", {}, subject="a")
    async with working(queue):
        await started.wait()
        await pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        go_on.set()
        async with pool.acquire() as conn:
            await defer(conn, "later", {})
        await until_empty(pool)
    assert len(body.calls) == 1


async def test_a_job_that_ends_while_the_database_is_down_is_not_run_again(test_folder: Path) -> None:
    runs, started, go_on = 0, asyncio.Event(), asyncio.Event()

    async def look() -> None:
        nonlocal runs
        runs += 1
        started.set()
        await go_on.wait()

    root = test_folder / "restarted"
    async with EmbeddedPostgres(EmbeddedSettings(root=root)) as dsn:
        await migrate(dsn)
        async with await create_pool(dsn) as pool:
            queue = Queue(dsn, pool, msgspec.structs.replace(QUICK, stalled_s=5))
            queue.register("look", look)
            async with pool.acquire() as conn:
                await defer(conn, "look", {}, subject="a")
            async with working(queue):
                await started.wait()
                await pool.execute("checkpoint")
                os.kill(int((root / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
                go_on.set()

                async def ended() -> bool:
                    with contextlib.suppress(*CONNECTION_LOST):
                        return await statuses(pool) == []
                    return False

                await until(ended)
    assert runs == 1


async def test_a_periodic_job_runs_once_among_workers(dsn: str, pool: Pool) -> None:
    runs = 0

    async def sweep() -> None:
        nonlocal runs
        runs += 1

    async def three_runs() -> bool:
        return runs >= 3

    one, two = (Queue(dsn, pool, QUICK) for _ in range(2))
    for queue in (one, two):
        queue.register_periodic("sweep", sweep, cron="* * * * * *")
    first = int(time.time())
    async with working(one), working(two):
        await until(three_runs)
    assert runs <= int(time.time()) - first + 1, "both workers ran it for the same second"


def test_a_killed_workers_job_runs_again_within_a_minute_by_default() -> None:
    settings = QueueSettings()
    assert settings.stalled_s + settings.recovery_s + settings.poll_s < 60
    assert settings.heartbeat_s * 4 < settings.stalled_s


@asynccontextmanager
async def another(dsn: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.StreamReader]]:
    process = await asyncio.create_subprocess_exec(sys.executable, str(SCRIPT), dsn, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield process, process.stdout
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_killed_workers_job_runs_again(dsn: str, queue: Queue, pool: Pool) -> None:
    body = Recorder()
    queue.register("slow", body)
    async with pool.acquire() as conn:
        await defer(conn, "slow", {"number": 7}, subject="a")
    async with another(dsn) as (process, output):
        assert await output.readline() == b"started 7\n"
        process.kill()
    async with working(queue):
        await until_empty(pool)
    assert body.calls == [{"number": 7}]


async def test_a_job_that_kills_its_workers_ends_too(dsn: str, queue: Queue, pool: Pool) -> None:
    body = Recorder()
    queue.register("deadly", body, attempts=2)
    async with pool.acquire() as conn:
        await defer(conn, "deadly", {"number": 7}, subject="a")
    for _ in range(2):
        async with another(dsn) as (process, output):
            assert await output.readline() == b"started 7\n"
            assert await process.wait() == -signal.SIGKILL
    async with working(queue):
        failed = await until_failed(pool)
    assert (failed.reason, body.calls) == ("the worker died while it ran", [])


async def test_a_worker_process_ends_cleanly_when_told_to(dsn: str, pool: Pool) -> None:
    async with pool.acquire() as conn:
        await defer(conn, "slow", {"number": 7}, subject="a")
    async with another(dsn) as (process, output):
        await output.readline()
        process.terminate()
        assert await process.wait() == 0
    assert await statuses(pool) == [("todo", 0)]
    assert await pool.fetchval("select count(*) from procrastinate_workers") == 0
