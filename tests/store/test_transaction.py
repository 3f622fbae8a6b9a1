"""What a database that refuses, waits or is gone means to a caller; in each case nothing was changed."""

import asyncio

import pytest
from tests.store.making import a_workspace

from whatnext_service.errors import DomainError
from whatnext_service.store import transaction as subject
from whatnext_service.store.db import Conn, Pool, create_pool
from whatnext_service.store.transaction import connection, transaction

NAMES = "select array_agg(name order by name) from workspace"
RENAME = "update workspace set name = $1"


async def test_what_was_written_is_committed_or_not_at_all(pool: Pool) -> None:
    async def fail() -> None:
        async with transaction(pool) as conn:
            await a_workspace(conn, "lost")
            raise ZeroDivisionError

    async with transaction(pool) as conn:
        await a_workspace(conn, "kept")
    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await pool.fetchval(NAMES) == ["kept"]


async def test_a_lock_that_is_not_given_up_in_time_is_busy(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def rename(name: str) -> None:
        async with transaction(pool) as conn:
            await conn.execute(RENAME, name)

    async with pool.acquire() as conn:
        await a_workspace(conn, "ours")
    monkeypatch.setattr(subject, "LOCK_TIMEOUT", "20ms")
    async with transaction(pool) as conn:
        await conn.execute(RENAME, "mine")
        with pytest.raises(DomainError, match="busy"):
            await rename("theirs")
    assert await pool.fetchval(NAMES) == ["mine"]


async def test_the_limit_on_waiting_ends_with_the_transaction(dsn: str) -> None:
    async with await create_pool(dsn, max_size=1) as pool:
        before = await pool.fetchval("show lock_timeout")
        async with transaction(pool) as conn:
            assert await conn.fetchval("show lock_timeout") == "5s"
        assert await pool.fetchval("show lock_timeout") == before


async def test_of_two_who_wait_for_each_other_one_is_told(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await a_workspace(conn, "a")
        await a_workspace(conn, "b")
    both_hold_one = asyncio.Barrier(2)

    async def take(first: str, second: str) -> str:
        async with transaction(pool) as conn:
            await conn.execute("select from workspace where name = $1 for update", first)
            await both_hold_one.wait()
            await conn.execute("select from workspace where name = $1 for update", second)
        return "done"

    ended = await asyncio.gather(take("a", "b"), take("b", "a"), return_exceptions=True)
    assert sorted(end.code if isinstance(end, DomainError) else str(end) for end in ended) == ["busy", "done"]


async def test_a_character_that_cannot_be_stored_is_told(pool: Pool) -> None:
    async def store(name: str) -> None:
        async with transaction(pool) as conn:
            await a_workspace(conn, name)

    with pytest.raises(DomainError, match="invalid_text"):
        await store("nul\0")


@pytest.mark.parametrize("opened", [transaction, connection])
async def test_a_connection_that_is_lost_is_unavailable_and_the_next_one_works(pool: Pool, opened: object) -> None:
    async def work(conn: Conn) -> None:
        await conn.execute("select pg_terminate_backend(pg_backend_pid())")

    async def run() -> None:
        async with opened(pool) as conn:  # type: ignore[operator]
            await work(conn)

    with pytest.raises(DomainError, match="unavailable"):
        await run()
    async with transaction(pool) as conn:
        assert await conn.fetchval("select 1") == 1
