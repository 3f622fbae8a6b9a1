"""What an evaluated model fails on, and how well the training data covers it: asked, and worked out by the worker."""

import asyncio
from collections.abc import AsyncIterator

from whatnext_service.contract.datasets import DatasetVersion, Failures
from whatnext_service.contract.evaluations import EvalSuite, Evaluation
from whatnext_service.core.dataset_formats import normalise_row
from whatnext_service.core.diversity import Coverage, FailingType, ScoredItem, describe_types, find_types
from whatnext_service.core.evaluations import unpack_scores
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Services, Tx
from whatnext_service.flows.data_process import CoverageOrder, count_coverage
from whatnext_service.flows.version_content import read_rows, version_content
from whatnext_service.store import datasets, evaluations, failures, quality
from whatnext_service.store.failures import Question
from whatnext_service.store.transaction import connection

ENDED = ("succeeded", "failed", "cancelled")
LARGE_BYTES = 4 * 2**20
"""A version larger than this is read by a process of its own."""


async def find_failures(
    tx: Tx, evaluation_id: str, below: float | None = None, version_id: str | None = None
) -> Failures:
    """The groups of an evaluation's failing items and their coverage; the first to ask has them worked out.

    An item fails below the middle of the suite's scale, unless `below` says otherwise. Coverage is counted in the
    version that the evaluated run was trained on, else in the newest one of the loop's dataset.
    """
    evaluation = await look_up.find_evaluation(tx, evaluation_id)
    suite = await look_up.find_suite(tx, evaluation.suite_id)
    question = await _question(tx, evaluation, suite, below, version_id)
    found = await failures.get(tx.conn, question)
    if found is None and evaluation.status in ENDED:
        await ask_for_failures(tx, question)
        found = await failures.get(tx.conn, question)
    return found or _unknown(question)


async def ask_for_failures(tx: Tx, question: Question) -> None:
    """Have a question answered by the worker."""
    await failures.ask(tx.conn, question, tx.now)
    await tx.defer("group_failures", question.evaluation_id)


async def group_failures(services: Services, evaluation_id: str) -> None:
    """Answer what is asked of an evaluation, and what is asked of each without parameters."""
    async with connection(services.pool) as conn:
        workspace_id = await failures.workspace_of(conn, evaluation_id)
    async with services.begin(workspace_id) as tx:
        evaluation = await look_up.find_evaluation(tx, evaluation_id)
        suite = await look_up.find_suite(tx, evaluation.suite_id)
        await failures.ask(tx.conn, await _question(tx, evaluation, suite, None, None), tx.now)
        questions = await failures.open_questions(tx.conn, evaluation_id)
    for question in questions:
        await _answer(services, evaluation, question)


async def give_up(services: Services, evaluation_id: str, reason: str) -> None:
    """End questions whose job kept failing."""
    async with connection(services.pool) as conn:
        await failures.fail(conn, evaluation_id, reason, services.clock())


async def _answer(services: Services, evaluation: Evaluation, question: Question) -> None:
    async with services.begin(question.workspace_id) as tx:
        scores = unpack_scores(await evaluations.item_scores(tx.conn, evaluation.id))
        asked = await quality.asked_items(tx.conn, evaluation.suite_id)
        version = await look_up.find_version(tx, question.dataset_version_id) if question.dataset_version_id else None
    items = tuple(
        ScoredItem(item_id=str(place), prompt=item.prompt, tags=item.tags, failed=score < question.below)
        for place, (item, score) in enumerate(zip(asked, scores, strict=False))
        if score is not None
    )
    types = await asyncio.to_thread(find_types, items)
    counts, n_rows = await _cover(services, question.workspace_id, version, types)
    async with services.begin(question.workspace_id) as tx:
        moved = await failures.answer(
            tx.conn,
            question,
            len(items),
            sum(item.failed for item in items),
            n_rows,
            describe_types(types, counts, n_rows),
            tx.now,
        )
        if moved is not None:
            tx.tell("evaluation.failures_ready", evaluation.id, moved, loop_id=evaluation.loop_id)
            if question.is_default:
                tx.loop_moved(evaluation.loop_id)


async def _cover(
    services: Services, workspace_id: str, version: DatasetVersion | None, types: tuple[FailingType, ...]
) -> tuple[tuple[int, ...], int]:
    """How many rows there are of each type, and of all."""
    if version is None or not types:
        return (0,) * len(types), version.n_examples if version else 0
    content: AsyncIterator[bytes] = version_content(services, workspace_id, version)
    weights = tuple(each.weights for each in types)
    if version.n_bytes > LARGE_BYTES:
        return await count_coverage(CoverageOrder(types=weights), content)
    coverage = Coverage(weights)
    async for _ in read_rows(content, lambda _line, raw: coverage.add(normalise_row(raw))):
        pass
    return tuple(coverage.counts), coverage.n_rows


async def _question(
    tx: Tx, evaluation: Evaluation, suite: EvalSuite, below: float | None, version_id: str | None
) -> Question:
    usual = await _trained_on(tx, evaluation, suite)
    middle = (suite.scale.min + suite.scale.max) / 2
    asked = (await look_up.find_version(tx, version_id, "/dataset_version_id")).id if version_id is not None else usual
    limit = below if below is not None else middle
    return Question(
        evaluation_id=evaluation.id,
        workspace_id=tx.workspace_id,
        dataset_version_id=asked,
        below=limit,
        is_default=asked == usual and limit == middle,
    )


async def _trained_on(tx: Tx, evaluation: Evaluation, suite: EvalSuite) -> str | None:
    if evaluation.run_id is not None:
        return (await look_up.find_run(tx, evaluation.run_id)).config.dataset_version_id
    loop = await look_up.find_loop(tx, evaluation.loop_id)
    if loop.dataset_id is None:
        return None
    page = await datasets.list_versions(tx.conn, tx.workspace_id, None, 1, dataset_id=loop.dataset_id)
    return page.data[0].id if page.data else None


def _unknown(question: Question) -> Failures:
    """Until the evaluation has ended."""
    return Failures(
        evaluation_id=question.evaluation_id,
        status="pending",
        dataset_version_id=question.dataset_version_id,
        below=question.below,
        n_scored=0,
        n_failed=0,
        n_training_rows=0,
        groups=(),
        failure=None,
        version=0,
    )
