"""Whose key is this?"""

from whatnext_service.errors import DomainError
from whatnext_service.flows.context import Services
from whatnext_service.store import workspaces
from whatnext_service.store.transaction import connection
from whatnext_service.store.workspaces import Caller


async def authenticate(services: Services, sha256: bytes) -> Caller:
    """The holder of the key with this digest; an unknown or revoked key is `unauthorized`."""
    async with connection(services.pool) as conn:
        caller = await workspaces.caller_of(conn, sha256)
    if caller is None:
        raise DomainError("unauthorized", "The API key is unknown or was revoked.")
    return caller
