"""A worker like the command line's, but quick to take another for dead, and a submission for lost."""

import asyncio
import os
import signal

from whatnext_service.app import database, open_services
from whatnext_service.config import read_settings
from whatnext_service.flows import move_run
from whatnext_service.store import leases
from whatnext_service.worker.fenced import QueueSettings
from whatnext_service.worker.queue import Queue
from whatnext_service.worker.tasks import register_tasks

QUICK = QueueSettings(poll_s=0.05, heartbeat_s=0.2, stalled_s=1.5, recovery_s=0.2, stop_s=1.0, backoff_s=0.1)


async def main() -> None:
    leases.LEASE_S = 1.0
    move_run.SETTLE_S = 3.0
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = read_settings(os.environ)
    async with database(settings) as dsn, open_services(settings, dsn) as services:
        queue = Queue(dsn, services.pool, QUICK)
        register_tasks(queue, services)
        await queue.run(concurrency=settings.worker_concurrency, stop=stop)


if __name__ == "__main__":
    asyncio.run(main())
