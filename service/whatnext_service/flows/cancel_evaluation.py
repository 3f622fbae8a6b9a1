"""Cancel an evaluation."""

from whatnext_service.contract.evaluations import Evaluation
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.store import evaluations


async def cancel_evaluation(tx: Tx, evaluation_id: str) -> Evaluation:
    """Ask for an evaluation to be cancelled: nothing new is sent, what was measured stays; one that has ended stays as
    it is."""
    evaluation = await look_up.find_evaluation(tx, evaluation_id)
    version = await evaluations.request_cancel(tx.conn, evaluation.id, tx.now)
    if version is None:
        return evaluation
    await tx.defer("evaluate", evaluation.id)
    tx.tell("evaluation.cancel_requested", evaluation.id, version, loop_id=evaluation.loop_id)
    return await look_up.find_evaluation(tx, evaluation.id)
