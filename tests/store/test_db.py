import asyncio

import msgspec

from whatnext_service.store.db import Conn, Pool, create_pool


async def test_json_travels_as_bytes(conn: Conn) -> None:
    document = msgspec.json.encode({"rate": 0.1, "text": "naïve"})
    row = await conn.fetchrow(
        "select $1::jsonb as binary, $1::jsonb ->> 'text' as text, $2::json as plain", document, b"[1, 2]"
    )
    assert row is not None
    assert msgspec.json.decode(row["binary"]) == {"rate": 0.1, "text": "naïve"}
    assert (row["text"], row["plain"]) == ("naïve", b"[1, 2]")
    assert await conn.fetchval("select json_agg(n) from generate_series(1, 3) n") == b"[1, 2, 3]"
    assert await conn.fetchval("select $1::jsonb", None) is None


async def test_times_are_utc(conn: Conn) -> None:
    assert await conn.fetchval("show timezone") == "UTC"


async def test_a_failed_transaction_does_not_leak_into_the_next_use(dsn: str) -> None:
    async with await create_pool(dsn, max_size=1) as pool:
        async with pool.acquire() as conn:
            await conn.execute("begin")
            await conn.execute("create temporary table mine (n int) on commit drop")
        async with pool.acquire() as conn:
            assert not conn.is_in_transaction()
            assert await conn.fetchval("select to_regclass('mine')") is None


async def test_a_cancelled_query_gives_its_connection_back(pool: Pool) -> None:
    waiting = [asyncio.create_task(pool.fetchval("select pg_sleep(60)")) for _ in range(5)]
    while pool.get_idle_size() or pool.get_size() < 5:  # noqa: ASYNC110
        await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await asyncio.gather(*(pool.fetchval("select 1") for _ in range(5))) == [1] * 5


async def test_a_pool_behind_pgbouncer_keeps_no_prepared_statement(dsn: str) -> None:
    async with await create_pool(dsn, max_size=1, pgbouncer=True) as pool:
        await pool.fetchval("select $1::int", 1)
        assert await pool.fetchval("select count(*) from pg_prepared_statements where name <> ''") == 0
    async with await create_pool(dsn, max_size=1) as pool:
        await pool.fetchval("select $1::int", 1)
        assert await pool.fetchval("select count(*) from pg_prepared_statements where name <> ''") > 0
