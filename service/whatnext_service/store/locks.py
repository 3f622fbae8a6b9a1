"""Locks between processes that go with the connection: a killed process leaves none behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from whatnext_service.store.db import Pool
from whatnext_service.store.queries import load

sql = load(__file__)


@asynccontextmanager
async def session_lock(pool: Pool, name: str) -> AsyncIterator[bool]:
    """Hold a lock of this name, if nobody else does; yields whether it is held.

    It occupies one connection of the pool, outside any transaction, for as long as it is held.
    """
    async with pool.acquire() as conn:
        held = await conn.fetchval(sql.try_lock, name)
        try:
            yield held
        finally:
            if held:
                await conn.fetchval(sql.unlock, name)
