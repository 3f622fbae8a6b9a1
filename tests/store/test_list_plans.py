"""A page of a list reads about as many rows as it shows, whatever the filter and however deep it lies."""

import json
from typing import Any

import pytest

from whatnext_service.store import (
    datasets,
    deployments,
    diagnoses,
    evaluations,
    events,
    recommendations,
    runs,
)
from whatnext_service.store.db import Conn

N_ROWS, LIMIT = 8_000, 20
N_RARE, OLD = 8, 800
MOST_TOUCHED = 5 * (LIMIT + 1)
"""Rows that all nodes of a plan together may look at: the view, the filter and the limit pass each row on."""

FILL = """
set session_replication_role = replica;
insert into run (id, workspace_id, loop_id, number, provider, status, config, changed, confounded_by, created_at,
                 updated_at)
select id, 'ws', loop_of_run, g, 'external', kind, '{}', '{}', '{}', now(), now() from rows_;
insert into evaluation (id, workspace_id, loop_id, suite_id, fingerprint, subject, run_id, origin, status, n_items,
                        created_at, updated_at)
select id, 'ws', loop, kind, '', 'run', kind, 'registered', kind, 1, now(), now() from rows_;
insert into recommendation (id, workspace_id, loop_id, fingerprint, kind, status, state_version, rules_version,
                            headline, answer, created_at, updated_at)
select id, 'ws', loop, '', '', kind, 1, '', '', '{}', now(), now() from rows_;
insert into deployment (id, workspace_id, loop_id, run_id, provider, model, status, created_at, updated_at)
select id, 'ws', loop, '', '', '', kind, now(), now() from rows_;
insert into diagnosis (id, workspace_id, loop_id, run_id, fingerprint, body, created_at)
select id, 'ws', loop, kind, id, '{}', now() from rows_;
insert into dataset (id, workspace_id, loop_id, name, created_at, updated_at)
select id, 'ws', loop, id, now(), now() from rows_;
insert into event (workspace_id, seq, id, type, loop_id, subject_id, version, created_at)
select 'ws', g, id, kind, kind, '', 1, now() from rows_;
"""
ROWS = f"""
create temporary table rows_ as
select g, lpad(g::text, 26, '0') as id, kind, kind as loop,
       case when g <= {OLD} then 'old' else 'loop' || g % 9 end as loop_of_run
from (select g, case when g % {N_ROWS // N_RARE} = 0 then 'rare' when g % 4 = 0 then 'other' else 'common' end as kind
      from generate_series(1, {N_ROWS}) g)
"""
TABLES = ("run", "evaluation", "recommendation", "deployment", "diagnosis", "dataset", "event")
FIRST, DEEP = None, str(LIMIT * 3).zfill(26)
NONE, IS_RARE, IS_COMMON = None, ["rare"], ["common"]


@pytest.fixture
async def full(conn: Conn) -> Conn:
    await conn.execute(ROWS)
    await conn.execute(FILL)
    for table in TABLES:
        await conn.execute(f"analyze {table}")
    return conn


def touched(plan: dict[str, Any]) -> float:
    """Rows that a plan's nodes gave or threw away."""
    own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return float(own + sum(touched(child) for child in plan.get("Plans", ())))


CASES = [
    (name, query, (*before, filters))
    for name, query, n_filters in (
        ("runs", runs.sql.list_all_runs, 1),
        ("evaluations", evaluations.sql.list_evaluations, 4),
        ("recommendations", recommendations.sql.list_recommendations, 2),
        ("deployments", deployments.sql.list_deployments, 2),
        ("diagnoses", diagnoses.sql.list_diagnoses, 2),
        ("datasets", datasets.sql.list_datasets, 1),
    )
    for before in ((FIRST,), (DEEP,))
    for place in range(n_filters)
    for filters in (
        tuple(chosen if at == place else NONE for at in range(n_filters)) for chosen in (NONE, IS_RARE, IS_COMMON)
    )
]


async def test_a_page_of_a_list_reads_what_it_shows(full: Conn) -> None:
    faults = []
    for name, query, (cursor, filters) in CASES:
        plan = json.loads(
            await full.fetchval(f"explain (analyze, format json) {query}", "ws", cursor, LIMIT, *filters)
        )[0]["Plan"]
        if touched(plan) > MOST_TOUCHED:
            faults.append(f"{name} {cursor} {filters}: {touched(plan)}")
    assert faults == []


@pytest.mark.parametrize("loops", [["old"], ["loop3", "old"], ["old", "old"]])
async def test_a_page_of_an_old_loops_runs_reads_what_it_shows(full: Conn, loops: list[str]) -> None:
    """All newer runs lie above it."""
    for cursor in (FIRST, DEEP):
        found = await full.fetch(runs.sql.list_runs, "ws", cursor, LIMIT, loops, NONE)
        assert len({row["id"] for row in found}) == len(found) == LIMIT + 1
        assert [row["id"] for row in found] == sorted((row["id"] for row in found), reverse=True)
        query = f"explain (analyze, format json) {runs.sql.list_runs}"
        plan = json.loads(await full.fetchval(query, "ws", cursor, LIMIT, loops, NONE))[0]["Plan"]
        assert touched(plan) <= 4 * MOST_TOUCHED


async def test_a_page_of_the_log_reads_what_it_shows(full: Conn) -> None:
    faults = []
    for after in (0, N_ROWS - 3 * LIMIT):
        for loops, types in ((NONE, NONE), (IS_RARE, NONE), (IS_COMMON, NONE), (NONE, IS_RARE), (NONE, IS_COMMON)):
            plan = json.loads(
                await full.fetchval(
                    f"explain (analyze, format json) {events.sql.list_events}", "ws", after, loops, types, LIMIT
                )
            )[0]["Plan"]
            if touched(plan) > MOST_TOUCHED:
                faults.append(f"{after} {loops} {types}: {touched(plan)}")
    assert faults == []


async def test_statements_are_planned_for_their_own_parameters(conn: Conn) -> None:
    assert await conn.fetchval("show plan_cache_mode") == "force_custom_plan"
