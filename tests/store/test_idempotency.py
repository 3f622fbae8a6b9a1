"""The row of an Idempotency-Key is the lock between twins, and goes with the transaction that claimed it."""

import asyncio
from datetime import timedelta

import pytest
from tests.store.making import NOW, a_workspace

from whatnext_service.store import idempotency
from whatnext_service.store.db import Conn, Pool
from whatnext_service.store.idempotency import StoredAnswer

REQUEST, OTHER = b"\x01" * 32, b"\x02" * 32
ANSWER = StoredAnswer(request=REQUEST, status=201, headers={"ETag": '"1"'}, body=b'{"id": 1}')


@pytest.fixture
async def ours(conn: Conn) -> str:
    return await a_workspace(conn)


async def keep(conn: Conn, workspace_id: str) -> None:
    await idempotency.keep(conn, workspace_id, "k", ANSWER.status, ANSWER.headers, ANSWER.body)


async def answer_first(conn: Conn, workspace_id: str) -> None:
    assert await idempotency.claim(conn, workspace_id, "k", REQUEST, NOW) is None
    await keep(conn, workspace_id)


async def test_whoever_comes_second_gets_the_first_answer_whatever_was_asked(conn: Conn, ours: str) -> None:
    await answer_first(conn, ours)
    assert await idempotency.claim(conn, ours, "k", REQUEST, NOW) == ANSWER
    assert await idempotency.claim(conn, ours, "k", OTHER, NOW) == ANSWER, "the caller compares the requests"


async def test_keys_belong_to_a_workspace(conn: Conn, ours: str) -> None:
    await answer_first(conn, ours)
    assert await idempotency.claim(conn, await a_workspace(conn, "theirs"), "k", REQUEST, NOW) is None


async def test_a_key_is_free_again_after_a_day(conn: Conn, ours: str) -> None:
    await answer_first(conn, ours)
    assert await idempotency.claim(conn, ours, "k", OTHER, NOW + timedelta(hours=24)) == ANSWER
    assert await idempotency.claim(conn, ours, "k", OTHER, NOW + timedelta(hours=24, seconds=1)) is None
    assert await conn.fetchval("select body from idempotency_key") is None, "the old answer is not replayed"


async def test_a_claim_that_is_rolled_back_never_was(conn: Conn, ours: str) -> None:
    async def fail() -> None:
        async with conn.transaction():
            await answer_first(conn, ours)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await idempotency.claim(conn, ours, "k", OTHER, NOW) is None


@pytest.mark.parametrize("commits", [True, False])
async def test_a_twin_waits_for_the_first_and_takes_what_it_leaves(pool: Pool, ours: str, commits: bool) -> None:
    async def twin() -> StoredAnswer | None:
        async with pool.acquire() as conn, conn.transaction():
            return await idempotency.claim(conn, ours, "k", REQUEST, NOW)

    async with pool.acquire() as conn:
        first = conn.transaction()
        await first.start()
        await answer_first(conn, ours)
        waiting = asyncio.create_task(twin())
        while not await conn.fetchval("select count(*) from pg_locks where not granted"):  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert not waiting.done()
        await (first.commit() if commits else first.rollback())
    assert await waiting == (ANSWER if commits else None)


async def test_old_keys_are_forgotten(conn: Conn, ours: str) -> None:
    await answer_first(conn, ours)
    await idempotency.forget_old(conn, NOW)
    assert await conn.fetchval("select count(*) from idempotency_key") == 1
    await idempotency.forget_old(conn, NOW + timedelta(seconds=1))
    assert await conn.fetchval("select count(*) from idempotency_key") == 0
