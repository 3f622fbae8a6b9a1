"""Store an evaluation that was measured elsewhere."""

import math
from collections import Counter
from collections.abc import Sequence

from whatnext_service.contract.evaluations import DimensionScore, ErrorCount, EvalSuite, Evaluation, RegisteredItem
from whatnext_service.core.evaluations import pack_scores
from whatnext_service.core.registered import check_registered
from whatnext_service.flows.close_evaluation import close_evaluation
from whatnext_service.flows.context import Tx
from whatnext_service.store import evaluation_items, evaluations
from whatnext_service.store.evaluation_items import RegisteredRow


def rows_of(suite: EvalSuite, items: Sequence[RegisteredItem]) -> tuple[RegisteredRow, ...]:
    """The items as they are stored; refused when they name an item twice or none, or leave the scale."""
    check_registered(
        tuple(item.index for item in items),
        tuple(item.score for item in items),
        suite.n_items,
        suite.scale.min,
        suite.scale.max,
    )
    return tuple(
        RegisteredRow(idx=item.index, output=item.output, score=item.score, completion_tokens=item.completion_tokens)
        for item in items
    )


async def register_items(tx: Tx, suite: EvalSuite, evaluation: Evaluation, items: Sequence[RegisteredRow]) -> None:
    """Store the items and close the evaluation with them; an item without a score stays without one."""
    await evaluation_items.register(tx.conn, evaluation.id, items, tx.now)
    scores: list[float | None] = [None] * suite.n_items
    for item in items:
        scores[item.idx] = item.score
    known = [score for score in scores if score is not None]
    tokens = [item.completion_tokens for item in items if item.completion_tokens is not None]
    combined = round(math.fsum(known) / len(known), 9) if known else None
    errors = Counter(item.error.code for item in items if item.error)
    result = evaluations.EvaluationResult(
        status="succeeded" if known else "failed",
        combined=combined,
        n_done=len(items),
        n_scored=len(known),
        scores=pack_scores(scores),
        dimensions=(DimensionScore(name="combined", weight=1.0, mean=combined, n_scored=len(known)),),
        prompt_tokens=None,
        completion_tokens=sum(tokens) if tokens else None,
        completion_tokens_mean=sum(tokens) / len(tokens) if tokens else None,
        failure=None if known else "No item has a score.",
        errors=tuple(ErrorCount(code=code, n=n) for code, n in sorted(errors.items())),
    )
    await close_evaluation(tx, evaluation.id, result)
