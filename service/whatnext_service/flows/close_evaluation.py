"""Close an evaluation: its figures, what they say of the judge, and what follows from them."""

from collections import Counter
from collections.abc import Sequence

from whatnext_service.contract.evaluations import DimensionScore, ErrorCount, EvalSuite, Evaluation
from whatnext_service.core.early_end import EndedEarly, cost_of
from whatnext_service.core.ending import ending
from whatnext_service.core.evaluations import pack_scores
from whatnext_service.core.noise_floor import regrade_noise
from whatnext_service.core.tally import ItemTally, tally_items
from whatnext_service.flows.context import Services, Tx
from whatnext_service.flows.diagnose import diagnose_run
from whatnext_service.store import evaluation_items, evaluations, suites
from whatnext_service.store.evaluation_items import StoredItem


async def close_with_items(
    services: Services, work: evaluations.EvaluationWork, suite: EvalSuite, ended: EndedEarly | None
) -> None:
    """Sum the stored items up and close the evaluation with them."""
    async with services.begin(work.workspace_id, work.loop_id) as tx:
        if not await evaluations.hold_open(tx.conn, work.id):
            return
        stored = await evaluation_items.item_results(tx.conn, work.id)
        total = tally_items(
            tuple(_tallied(item) for item in stored),
            suite.n_items,
            tuple((each.name, each.weight) for each in suite.graders),
        )
        spent = await evaluation_items.spent(tx.conn, work.id)
        status, failure = ending(ended, total.n_scored, suite.n_items, total.failure)
        result = evaluations.EvaluationResult(
            status=status,
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
            failure=failure,
            ended_early=ended,
            cost=cost_of(spent, work.prices) if work.prices else None,
            judge_tokens=spent.judge_prompt_tokens + spent.judge_completion_tokens,
            embedding_tokens=spent.embedding_tokens,
            errors=_errors(stored),
            n_repeated=sum(item.attempts > 1 for item in stored),
        )
        if await close_evaluation(tx, work.id, result) and status == "succeeded":
            await _measure_judge(tx, work, suite, stored)


async def close_failed(services: Services, work: evaluations.EvaluationWork, reason: str) -> None:
    """Close an evaluation that came to nothing."""
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
    async with services.begin(work.workspace_id, work.loop_id) as tx:
        await close_evaluation(tx, work.id, failed)


async def close_evaluation(tx: Tx, evaluation_id: str, result: evaluations.EvaluationResult) -> Evaluation | None:
    """Write an evaluation's outcome and what follows from it; null for one that was closed already."""
    version = await evaluations.finish(tx.conn, evaluation_id, result, tx.now)
    evaluation = await evaluations.get_evaluation(tx.conn, tx.workspace_id, evaluation_id)
    if version is None or evaluation is None:
        return None
    if evaluation.run_id is not None:
        await diagnose_run(tx, evaluation.loop_id, evaluation.run_id)
    if result.status == "succeeded":
        await tx.defer("group_failures", evaluation_id)
    tx.loop_moved(evaluation.loop_id)
    tx.tell(f"evaluation.{result.status}", evaluation_id, version, loop_id=evaluation.loop_id)
    return evaluation


async def _measure_judge(
    tx: Tx, work: evaluations.EvaluationWork, suite: EvalSuite, stored: Sequence[StoredItem]
) -> None:
    """What grading again changes, from the gradings of each answer here or in evaluations that share the answers."""
    if not suite.judged:
        return
    if work.n_gradings > 1:
        columns: list[list[float | None]] = [[None] * suite.n_items for _ in range(work.n_gradings)]
        for item in stored:
            for n, score in enumerate(item.gradings):
                columns[n][item.idx] = score
        gradings = tuple(pack_scores(column) for column in columns)
    elif work.regrade_of is not None:
        gradings = await evaluations.graded_again(tx.conn, work.regrade_of, work.fingerprint)
    else:
        return
    noise = regrade_noise(gradings)
    if noise is not None:
        await suites.keep_regrade(tx.conn, suite.id, noise)


def _errors(stored: Sequence[StoredItem]) -> tuple[ErrorCount, ...]:
    counts = Counter(item.error.code for item in stored if item.error)
    return tuple(ErrorCount(code=code, n=n) for code, n in sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _tallied(item: StoredItem) -> ItemTally:
    return ItemTally(
        idx=item.idx,
        scores=item.scores,
        combined=item.combined,
        prompt_tokens=item.prompt_tokens,
        completion_tokens=item.completion_tokens,
        error_code=item.error.code if item.error else None,
    )
