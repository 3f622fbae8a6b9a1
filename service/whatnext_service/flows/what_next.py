"""Answer "what next?", and keep the answer with the state it was given for."""

import msgspec

from whatnext_service.core.advice import RULES_VERSION, Answer
from whatnext_service.core.plan import what_next
from whatnext_service.core.state import LoopState
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.store import loops, recommendations, state


async def next_answer(tx: Tx, loop_ref: str) -> Answer:
    """The answer for the loop's present state: the stored one, else computed now and stored."""
    loop = await look_up.find_loop(tx, loop_ref)
    stored = await loops.stored_answer(tx.conn, loop.id, RULES_VERSION)
    if stored is not None:
        return msgspec.json.decode(stored, type=Answer)
    await loops.lock_loop(tx.conn, tx.workspace_id, loop.id)
    found = await state.load_state(tx.conn, loop.id, tx.services.catalogue)
    # As it will be read: a whole number in a field of floats is not written the same way twice otherwise.
    answer = msgspec.json.decode(msgspec.json.encode(what_next(found)), type=Answer)
    await keep_answer(tx, answer)
    return answer


async def keep_answer(tx: Tx, answer: Answer) -> None:
    """Store the answer beside the loop, and its recommendation as the loop's open one."""
    body = msgspec.json.encode(answer)
    await loops.keep_answer(tx.conn, answer.loop_id, answer.state_version, answer.rules_version, body)
    await recommendations.keep_recommendation(tx.conn, tx.workspace_id, answer, answer.action.fingerprint, tx.now)


async def load_loop_state(tx: Tx, loop_ref: str) -> LoopState:
    """A loop's whole state, as the core sees it."""
    loop = await look_up.find_loop(tx, loop_ref)
    return await state.load_state(tx.conn, loop.id, tx.services.catalogue)
