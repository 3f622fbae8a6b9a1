"""A run's points and checkpoints: stored again without harm, replaced where they differ, kept where nothing is said."""

import msgspec
import pytest
from tests.store.making import NOW, a_loop, a_run, a_workspace, an_id

from whatnext_service.contract.runs import Checkpoint, NewCheckpoint
from whatnext_service.store import checkpoints, metrics
from whatnext_service.store.db import Conn
from whatnext_service.store.metrics import Column, MetricColumns, Stored


@pytest.fixture
async def ours(conn: Conn) -> str:
    return await a_workspace(conn)


@pytest.fixture
async def run(conn: Conn, ours: str) -> str:
    return await a_run(conn, ours, await a_loop(conn, ours))


def points(*triples: tuple[str, int, float]) -> MetricColumns:
    names, steps, values = (list(column) for column in zip(*triples, strict=True))
    return MetricColumns(names=names, steps=steps, values=values)


async def test_points_sent_again_change_nothing(conn: Conn, run: str) -> None:
    sent = points(("loss", 1, 0.5), ("loss", 2, 0.4), ("lr", 1, 1e-5))
    assert await metrics.upsert(conn, run, sent) == Stored(n_new=3, changed=True)
    assert await metrics.upsert(conn, run, sent) == Stored(n_new=0, changed=False)


async def test_a_point_said_otherwise_is_replaced_and_the_last_word_counts(conn: Conn, run: str) -> None:
    await metrics.upsert(conn, run, points(("loss", 2, 0.4), ("loss", 1, 0.5)))
    again = points(("loss", 2, 0.3), ("loss", 3, 9.0), ("loss", 3, 0.2))
    assert await metrics.upsert(conn, run, again) == Stored(n_new=1, changed=True)
    assert await metrics.columns_of(conn, run) == (Column(name="loss", steps=[1, 2, 3], values=[0.5, 0.3, 0.2]),)


async def test_what_is_no_number_is_stored_and_stays_the_same(conn: Conn, run: str) -> None:
    odd = points(("loss", 1, float("nan")), ("loss", 2, float("inf")), ("loss", 3, float("-inf")))
    await metrics.upsert(conn, run, odd)
    assert await metrics.upsert(conn, run, odd) == Stored(n_new=0, changed=False)
    (column,) = await metrics.columns_of(conn, run)
    assert str(column.values) == "[nan, inf, -inf]"


async def test_points_belong_to_a_run_and_are_asked_for_by_name(conn: Conn, ours: str, run: str) -> None:
    other = await a_run(conn, ours, await a_loop(conn, ours, "other"))
    await metrics.upsert(conn, run, points(("b", 1, 1.0), ("a", 1, 2.0)))
    await metrics.upsert(conn, other, points(("a", 1, 3.0)))
    assert [column.name for column in await metrics.columns_of(conn, run)] == ["a", "b"]
    assert await metrics.columns_of(conn, run, ["a", "c"]) == (Column(name="a", steps=[1], values=[2.0]),)
    await metrics.clear(conn, run)
    assert await metrics.columns_of(conn, run) == ()
    assert await metrics.columns_of(conn, other) == (Column(name="a", steps=[1], values=[3.0]),)


async def store(conn: Conn, workspace_id: str, run: str, new: NewCheckpoint) -> str:
    return await checkpoints.upsert_checkpoint(conn, workspace_id, run, an_id("ckpt"), new, None, NOW)


async def kept(conn: Conn, run: str) -> tuple[Checkpoint, ...]:
    return (await checkpoints.list_checkpoints(conn, run, None, 100)).data


async def test_a_checkpoint_seen_again_keeps_its_id_and_what_is_not_said_now(conn: Conn, ours: str, run: str) -> None:
    first = NewCheckpoint(
        step=10, epoch=1, model="m:10", valid_loss=0.5, full_valid_mean_token_accuracy=0.75, final=True
    )
    stored = await store(conn, ours, run, first)
    assert await store(conn, ours, run, NewCheckpoint(step=10, train_loss=0.4, deployable=False)) == stored
    (seen,) = await kept(conn, run)
    assert (seen.id, seen.epoch, seen.model, seen.valid_loss, seen.train_loss) == (stored, 1, "m:10", 0.5, 0.4)
    assert (seen.full_valid_mean_token_accuracy, seen.final, seen.deployable) == (0.75, False, False)


async def test_what_the_provider_no_longer_keeps_cannot_be_deployed(conn: Conn, ours: str, run: str) -> None:
    other = await a_run(conn, ours, await a_loop(conn, ours, "other"))
    for place in (run, other):
        for step in (10, 20, 30):
            await store(conn, ours, place, NewCheckpoint(step=step))
    await checkpoints.expire(conn, run, [20, 30])
    assert [(each.step, each.deployable) for each in await kept(conn, run)] == [(30, True), (20, True), (10, False)]
    assert all(each.deployable for each in await kept(conn, other))


async def test_a_checkpoint_is_found_in_its_own_workspace_alone(conn: Conn, ours: str, run: str) -> None:
    stored = await store(conn, ours, run, NewCheckpoint(step=10))
    found = await checkpoints.get_checkpoint(conn, ours, stored)
    assert found is not None
    assert msgspec.structs.asdict(found)["step"] == 10
    assert await checkpoints.get_checkpoint(conn, await a_workspace(conn, "theirs"), stored) is None
