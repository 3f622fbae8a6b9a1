"""Items: intended before they are sent, and the first answer and the first result stay, however many come."""

from datetime import timedelta

import asyncpg
import msgspec
import pytest
from tests.store.making import NOW, a_loop, a_workspace, an_id

from whatnext_service.contract.evaluations import ItemError
from whatnext_service.store import evaluation_items, evaluations
from whatnext_service.store.db import Conn, Pool
from whatnext_service.store.evaluation_items import ItemAnswer, ItemResult

LATER = NOW + timedelta(minutes=1)
SUITE = """
insert into eval_suite (id, workspace_id, loop_id, name, role, graders, sampling, scale, fingerprint, n_items,
                        is_binary, prompt_hashes, created_at)
values ($1, $2, $3, 'sums', 'selection', '[]', '{}', '{}', 'f', 4, false, '', $4)
"""
ITEMS = """
insert into eval_item (suite_id, idx, messages, item, tags)
select $1, n, '[]', '{}', '{}' from generate_series(0, 3) as n
"""
EVALUATION = """
insert into evaluation (id, workspace_id, loop_id, suite_id, fingerprint, subject, origin, status, n_items, created_at,
                        updated_at, regrade_of)
values ($1, $2, $3, $4, 'f', 'base_model', 'service', 'running', 4, $5, $5, $6)
"""


@pytest.fixture
async def ours(conn: Conn) -> str:
    return await a_workspace(conn)


@pytest.fixture
async def suite(conn: Conn, ours: str) -> str:
    suite_id = an_id("suite")
    await conn.execute(SUITE, suite_id, ours, await a_loop(conn, ours), NOW)
    await conn.execute(ITEMS, suite_id)
    return suite_id


async def an_evaluation(conn: Conn, suite_id: str, regrade_of: str | None = None) -> str:
    row = await conn.fetchrow("select workspace_id, loop_id from eval_suite where id = $1", suite_id)
    assert row is not None
    evaluation_id = an_id("eval")
    await conn.execute(EVALUATION, evaluation_id, *row, suite_id, NOW, regrade_of)
    return evaluation_id


@pytest.fixture
async def evaluation(conn: Conn, suite: str) -> str:
    return await an_evaluation(conn, suite)


def answer(idx: int, output: str = "4", **fields: object) -> ItemAnswer:
    known = ItemAnswer(
        idx=idx,
        output=output,
        finish_reason="stop",
        tool_calls=None,
        prompt_tokens=10,
        completion_tokens=1,
        latency_s=0.1,
        n_repeats=0,
    )
    return msgspec.structs.replace(known, **fields)


def result(idx: int, score: float | None, **fields: object) -> ItemResult:
    return msgspec.structs.replace(ItemResult(idx=idx, scores={"exact": score}, combined=score), **fields)


async def unfinished(conn: Conn, evaluation_id: str, suite_id: str, *, regraded: bool = False) -> dict[int, str | None]:
    """What is left, and the answers that are known of it."""
    left = await evaluation_items.unfinished_items(conn, evaluation_id, suite_id, regraded=regraded)
    assert all(item.answered == (item.output is not None) for item in left)
    return {item.idx: item.output for item in left}


async def scores(conn: Conn, evaluation_id: str) -> dict[int, float | None]:
    return {item.idx: item.combined for item in await evaluation_items.item_results(conn, evaluation_id)}


async def test_what_is_left_is_what_has_no_result(conn: Conn, suite: str, evaluation: str) -> None:
    assert await unfinished(conn, evaluation, suite) == {0: None, 1: None, 2: None, 3: None}
    await evaluation_items.intend(conn, evaluation, [0, 1, 2], NOW)
    await evaluation_items.keep_answers(conn, evaluation, [answer(0), answer(1)], NOW)
    await evaluation_items.finish(conn, evaluation, [result(0, 10.0)], NOW)
    assert await unfinished(conn, evaluation, suite) == {1: "4", 2: None, 3: None}
    assert await scores(conn, evaluation) == {0: 10.0}


async def test_the_first_answer_stays(conn: Conn, suite: str, evaluation: str) -> None:
    """Of two workers that asked, one was told something else: the grades are of one and the same text."""
    await evaluation_items.keep_answers(conn, evaluation, [answer(0, "first")], NOW)
    await evaluation_items.keep_answers(conn, evaluation, [answer(0, "second"), answer(1, "other")], LATER)
    assert await unfinished(conn, evaluation, suite) == {0: "first", 1: "other", 2: None, 3: None}


async def test_the_first_result_stays_and_nothing_comes_after_it(conn: Conn, suite: str, evaluation: str) -> None:
    await evaluation_items.keep_answers(conn, evaluation, [answer(0, "first")], NOW)
    await evaluation_items.finish(conn, evaluation, [result(0, 10.0)], NOW)
    await evaluation_items.finish(conn, evaluation, [result(0, 1.0)], LATER)
    await evaluation_items.keep_answers(conn, evaluation, [answer(0, "late")], LATER)
    await evaluation_items.intend(conn, evaluation, [0], LATER)
    row = await conn.fetchrow("select output, done_at, sent_at, combined from evaluation_item where idx = 0")
    assert row is not None
    assert tuple(row) == ("first", NOW, None, 10.0)


async def test_an_item_without_a_score_has_a_reason_and_is_not_left(conn: Conn, suite: str, evaluation: str) -> None:
    fault = ItemError(code="timeout", message="it took too long")
    await evaluation_items.finish(conn, evaluation, [result(3, None, error=fault)], NOW)
    (stored,) = await evaluation_items.item_results(conn, evaluation)
    assert (stored.idx, stored.combined, stored.error) == (3, None, fault)
    assert 3 not in await unfinished(conn, evaluation, suite)


async def test_attempts_add_up_over_workers(conn: Conn, suite: str, evaluation: str) -> None:
    for _ in range(2):
        await evaluation_items.intend(conn, evaluation, [0], NOW)
    await evaluation_items.keep_answers(conn, evaluation, [answer(0, n_repeats=3)], NOW)
    await evaluation_items.finish(conn, evaluation, [result(0, 1.0)], NOW)
    (stored,) = await evaluation_items.item_results(conn, evaluation)
    assert stored.attempts == 5


async def test_tokens_add_up_and_answers_taken_over_are_not_paid_for_again(
    conn: Conn, suite: str, evaluation: str
) -> None:
    await evaluation_items.keep_answers(conn, evaluation, [answer(0), answer(1)], NOW)
    paid = result(0, 1.0, judge_prompt_tokens=100, judge_completion_tokens=7)
    await evaluation_items.finish(conn, evaluation, [paid, result(1, 1.0)], NOW)
    before = await evaluation_items.spent(conn, evaluation)
    assert (before.prompt_tokens, before.completion_tokens) == (20, 2)
    assert (before.judge_prompt_tokens, before.judge_completion_tokens) == (100, 7)
    again = await an_evaluation(conn, suite, regrade_of=evaluation)
    assert await evaluation_items.take_answers(conn, again, evaluation, None, NOW) == 2
    taken = await evaluation_items.spent(conn, again)
    assert (taken.prompt_tokens, taken.completion_tokens, taken.judge_prompt_tokens) == (0, 0, 0)


async def test_only_answers_that_were_taken_over_are_graded_again(conn: Conn, suite: str, evaluation: str) -> None:
    fault = ItemError(code="timeout", message="it took too long")
    await evaluation_items.keep_answers(conn, evaluation, [answer(0), answer(1)], NOW)
    results = [result(0, 1.0), result(1, 1.0), result(2, None, error=fault)]
    await evaluation_items.finish(conn, evaluation, results, NOW)
    again = await an_evaluation(conn, suite, regrade_of=evaluation)
    assert await evaluation_items.take_answers(conn, again, evaluation, [1, 2, 3], NOW) == 1
    assert await unfinished(conn, again, suite, regraded=True) == {1: "4"}
    (without,) = await evaluation_items.item_results(conn, again)
    assert (without.idx, without.error) == (2, fault)


async def test_evaluations_do_not_touch_each_other(conn: Conn, suite: str, evaluation: str) -> None:
    other = await an_evaluation(conn, suite)
    await evaluation_items.keep_answers(conn, evaluation, [answer(0)], NOW)
    await evaluation_items.finish(conn, evaluation, [result(0, 1.0)], NOW)
    assert await unfinished(conn, other, suite) == {0: None, 1: None, 2: None, 3: None}
    assert await scores(conn, other) == {}


async def test_an_evaluation_that_is_open_is_not_closed_while_items_are_stored(
    pool: Pool, conn: Conn, evaluation: str
) -> None:
    async with conn.transaction():
        assert await evaluations.hold_open(conn, evaluation)
        async with pool.acquire() as other:
            with pytest.raises(asyncpg.LockNotAvailableError):
                await other.execute("select from evaluation where id = $1 for update nowait", evaluation)


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
async def test_an_evaluation_that_was_closed_is_not_held_open(conn: Conn, evaluation: str, status: str) -> None:
    await conn.execute("update evaluation set status = $2 where id = $1", evaluation, status)
    assert not await evaluations.hold_open(conn, evaluation)
