"""The log's order is the order of the commits, each workspace has its own, and listeners hear of what was committed."""

import asyncio
from typing import Any

import asyncpg
import pytest
from tests.store.making import NOW, a_workspace, an_id

from whatnext_service.contract.workspace import Event
from whatnext_service.store import events
from whatnext_service.store.bell import CHANNEL
from whatnext_service.store.db import Conn, Pool


@pytest.fixture
async def ours(conn: Conn) -> str:
    return await a_workspace(conn)


async def tell(conn: Conn, workspace_id: str, type: str = "run.created", **fields: Any) -> str:
    event_id = an_id("evt")
    about = {"loop_id": "loop_1", "subject_id": "run_1", "version": 1} | fields
    await events.append(conn, id=event_id, workspace_id=workspace_id, type=type, now=NOW, **about)  # type: ignore[arg-type]
    return event_id


async def log(conn: Conn, workspace_id: str, after: int = 0, limit: int = 100, **filters: list[str]) -> list[Event]:
    chosen: dict[str, list[str] | None] = {"loop_ids": None, "types": None}
    page = await events.list_events(conn, workspace_id, after=after, limit=limit, **chosen | filters)  # type: ignore[arg-type]
    return list(page.data)


async def test_places_count_up_without_gaps_in_each_workspace(conn: Conn, ours: str) -> None:
    theirs = await a_workspace(conn, "theirs")
    for workspace_id in (ours, theirs, ours, theirs, ours):
        await tell(conn, workspace_id)
    assert [event.seq for event in await log(conn, ours)] == [1, 2, 3]
    assert [event.seq for event in await log(conn, theirs)] == [1, 2]


async def test_what_is_rolled_back_leaves_no_gap(conn: Conn, ours: str) -> None:
    transaction = conn.transaction()
    await transaction.start()
    await tell(conn, ours)
    await transaction.rollback()
    kept = await tell(conn, ours)
    assert [(event.seq, event.id) for event in await log(conn, ours)] == [(1, kept)]


async def test_whoever_commits_later_comes_later(pool: Pool, ours: str) -> None:
    """A reader who has seen place 2 will never find a place 1 that was committed after it."""

    async def second() -> str:
        async with pool.acquire() as conn, conn.transaction():
            return await tell(conn, ours, "second.one")

    async with pool.acquire() as conn:
        async with conn.transaction():
            await tell(conn, ours, "first.one")
            waiting = asyncio.create_task(second())
            while not await conn.fetchval("select count(*) from pg_locks where not granted"):  # noqa: ASYNC110
                await asyncio.sleep(0)
            assert not waiting.done()
        await waiting
        assert [event.type for event in await log(conn, ours)] == ["first.one", "second.one"]


async def test_the_log_is_read_on_from_a_place_and_filtered(conn: Conn, ours: str) -> None:
    for n in range(6):
        await tell(conn, ours, ("run.created", "run.failed")[n % 2], loop_id=f"loop_{n % 3}")
    assert [event.seq for event in await log(conn, ours, after=2, limit=2)] == [3, 4]
    assert [event.seq for event in await log(conn, ours, types=["run.failed"])] == [2, 4, 6]
    assert [event.seq for event in await log(conn, ours, loop_ids=["loop_0", "loop_1"])] == [1, 2, 4, 5]
    assert [event.seq for event in await log(conn, ours, after=2, types=["run.failed"], loop_ids=["loop_1"])] == []


async def test_a_place_is_known_in_its_workspace_alone(conn: Conn, ours: str) -> None:
    theirs = await a_workspace(conn, "theirs")
    event_id = await tell(conn, ours)
    assert await events.seq_of(conn, ours, event_id) == 1
    assert await events.seq_of(conn, theirs, event_id) is None


async def test_listeners_hear_after_the_commit_and_not_of_what_was_rolled_back(dsn: str, conn: Conn, ours: str) -> None:
    heard: asyncio.Queue[object] = asyncio.Queue()
    listener = await asyncpg.connect(dsn)
    await listener.add_listener(CHANNEL, lambda _conn, _pid, _channel, payload: heard.put_nowait(payload))
    transaction = conn.transaction()
    await transaction.start()
    await tell(conn, ours, subject_id="run_never")
    await transaction.rollback()
    async with conn.transaction():
        await tell(conn, ours, subject_id="run_1", loop_id=None)
        assert heard.empty()
    async with asyncio.timeout(10):
        assert await heard.get() == f"{ours} run_1 -"
    await listener.close()
