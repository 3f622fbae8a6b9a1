"""Compare two evaluations of one suite."""

from whatnext_service.core.compare import Comparison, compare
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.store import evaluations


async def compare_evaluations(tx: Tx, evaluation_id: str, against_id: str) -> Comparison:
    """The paired difference of two evaluations; another suite, grader or judge is `not_comparable`."""
    candidate = await look_up.find_evaluation(tx, evaluation_id)
    reference = await look_up.find_evaluation(tx, against_id)
    suite = await look_up.find_suite(tx, candidate.suite_id)
    loop = await look_up.find_loop(tx, candidate.loop_id)
    return compare(
        await evaluations.item_scores(tx.conn, candidate.id),
        await evaluations.item_scores(tx.conn, reference.id),
        scale_min=suite.scale.min,
        scale_max=suite.scale.max,
        direction=loop.metric.direction,
        same_instrument=candidate.fingerprint == reference.fingerprint,
    )
