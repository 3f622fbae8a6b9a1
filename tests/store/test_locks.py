"""Whoever had to wait for a row sees what was written to it meanwhile, not what stood there before."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest
from tests.store.making import NOW, a_loop, a_workspace
from tests.store.test_webhooks import an_endpoint

from whatnext_service.store import loops, webhooks
from whatnext_service.store.db import Conn, Pool

LATER = NOW + timedelta(minutes=1)
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
Act = Callable[[Conn, str, str], Awaitable[object]]


async def change_loop(conn: Conn, workspace_id: str, loop_id: str) -> None:
    loop = await loops.get_loop(conn, workspace_id, loop_id)
    assert loop is not None
    await loops.update_loop(conn, workspace_id, msgspec.structs.replace(loop, task="Sort parcels."), LATER)


async def change_endpoint(conn: Conn, workspace_id: str, endpoint_id: str) -> None:
    endpoint = await webhooks.get_endpoint(conn, workspace_id, endpoint_id)
    assert endpoint is not None
    await webhooks.update_endpoint(conn, workspace_id, msgspec.structs.replace(endpoint, description="new"), LATER)


@pytest.mark.parametrize(
    ("make", "change", "lock"),
    [
        (a_loop, change_loop, loops.lock_loop),
        (an_endpoint, change_endpoint, webhooks.lock_endpoint),
    ],
    ids=["loop", "endpoint"],
)
async def test_a_lock_that_was_waited_for_gives_the_row_as_it_is_now(
    pool: Pool, conn: Conn, make: Callable[[Conn, str], Awaitable[str]], change: Act, lock: Act
) -> None:
    ours = await a_workspace(conn)
    row_id = await make(conn, ours)

    async def wait_for_it() -> int:
        async with pool.acquire() as other, other.transaction():
            found = await lock(other, ours, row_id)
            version: int = found.version  # type: ignore[attr-defined]
            return version

    async with conn.transaction():
        await change(conn, ours, row_id)
        waiting = asyncio.ensure_future(wait_for_it())
        while not await pool.fetchval(WAITING):
            pass
    assert await waiting == 2
