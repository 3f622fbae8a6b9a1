"""Run an evaluation item by item: each answer and its scores are stored as they come, so a killed run goes on where it
was. An item is sent with an idempotency key of its own, so that a server that honours it is never paid twice."""

import asyncio
from collections.abc import Sequence

from whatnext_service.contract.evaluations import DimensionScore, EvalSuite, ItemError
from whatnext_service.core.grader_types import Sample, Score
from whatnext_service.core.scores import GradedDimension, combine, on_scale
from whatnext_service.core.tally import ItemTally, tally_items
from whatnext_service.errors import ProviderError
from whatnext_service.flows.ask import ask
from whatnext_service.flows.context import Services, Tx
from whatnext_service.flows.diagnose import diagnose_run
from whatnext_service.flows.grade import dimensions_of, grade
from whatnext_service.providers.port import Completion, CompletionRequest, Message
from whatnext_service.store import evaluations, suites
from whatnext_service.store.locks import session_lock

PROGRESS_EVERY = 10
"""Items between two counts of progress."""


async def evaluate(services: Services, evaluation_id: str) -> None:
    """Bring an evaluation to its end; called again, it does only what is left."""
    async with session_lock(services.pool, f"evaluation {evaluation_id}") as mine:
        if not mine:
            return
        async with services.pool.acquire() as conn:
            work = await evaluations.lock_work(conn, evaluation_id)
        if work is None or work.status not in ("pending", "running"):
            return
        async with services.begin(work.workspace_id) as tx:
            suite = await suites.get_suite(tx.conn, work.workspace_id, work.suite_id)
            version = await evaluations.start(tx.conn, evaluation_id, tx.now)
            items = await evaluations.unfinished_items(tx.conn, evaluation_id, work.suite_id)
            if suite is None or version is None:
                return
            tx.tell("evaluation.progress", work.id, version, loop_id=work.loop_id)
        await _run_items(services, work, suite, items)
        await _finish(services, work, suite)


async def _run_items(
    services: Services, work: evaluations.EvaluationWork, suite: EvalSuite, items: Sequence[evaluations.PendingItem]
) -> None:
    dimensions = dimensions_of(suite)
    waiting = list(reversed(items))
    done = 0

    async def worker() -> None:
        nonlocal done
        while waiting:
            result = await _one_item(services, work, suite, dimensions, waiting.pop())
            done += 1
            async with services.begin(work.workspace_id) as tx:
                await evaluations.finish_item(tx.conn, work.id, result, tx.now)
                if done % PROGRESS_EVERY == 0:
                    version = await evaluations.count_done(tx.conn, work.id, tx.now)
                    if version is not None:
                        tx.tell("evaluation.progress", work.id, version, loop_id=work.loop_id)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(services.evaluation_concurrency, len(items))):
            group.create_task(worker())


async def _one_item(
    services: Services,
    work: evaluations.EvaluationWork,
    suite: EvalSuite,
    dimensions: tuple[GradedDimension, ...],
    item: evaluations.PendingItem,
) -> evaluations.ItemResult:
    served = services.providers[str(work.provider)].models
    request = CompletionRequest(
        model=str(work.model),
        messages=tuple(Message(role=str(turn["role"]), content=str(turn["content"])) for turn in item.messages),
        idempotency_key=f"{work.id}-{item.idx}",
        temperature=suite.sampling.temperature,
        max_completion_tokens=suite.sampling.max_completion_tokens,
        seed=suite.sampling.seed,
    )
    async with services.pool.acquire() as conn:
        await evaluations.intend_item(conn, work.id, item.idx, services.clock())
    try:
        answer = await ask(served, request)
    except ProviderError as error:
        refused = ItemError(code=error.fault, message=error.detail)
        return _result(item.idx, dimensions, None, {}, None, refused)
    sample = Sample(output_text=answer.text)
    outcomes = [
        await grade(services, dimension, item.item, sample, f"{request.idempotency_key}-{dimension.name}")
        for dimension in dimensions
    ]
    scores = {
        dimension.name: on_scale(outcome, suite.scale.min, suite.scale.max) if isinstance(outcome, Score) else None
        for dimension, outcome in zip(dimensions, outcomes, strict=True)
    }
    missing = next((outcome for outcome in outcomes if not isinstance(outcome, Score)), None)
    fault = ItemError(code=missing.fault, message=missing.detail) if missing else None
    combined = combine(dimensions, tuple(outcomes), suite.scale.min, suite.scale.max)
    return _result(item.idx, dimensions, answer, scores, combined, fault)


def _result(
    idx: int,
    dimensions: tuple[GradedDimension, ...],
    answer: Completion | None,
    scores: dict[str, float | None],
    combined: float | None,
    fault: ItemError | None,
) -> evaluations.ItemResult:
    return evaluations.ItemResult(
        idx=idx,
        output=answer.text if answer else None,
        finish_reason=answer.finish_reason if answer else None,
        scores=scores or {dimension.name: None for dimension in dimensions},
        combined=combined,
        prompt_tokens=answer.prompt_tokens if answer else None,
        completion_tokens=answer.completion_tokens if answer else None,
        latency_s=answer.latency_s if answer else None,
        error=fault,
    )


async def _finish(services: Services, work: evaluations.EvaluationWork, suite: EvalSuite) -> None:
    async with services.begin(work.workspace_id) as tx:
        stored = await evaluations.item_results(tx.conn, work.id)
        total = tally_items(
            tuple(_tallied(item) for item in stored),
            suite.n_items,
            tuple((each.name, each.weight) for each in suite.graders),
        )
        result = evaluations.EvaluationResult(
            status="failed" if total.failure else "succeeded",
            combined=total.combined,
            n_done=len(stored),
            n_scored=total.n_scored,
            scores=total.scores,
            dimensions=tuple(
                DimensionScore(name=each.name, weight=each.weight, mean=each.mean, n_scored=each.n_scored)
                for each in total.dimensions
            ),
            prompt_tokens=total.prompt_tokens,
            completion_tokens=total.completion_tokens,
            completion_tokens_mean=total.completion_tokens_mean,
            failure=total.failure,
        )
        await close_evaluation(tx, work.id, result)


async def close_evaluation(tx: Tx, evaluation_id: str, result: evaluations.EvaluationResult) -> None:
    """Write an evaluation's outcome and what follows from it; one that is closed already stays as it is."""
    version = await evaluations.finish(tx.conn, evaluation_id, result, tx.now)
    evaluation = await evaluations.get_evaluation(tx.conn, tx.workspace_id, evaluation_id)
    if version is None or evaluation is None:
        return
    if evaluation.run_id is not None:
        await diagnose_run(tx, evaluation.loop_id, evaluation.run_id)
    tx.loop_moved(evaluation.loop_id)
    tx.tell(f"evaluation.{result.status}", evaluation_id, version, loop_id=evaluation.loop_id)


async def give_up(services: Services, evaluation_id: str, reason: str) -> None:
    """Fail an evaluation whose job kept failing for a reason of our own."""
    async with services.pool.acquire() as conn:
        work = await evaluations.lock_work(conn, evaluation_id)
    if work is None:
        return
    failed = evaluations.EvaluationResult(
        status="failed",
        combined=None,
        n_done=0,
        n_scored=0,
        scores=b"",
        dimensions=(),
        prompt_tokens=None,
        completion_tokens=None,
        completion_tokens_mean=None,
        failure=reason,
    )
    async with services.begin(work.workspace_id) as tx:
        await close_evaluation(tx, evaluation_id, failed)


def _tallied(item: evaluations.StoredItem) -> ItemTally:
    return ItemTally(
        idx=item.idx,
        scores=item.scores,
        combined=item.combined,
        prompt_tokens=item.prompt_tokens,
        completion_tokens=item.completion_tokens,
        error_code=item.error.code if item.error else None,
    )
