"""Runs: lists by loop and status, and moves that only whoever saw the newest version can make."""

import random
from datetime import timedelta

import pytest
from tests.store.making import NOW, a_loop, a_run, a_workspace

from whatnext_service.contract.runs import Run
from whatnext_service.core.runs import FINAL_STATUSES, RunFault
from whatnext_service.store import runs
from whatnext_service.store.db import Conn

LATER = NOW + timedelta(minutes=1)


async def listed(conn: Conn, workspace_id: str, limit: int, **filters: list[str] | None) -> list[str]:
    """The ids of all pages, one after the other."""
    ids: list[str] = []
    cursor: str | None = None
    while True:
        chosen: dict[str, list[str] | None] = {"loop_ids": None, "statuses": None}
        page = await runs.list_runs(conn, workspace_id, cursor, limit, **chosen | filters)  # type: ignore[arg-type]
        ids += [run.id for run in page.data]
        if (cursor := page.next_cursor) is None:
            return ids


async def get(conn: Conn, run_id: str) -> Run:
    workspace_id = await conn.fetchval("select workspace_id from run where id = $1", run_id)
    found = await runs.get_run(conn, workspace_id, run_id)
    assert found is not None
    return found


async def work_on(conn: Conn, run_id: str) -> runs.RunWork:
    found = await runs.lock_work(conn, run_id)
    assert found is not None
    return found


@pytest.fixture
async def ours(conn: Conn) -> str:
    return await a_workspace(conn)


@pytest.fixture
async def run(conn: Conn, ours: str) -> str:
    return await a_run(conn, ours, await a_loop(conn, ours))


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_pages_join_without_gap_or_repeat_whatever_the_filter(conn: Conn, ours: str, limit: int) -> None:
    """Also where runs of several loops, and of one millisecond, lie in any order."""
    draw = random.Random(7)
    loops = [await a_loop(conn, ours, f"l{n}") for n in range(3)]
    theirs = await a_workspace(conn, "theirs")
    await a_run(conn, theirs, await a_loop(conn, theirs))
    made = []
    for n in range(40):
        chosen = (draw.choice(loops), draw.choice(["succeeded", "failed", "running"]))
        made.append((await a_run(conn, ours, chosen[0], at_ms=1000 + n // 5, status=chosen[1]), *chosen))
    for loop_ids in (None, loops[:1], loops[1:], ["loop_nowhere"]):
        for statuses in (None, ["failed"], ["failed", "running"], ["paused"]):
            wanted = sorted(
                (
                    run_id
                    for run_id, loop_id, status in made
                    if (loop_ids is None or loop_id in loop_ids) and (statuses is None or status in statuses)
                ),
                reverse=True,
            )
            assert await listed(conn, ours, limit, loop_ids=loop_ids, statuses=statuses) == wanted


async def test_a_run_that_began_meanwhile_moves_no_page(conn: Conn, ours: str) -> None:
    loop = await a_loop(conn, ours)
    made = [await a_run(conn, ours, loop) for _ in range(4)]
    first = await runs.list_runs(conn, ours, None, 2, loop_ids=[loop], statuses=None)
    await a_run(conn, ours, loop)
    second = await runs.list_runs(conn, ours, first.next_cursor, 2, loop_ids=[loop], statuses=None)
    assert [run.id for run in (*first.data, *second.data)] == made[::-1]


async def test_a_run_is_found_by_id_and_by_name_in_its_own_workspace_alone(conn: Conn, ours: str, run: str) -> None:
    theirs = await a_workspace(conn, "theirs")
    assert await runs.get_run(conn, theirs, run) is None
    assert await runs.run_by_number(conn, theirs, "letters", 1) is None
    by_name = await runs.run_by_number(conn, ours, "letters", 1)
    assert by_name is not None
    assert by_name.id == run


async def test_only_one_of_two_records_the_intent_to_pay(conn: Conn, run: str) -> None:
    seen = await work_on(conn, run)
    assert await runs.intend(conn, seen, NOW) == seen.version + 1
    assert await runs.intend(conn, seen, NOW) is None
    intended = await work_on(conn, run)
    assert (intended.status, intended.submit_intent_at) == ("submitting", NOW)


async def test_an_intent_made_again_counts_from_then(conn: Conn, run: str) -> None:
    await runs.intend(conn, await work_on(conn, run), NOW)
    await runs.intend(conn, await work_on(conn, run), LATER)
    assert (await work_on(conn, run)).submit_intent_at == LATER


@pytest.mark.parametrize("status", ["queued", "running", *FINAL_STATUSES])
async def test_nothing_is_intended_for_a_run_that_is_past_it(conn: Conn, ours: str, run: str, status: str) -> None:
    loop = (await get(conn, run)).loop_id
    past = await work_on(conn, await a_run(conn, ours, loop, status=status))
    assert await runs.intend(conn, past, NOW) is None


async def test_an_intent_is_taken_back_only_by_who_made_it(conn: Conn, run: str) -> None:
    version = await runs.intend(conn, await work_on(conn, run), NOW)
    assert version is not None
    await runs.withdraw(conn, run, version - 1)
    assert (await work_on(conn, run)).status == "submitting"
    await runs.withdraw(conn, run, version)
    withdrawn = await work_on(conn, run)
    assert (withdrawn.status, withdrawn.submit_intent_at) == ("pending", None)


async def test_a_look_at_an_older_version_changes_nothing(conn: Conn, run: str) -> None:
    seen = await work_on(conn, run)
    queued = runs.RunProgress(status="queued", provider_status="queued", provider_job_id="job_1")
    assert await runs.progress(conn, run, seen.version, queued, NOW) == seen.version + 1
    before = await get(conn, run)
    failed = runs.RunProgress(status="failed", provider_status="failed", failure="late", finished_at=NOW)
    assert await runs.progress(conn, run, seen.version, failed, LATER) is None
    assert await get(conn, run) == before


async def test_a_look_keeps_what_it_does_not_know_and_the_first_times(conn: Conn, run: str) -> None:
    first = runs.RunProgress(
        status="running", provider_status="x", provider_job_id="job_1", model="m", trained_tokens=5, started_at=NOW
    )
    version = await runs.progress(conn, run, 1, first, NOW)
    assert version is not None
    ended = runs.RunProgress(status="succeeded", provider_status="y", started_at=LATER, finished_at=LATER)
    await runs.progress(conn, run, version, ended, LATER)
    done = await get(conn, run)
    assert (done.provider_job_id, done.model, done.trained_tokens) == ("job_1", "m", 5)
    assert (done.started_at, done.finished_at, done.provider_status) == (NOW, LATER, "y")


async def test_faults_count_until_the_provider_answers(conn: Conn, run: str) -> None:
    fault = RunFault(fault="unauthorized", detail="401", since=NOW)
    assert [await runs.count_fault(conn, run, NOW) for _ in range(3)] == [1, 2, 3]
    version = await runs.show_fault(conn, run, fault)
    assert (await get(conn, run)).provider_fault == fault
    assert (await get(conn, run)).version == version
    assert await runs.clear_fault(conn, run) == version + 1
    assert await runs.clear_fault(conn, run) is None, "nothing to clear is no change"
    await runs.count_fault(conn, run, NOW)
    version = await runs.show_fault(conn, run, fault)
    await runs.progress(conn, run, version, runs.RunProgress(status="running", provider_status="x"), NOW)
    seen = await work_on(conn, run)
    assert (seen.attempts, seen.provider_fault) == (0, None)


async def test_the_forgotten_are_those_at_a_provider_without_a_look_or_a_job(conn: Conn, ours: str, run: str) -> None:
    loop = (await get(conn, run)).loop_id
    for status in FINAL_STATUSES:
        await a_run(conn, ours, loop, status=status)
    await a_run(conn, ours, loop, provider="external", status="running")
    fresh = await a_run(conn, ours, loop, created_at=LATER)
    busy = await a_run(conn, ours, loop)
    await conn.fetchval("select defer_job('default', 'move_run', $1, '{}'::jsonb, null)", busy)
    assert await runs.neglected(conn, LATER) == (run,)
    assert set(await runs.neglected(conn, LATER + timedelta(seconds=1))) == {run, fresh}
