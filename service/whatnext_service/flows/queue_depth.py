"""How many background jobs wait or run."""

from whatnext_service.flows.context import Services
from whatnext_service.store import jobs
from whatnext_service.store.jobs import QueueDepth
from whatnext_service.store.transaction import connection

__all__ = ["QueueDepth", "queue_depth"]


async def queue_depth(services: Services) -> tuple[QueueDepth, ...]:
    """The jobs that have not ended, by kind and status."""
    async with connection(services.pool) as conn:
        return await jobs.depth(conn)
