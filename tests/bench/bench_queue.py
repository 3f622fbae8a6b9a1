"""Measure the job queue on a durable embedded server: python tests/bench/bench_queue.py [JOBS]"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from whatnext_service.store.db import Pool, create_pool
from whatnext_service.store.embedded import EmbeddedPostgres
from whatnext_service.store.jobs import defer
from whatnext_service.store.migrate import migrate
from whatnext_service.store.postgres_cluster import EmbeddedSettings
from whatnext_service.worker.queue import Queue


async def throughput(dsn: str, pool: Pool, n_jobs: int, concurrency: int) -> None:
    done, all_done, stop = 0, asyncio.Event(), asyncio.Event()

    async def body(number: int) -> None:
        nonlocal done
        done += 1
        if done == n_jobs:
            all_done.set()

    queue = Queue(dsn, pool)
    queue.register("body", body)
    started = time.perf_counter()
    for number in range(n_jobs):
        async with pool.acquire() as conn, conn.transaction():
            await defer(conn, "body", {"number": number}, subject=str(number))
    enqueued = time.perf_counter()
    worker = asyncio.create_task(queue.run(concurrency=concurrency, stop=stop))
    await all_done.wait()
    ended = time.perf_counter()
    stop.set()
    await worker
    left = await pool.fetchval("select count(*) from procrastinate_jobs")
    print(
        f"concurrency {concurrency:2}: {n_jobs / (enqueued - started):6.0f} enqueued/s,"
        f" {n_jobs / (ended - enqueued):6.0f} run/s, {left} left"
    )


async def latency(dsn: str, pool: Pool) -> None:
    delays: list[float] = []
    ran, stop = asyncio.Event(), asyncio.Event()

    async def body(sent: int) -> None:
        delays.append((time.perf_counter_ns() - sent) / 1e6)
        ran.set()

    queue = Queue(dsn, pool)
    queue.register("body", body)
    worker = asyncio.create_task(queue.run(concurrency=4, stop=stop))
    for _ in range(101):
        ran.clear()
        async with pool.acquire() as conn:
            await defer(conn, "body", {"sent": time.perf_counter_ns()})
        await ran.wait()
    stop.set()
    await worker
    print(f"from enqueueing to start: p50 {statistics.median(delays[1:]):.1f} ms, max {max(delays[1:]):.1f} ms")


async def main(folder: Path, n_jobs: int) -> None:
    async with EmbeddedPostgres(EmbeddedSettings(root=folder)) as dsn:
        await migrate(dsn)
        async with await create_pool(dsn) as pool:
            for concurrency in (1, 4, 10):
                await throughput(dsn, pool, n_jobs, concurrency)
            await latency(dsn, pool)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="whatnext-bench-") as temporary:
        Path(temporary).chmod(0o755)
        asyncio.run(main(Path(temporary), int(sys.argv[1]) if len(sys.argv) > 1 else 500))
