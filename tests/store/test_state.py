"""A loop read back from its tables: whole, and as far as one run's diagnosis rests on it."""

from datetime import UTC, datetime

import msgspec
import pytest
from tests.core.loop_states import (
    a_checkpoint,
    a_config,
    a_loop,
    a_reading,
    a_run,
    a_state,
    a_suite,
    a_version,
    an_effective,
    an_evaluation,
)
from tests.store.stored_loop import store_loop

from whatnext_service.core.diagnose import diagnose
from whatnext_service.core.evaluations import Dimension
from whatnext_service.core.incumbent import standings
from whatnext_service.core.predict import observed_effect
from whatnext_service.core.scoreboard import read_scoreboard
from whatnext_service.core.state import Deployment, LoopState
from whatnext_service.store.db import Conn
from whatnext_service.store.state import load_around, load_state

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def a_grown_loop() -> LoopState:
    """Runs with one parent, another, or none; scored at checkpoints, at the end, on a suite of the past, or not; two
    that repeat one another.
    """
    points = {number: (a_checkpoint(number, 50), a_checkpoint(number, 100, final=True)) for number in (1, 2, 3, 4)}
    runs = (
        a_run(1, effective=an_effective(), checkpoints=points[1]),
        a_run(2, a_config(learning_rate_multiplier=0.5), checkpoints=points[2], reading=a_reading(verdict="moderate")),
        a_run(3, a_config(n_epochs=4, seed=3), parent_id="run_2", checkpoints=points[3], confounded_by=("a", "b")),
        a_run(4, a_config(dataset_version_id="dsv_2"), parent_id=None, checkpoints=points[4], cost=None),
        a_run(5, a_config(seed=9), parent_id="run_4", reading=None, status="failed", failure="loss is nan"),
        a_run(6, a_config(batch_size=8), parent_id="run_3", effective=an_effective(batch_size=8, n_steps=84)),
        a_run(
            7,
            a_config(n_epochs=None, seed=4),
            effective=an_effective(n_epochs=4, batch_size=None, seed=4),
            parent_id="run_6",
        ),
    )
    sides = (Dimension(name="tone", weight=1.0, mean=7.5, n_scored=50),)
    evaluations = (
        an_evaluation(6.0),
        an_evaluation(7.0, run=1, step=50),
        an_evaluation(6.8, run=1, step=100),
        an_evaluation(7.4, run=2, step=50, dimensions=sides),
        an_evaluation(7.1, run=3, step=100, items=[7.1] * 49 + [None]),
        an_evaluation(9.0, run=4, fingerprint="earlier"),
        an_evaluation(7.3, run=6, items=None),
        an_evaluation(8.2, run=7),
    )
    ordered = tuple(sorted(evaluations, key=lambda each: each.id))
    return a_state(
        loop=a_loop(validation_version_id=None),
        versions=(a_version(), a_version(2, 300, derived_by=("drop_duplicates",))),
        runs=runs,
        suites=(a_suite(role="final_test"), a_suite()),
        evaluations=ordered,
        baseline=None,
        baseline_id="eval_base_final_selection",
        deployments=(Deployment(id="dep_1", run_id="run_1", checkpoint_id=None, status="live"),),
    )


@pytest.fixture
async def stored(conn: Conn) -> LoopState:
    state = a_grown_loop()
    await conn.execute("insert into workspace (id, name, created_at) values ('ws_1', 'ours', $1)", NOW)
    await store_loop(conn, "ws_1", state)
    return state


async def test_a_state_is_read_as_it_was_written(conn: Conn, stored: LoopState) -> None:
    read = await load_state(conn, stored.loop.id, stored.catalogue)
    digests = {each.id: each.sha256 for each in read.versions}
    written = tuple(msgspec.structs.replace(each, sha256=digests[each.id]) for each in stored.versions)
    suites = tuple(msgspec.structs.replace(each, dataset_version_id=None) for each in stored.suites)
    assert read == msgspec.structs.replace(stored, versions=written, suites=suites)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 7])
async def test_a_run_is_diagnosed_from_what_is_around_it_as_from_the_whole_loop(
    conn: Conn, stored: LoopState, number: int
) -> None:
    whole = await load_state(conn, stored.loop.id, stored.catalogue)
    near = await load_around(conn, stored.loop.id, [f"run_{number}"], stored.catalogue)
    run = whole.runs[number - 1]
    assert len(near.runs) < len(whole.runs)
    assert {each.run_id for each in near.evaluations} <= {each.id for each in near.runs} | {None}
    assert diagnose(near, run) == diagnose(whole, run)


@pytest.mark.parametrize(
    ("number", "known"), [(1, False), (2, True), (3, True), (4, False), (5, False), (6, True), (7, True)]
)
async def test_what_is_around_a_run_shows_whether_its_effect_is_known(
    conn: Conn, stored: LoopState, number: int, known: bool
) -> None:
    near = await load_around(conn, stored.loop.id, [f"run_{number}"], stored.catalogue)
    for state in (near, stored):
        effect = observed_effect(standings(read_scoreboard(state)), stored.runs[number - 1])
        assert (effect is not None) is known
