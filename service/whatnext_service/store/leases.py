"""Leases between processes: at most one works on a subject, and a killed one leaves nothing locked for long.

A lease is a row, so it occupies no connection while a provider is asked, and works through a pooler.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import asyncpg

from whatnext_service.store.db import Conn, Pool
from whatnext_service.store.queries import load

sql = load(__file__)

LEASE_S = 15.0
"""How long a lease lasts after its last renewal. Less than the silence after which a worker counts as dead: whoever is
given its job finds the lease ended."""
_LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


@asynccontextmanager
async def lease(pool: Pool, name: str) -> AsyncIterator[bool]:
    """Hold the lease of this name, unless another does; yields whether it is held.

    It is renewed as long as the block goes on. Where that fails until the lease ends, or another holds it, the block is
    cancelled and TimeoutError raised: it never goes on in the belief to be alone.
    """
    asked_s = asyncio.get_running_loop().time()
    holder = await pool.fetchval(sql.take, name, LEASE_S)
    if holder is None:
        yield False
        return
    try:
        async with asyncio.timeout_at(asked_s + LEASE_S) as limit:
            keeper = asyncio.create_task(_keep(pool, name, holder, limit))
            try:
                yield True
            finally:
                keeper.cancel()
                await asyncio.wait([keeper])
    finally:
        with suppress(*_LOST):
            await pool.execute(sql.release, name, holder)


async def _keep(pool: Pool, name: str, holder: UUID, limit: asyncio.Timeout) -> None:
    """Renew the lease again and again, and move the block's time limit with it."""
    while True:
        await asyncio.sleep(LEASE_S / 3)
        asked_s = asyncio.get_running_loop().time()
        with suppress(*_LOST):
            held = await pool.fetchval(sql.renew, name, holder, LEASE_S)
            limit.reschedule(asked_s + LEASE_S if held else asked_s)


async def forget_ended(conn: Conn) -> None:
    """Drop the leases that killed processes left behind."""
    await conn.execute(sql.forget_ended)
