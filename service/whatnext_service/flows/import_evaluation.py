"""Take an evaluation over from another tool's log."""

import hashlib

import msgspec

from whatnext_service.contract.evaluations import Evaluation, ItemError, NewEvaluation
from whatnext_service.core.evaluation_logs import read_evaluation_log
from whatnext_service.core.match_items import MatchBy, match_items
from whatnext_service.flows import look_up
from whatnext_service.flows.advice_taken import carried_out_already, led_to
from whatnext_service.flows.context import Tx
from whatnext_service.flows.evaluation_subject import find_subject, invalid
from whatnext_service.flows.register_evaluation import register_items
from whatnext_service.flows.start_evaluation import announce, new_evaluation
from whatnext_service.store import evaluations, suites
from whatnext_service.store.evaluation_items import RegisteredRow


class LogImport(msgspec.Struct, kw_only=True, frozen=True):
    """How a log is to be read."""

    score: str | None = None
    variant: str | None = None
    match: MatchBy = "auto"
    score_min: float | None = None
    score_max: float | None = None
    same_instrument: bool = True


async def import_evaluation(tx: Tx, new: NewEvaluation, how: LogImport, body: bytes) -> Evaluation:
    """Store what a log says of the suite's items; refused as a whole when an entry fits nowhere."""
    loop = await look_up.lock_loop(tx, new.loop_id, "/loop_id")
    suite = await look_up.find_suite(tx, new.suite_id, "/suite_id")
    if suite.loop_id != loop.id:
        raise invalid("/suite_id", "belongs to another loop")
    if made := await led_to(tx, new.recommendation_id, loop.id):
        raise carried_out_already(made)
    subject = await find_subject(tx, loop.id, new, served=False)
    log = read_evaluation_log(body, score=how.score, variant=how.variant)
    items = await suites.items_of(tx.conn, suite.id)
    matched = match_items(
        log,
        tuple(item.messages for item in items),
        scale_min=suite.scale.min,
        scale_max=suite.scale.max,
        low=how.score_min,
        high=how.score_max,
        by=how.match,
    )
    instrument = f"{log.format}: {log.scorer}" if log.scorer else log.format
    fingerprint = suite.fingerprint
    if not how.same_instrument:
        fingerprint = hashlib.sha256(f"{fingerprint}\n{instrument}".encode()).hexdigest()
    evaluation = msgspec.structs.replace(
        new_evaluation(tx, loop, suite, new, subject, "registered"), instrument=instrument, fingerprint=fingerprint
    )
    await evaluations.insert_evaluation(tx.conn, tx.workspace_id, evaluation, tx.services.randomness(16))
    await suites.count_look(tx.conn, suite.id)
    rows = tuple(
        RegisteredRow(
            idx=each.idx,
            output=each.output,
            score=each.score,
            completion_tokens=each.completion_tokens,
            error=ItemError(code="outside", message=each.error) if each.error else None,
        )
        for each in matched
    )
    await register_items(tx, suite, evaluation, rows)
    return await announce(tx, evaluation)
