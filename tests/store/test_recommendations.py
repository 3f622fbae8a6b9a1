"""Recommendations: what came of one is noted once, and a refused one stays refused."""

import msgspec
import pytest
from tests.store.making import NOW, a_loop, a_workspace, an_id

from whatnext_service.contract.advice import Decision
from whatnext_service.store import recommendations
from whatnext_service.store.db import Conn

INSERT = """
insert into recommendation (id, workspace_id, loop_id, fingerprint, kind, status, state_version, rules_version,
                            headline, answer, created_at, updated_at)
values ($1, $2, $3, $1, 'start_run', $4, 1, 'r1', 'Train.', '{}', $5, $5)
"""
DECLINED = Decision(verdict="declined", reason="no money", actor=None, decided_at=NOW)


@pytest.fixture
async def ours(conn: Conn) -> str:
    return await a_workspace(conn)


@pytest.fixture
async def loop(conn: Conn, ours: str) -> str:
    return await a_loop(conn, ours)


async def a_recommendation(conn: Conn, workspace_id: str, loop_id: str, status: str = "open") -> str:
    made = an_id("rec")
    await conn.execute(INSERT, made, workspace_id, loop_id, status, NOW)
    return made


async def seen(conn: Conn, made: str) -> tuple[str, str | None, int]:
    row = await conn.fetchrow("select status, carried_out_by, version from recommendation where id = $1", made)
    assert row is not None
    return tuple(row)


async def test_carrying_out_the_open_one_accepts_it_and_the_first_result_stays(
    conn: Conn, ours: str, loop: str
) -> None:
    made = await a_recommendation(conn, ours, loop)
    await recommendations.carried_out(conn, ours, made, "run_1", NOW)
    await recommendations.carried_out(conn, ours, made, "run_2", NOW)
    assert await seen(conn, made) == ("accepted", "run_1", 3)


async def test_an_older_one_that_is_carried_out_is_not_opened_again(conn: Conn, ours: str, loop: str) -> None:
    made = await a_recommendation(conn, ours, loop, "superseded")
    await recommendations.carried_out(conn, ours, made, "run_1", NOW)
    assert await seen(conn, made) == ("superseded", "run_1", 2)


async def test_a_declined_one_is_not_carried_out(conn: Conn, ours: str, loop: str) -> None:
    made = await a_recommendation(conn, ours, loop)
    await recommendations.decide(conn, made, DECLINED)
    await recommendations.carried_out(conn, ours, made, "run_1", NOW)
    assert await seen(conn, made) == ("declined", None, 2)
    stored = await conn.fetchval("select decision from recommendation")
    assert msgspec.json.decode(stored, type=Decision) == DECLINED


async def test_another_workspace_neither_sees_nor_carries_it_out(conn: Conn, ours: str, loop: str) -> None:
    made = await a_recommendation(conn, ours, loop)
    theirs = await a_workspace(conn, "theirs")
    await recommendations.carried_out(conn, theirs, made, "run_1", NOW)
    assert await seen(conn, made) == ("open", None, 1)
    assert await recommendations.get_recommendation(conn, theirs, made) is None
