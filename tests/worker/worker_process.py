"""A worker process. Arguments: a DSN. Says `started N` when job N starts; ends at SIGTERM.

Tasks: `slow` never ends; `deadly` kills the process.
"""

import asyncio
import os
import signal
import sys

from whatnext_service.store.db import create_pool
from whatnext_service.worker.fenced import QueueSettings
from whatnext_service.worker.queue import Queue

QUICK = QueueSettings(poll_s=0.05, heartbeat_s=0.1, stalled_s=0.6, recovery_s=0.05, stop_s=0.1, backoff_s=0.01)


async def slow(number: int) -> None:
    print("started", number, flush=True)
    await asyncio.Event().wait()


async def deadly(number: int) -> None:
    print("started", number, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


async def main(dsn: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with await create_pool(dsn) as pool:
        queue = Queue(dsn, pool, QUICK)
        queue.register("slow", slow)
        queue.register("deadly", deadly, attempts=2)
        await queue.run(concurrency=4, stop=stop)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
