"""Loops: one slug a workspace, run numbers without gaps, and an answer that is kept for its own state alone."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from tests.store.making import NOW, a_loop, a_workspace, an_id

from whatnext_service.contract.loops import Loop, NewBudget, NewLoop
from whatnext_service.store import loops
from whatnext_service.store.db import Conn, Pool

LATER = NOW + timedelta(hours=1)


@pytest.fixture
async def ours(conn: Conn) -> str:
    return await a_workspace(conn)


async def get(conn: Conn, workspace_id: str, ref: str) -> Loop:
    found = await loops.get_loop(conn, workspace_id, ref)
    assert found is not None
    return found


async def test_a_slug_is_taken_once_in_a_workspace(conn: Conn, ours: str) -> None:
    loop_id = await a_loop(conn, ours)
    taken = NewLoop(slug="letters", task="Something else.")
    assert not await loops.insert_loop(conn, ours, an_id("loop"), taken, NOW)
    theirs = await a_workspace(conn, "theirs")
    assert await loops.insert_loop(conn, theirs, an_id("loop"), taken, NOW)
    assert (await get(conn, ours, "letters")).id == (await get(conn, ours, loop_id)).id == loop_id


async def test_a_loop_is_found_in_its_own_workspace_alone(conn: Conn, ours: str) -> None:
    loop_id = await a_loop(conn, ours)
    theirs = await a_workspace(conn, "theirs")
    for ref in (loop_id, "letters"):
        assert await loops.get_loop(conn, theirs, ref) is None
        assert await loops.lock_loop(conn, theirs, ref) is None
    await loops.set_baseline(conn, theirs, loop_id, "eval_1", NOW)
    await loops.attach_dataset(conn, theirs, loop_id, "ds_1", NOW)
    before = await get(conn, ours, loop_id)
    await loops.update_loop(conn, theirs, msgspec.structs.replace(before, task="theirs now"), NOW)
    assert await get(conn, ours, loop_id) == before


async def test_pages_are_newest_first(conn: Conn, ours: str) -> None:
    made = [await a_loop(conn, ours, f"l{n}") for n in range(5)]
    await a_loop(conn, await a_workspace(conn, "theirs"))
    first = await loops.list_loops(conn, ours, None, 3)
    second = await loops.list_loops(conn, ours, first.next_cursor, 3)
    assert [each.id for each in (*first.data, *second.data)] == made[::-1]
    assert second.next_cursor is None


async def test_run_numbers_have_no_gaps_when_a_run_is_not_made_after_all(pool: Pool, conn: Conn, ours: str) -> None:
    loop_id = await a_loop(conn, ours)

    async def number(fails: bool) -> int:
        async with pool.acquire() as other:
            transaction = other.transaction()
            await transaction.start()
            taken = await loops.next_run_number(other, loop_id)
            await (transaction.rollback() if fails else transaction.commit())
            return 0 if fails else taken

    taken = await asyncio.gather(*(number(n % 3 == 0) for n in range(12)))
    assert sorted(n for n in taken if n) == list(range(1, 9))


async def test_an_answer_is_kept_for_its_state_and_rules_alone(conn: Conn, ours: str) -> None:
    loop_id = await a_loop(conn, ours)
    version = await loops.bump_state(conn, loop_id, NOW)
    await loops.keep_answer(conn, loop_id, version, "r1", b"answer")
    assert await loops.stored_answer(conn, loop_id, "r1") == b"answer"
    assert await loops.stored_answer(conn, loop_id, "r2") is None
    assert await loops.bump_state(conn, loop_id, NOW) == version + 1
    assert await loops.stored_answer(conn, loop_id, "r1") is None
    await loops.keep_answer(conn, loop_id, version, "r1", b"late")
    assert await loops.stored_answer(conn, loop_id, "r1") is None, "the state had moved on meanwhile"


async def test_the_time_of_a_state_never_goes_back(conn: Conn, ours: str) -> None:
    loop_id = await a_loop(conn, ours)
    await loops.bump_state(conn, loop_id, LATER)
    await loops.bump_state(conn, loop_id, NOW)
    assert await conn.fetchval("select state_changed_at from loop") == LATER


async def test_a_deadline_is_reported_once_after_it_has_passed(conn: Conn, ours: str) -> None:
    new = NewLoop(slug="late", task="Hurry.", budget=NewBudget(deadline=LATER))
    loop_id = an_id("loop")
    await loops.insert_loop(conn, ours, loop_id, new, NOW)
    await a_loop(conn, ours)
    assert await loops.past_deadline(conn, LATER - timedelta(seconds=1)) == ()
    after = LATER + timedelta(seconds=1)
    assert await loops.past_deadline(conn, after) == ((loop_id, ours),)
    await loops.bump_state(conn, loop_id, after)
    assert await loops.past_deadline(conn, after + timedelta(days=1)) == ()


async def test_the_first_dataset_stays_attached(conn: Conn, ours: str) -> None:
    loop_id = await a_loop(conn, ours)
    for name in ("ds_1", "ds_2"):
        await conn.execute("insert into dataset values ($1, $2, null, $1, 0, 1, $3, $3)", name, ours, NOW)
        await loops.attach_dataset(conn, ours, loop_id, name, NOW)
    assert (await get(conn, ours, loop_id)).dataset_id == "ds_1"
    assert await loops.loops_of_dataset(conn, "ds_1") == (loop_id,)
    assert await loops.loops_of_dataset(conn, "ds_2") == ()
