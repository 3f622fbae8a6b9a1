"""Whether the service can answer."""

from whatnext_service.flows.context import Services
from whatnext_service.store import workspaces
from whatnext_service.store.transaction import connection


async def check_ready(services: Services) -> None:
    """Raise `unavailable` unless the database answers."""
    async with connection(services.pool) as conn:
        await workspaces.touch(conn)
