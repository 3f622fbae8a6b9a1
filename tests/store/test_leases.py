"""At most one holds a lease; a dead holder's ends, and a holder who cannot renew it stops before another takes it."""

import asyncio

import pytest

from whatnext_service.store import leases
from whatnext_service.store.db import Pool, create_pool
from whatnext_service.store.leases import forget_ended, lease
from whatnext_service.worker.fenced import QueueSettings

END_ALL = "update lease set ends_at = now() - interval '1 second'"
COUNT = "select count(*) from lease"


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_one_of_many_holds_it(pool: Pool) -> None:
    everybody_asked = asyncio.Barrier(20)

    async def hold() -> bool:
        async with lease(pool, "run a") as mine:
            await everybody_asked.wait()
            return mine

    assert sum(await asyncio.gather(*(hold() for _ in range(20)))) == 1
    assert await pool.fetchval(COUNT) == 0


async def test_no_connection_is_kept_while_it_is_held(pool: Pool) -> None:
    async with lease(pool, "run a") as mine:
        assert mine
        assert pool.get_idle_size() == pool.get_size()


async def test_leases_of_different_names_are_held_at_once(pool: Pool) -> None:
    async with lease(pool, "run a") as one, lease(pool, "run b") as other:
        assert (one, other) == (True, True)


async def test_it_is_given_back_when_the_work_fails_or_is_cancelled(pool: Pool) -> None:
    async def work() -> None:
        async with lease(pool, "run a"):
            await for_ever()

    with pytest.raises(ZeroDivisionError):
        async with lease(pool, "run a"):
            _ = 1 / 0
    task = asyncio.create_task(work())
    while not await pool.fetchval(COUNT):  # noqa: ASYNC110
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await pool.fetchval(COUNT) == 0


async def test_a_dead_holders_lease_is_taken_over_once_it_ends(pool: Pool) -> None:
    await pool.execute("insert into lease values ('run a', gen_random_uuid(), now() + interval '15 seconds')")
    async with lease(pool, "run a") as early:
        assert not early
    await pool.execute(END_ALL)
    async with lease(pool, "run a") as mine:
        assert mine


async def test_a_lease_is_renewed_while_the_work_goes_on(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE_S", 0.3)
    async with lease(pool, "run a"):
        first = await pool.fetchval("select ends_at from lease")
        while await pool.fetchval("select clock_timestamp()") < first:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        async with lease(pool, "run a") as other:
            assert not other


async def test_whoever_lost_it_to_another_stops(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        async with lease(pool, "run a"):
            await pool.execute("update lease set holder = gen_random_uuid(), ends_at = now() + interval '1 minute'")
            await for_ever()

    monkeypatch.setattr(leases, "LEASE_S", 0.3)
    with pytest.raises(TimeoutError):
        await work()
    assert await pool.fetchval(COUNT) == 1, "the other's lease is left alone"


async def test_whoever_cannot_renew_it_stops(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE_S", 0.3)
    async with await create_pool(dsn, max_size=1) as pool:
        with pytest.raises(TimeoutError):
            async with lease(pool, "run a"), pool.acquire():
                await for_ever()


async def test_it_ends_before_a_silent_workers_job_is_given_to_another() -> None:
    assert QueueSettings().stalled_s > leases.LEASE_S


async def test_what_killed_processes_left_is_forgotten(pool: Pool) -> None:
    await pool.execute("insert into lease values ('run a', gen_random_uuid(), now() - interval '2 hours')")
    async with lease(pool, "run b"), pool.acquire() as conn:
        await forget_ended(conn)
        assert await conn.fetchval("select array_agg(name) from lease") == ["run b"]
