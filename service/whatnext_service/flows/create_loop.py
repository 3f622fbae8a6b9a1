"""Create a loop."""

from whatnext_service.contract.loops import Loop, NewLoop
from whatnext_service.core.loops import check_loop
from whatnext_service.errors import DomainError, FieldError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.store import loops


async def create_loop(tx: Tx, new: NewLoop) -> Loop:
    """Store a new loop; its slug must be free and its ranges must make sense."""
    check_loop(new.metric, new.rules, new.choices, new.thresholds)
    if new.dataset_id:
        await look_up.find_dataset(tx, new.dataset_id, "/dataset_id")
    if new.validation_version_id:
        await look_up.find_version(tx, new.validation_version_id, "/validation_version_id")
    loop_id = tx.new_id("loop")
    if not await loops.insert_loop(tx.conn, tx.workspace_id, loop_id, new, tx.now):
        raise DomainError(
            "slug_taken",
            f"This workspace has a loop called {new.slug!r} already.",
            errors=(FieldError(pointer="/slug", message="is taken"),),
        )
    tx.tell("loop.created", loop_id, 1, loop_id=loop_id)
    return await look_up.find_loop(tx, loop_id)
