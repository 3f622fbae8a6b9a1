"""Decide about a recommendation."""

from whatnext_service.contract.advice import Decision, NewDecision, Recommendation
from whatnext_service.errors import DomainError
from whatnext_service.flows import look_up
from whatnext_service.flows.carry_out import carry_out
from whatnext_service.flows.context import Tx
from whatnext_service.store import recommendations


async def decide(tx: Tx, recommendation_id: str, new: NewDecision, if_version: int | None = None) -> Recommendation:
    """Accept or decline the open recommendation; the same decision again changes nothing, another one conflicts.

    Accepting carries it out where the service can. Declining lets the next best alternative take its place.
    """
    rec = await look_up.find_recommendation(tx, recommendation_id)
    await look_up.lock_loop(tx, rec.loop_id)
    rec = await look_up.find_recommendation(tx, recommendation_id)
    look_up.check_version("recommendation", rec.version, if_version)
    if rec.status == new.verdict:
        return rec
    if rec.status != "open":
        code = "recommendation_superseded" if rec.status == "superseded" else "decision_conflict"
        raise DomainError(code, f"The recommendation is {rec.status} already; ask what is next now.")
    decision = Decision(verdict=new.verdict, reason=new.reason, actor=new.actor, decided_at=tx.now)
    await recommendations.decide(tx.conn, rec.id, decision)
    if new.verdict == "accepted":
        made = await carry_out(tx, rec.answer)
        if made is not None:
            await recommendations.carried_out(tx.conn, tx.workspace_id, rec.id, made, tx.now)
    tx.loop_moved(rec.loop_id)
    tx.tell(f"recommendation.{new.verdict}", rec.id, rec.version + 1, loop_id=rec.loop_id)
    return await look_up.find_recommendation(tx, rec.id)
