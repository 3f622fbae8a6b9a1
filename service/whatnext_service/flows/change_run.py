"""Change what is said of a run, cancel it, and add a checkpoint to an external one."""

from decimal import Decimal

import msgspec
from msgspec import UNSET

from whatnext_service.contract.runs import Checkpoint, EffectivePatch, NewCheckpoint, Run, RunPatch
from whatnext_service.core.runs import FINAL_STATUSES, EffectiveConfig, check_move
from whatnext_service.errors import DomainError, FieldError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.flows.read_curves import refresh_reading
from whatnext_service.store import checkpoints, loops, runs


async def change_run(tx: Tx, ref: str, patch: RunPatch, if_version: int | None) -> Run:
    """Merge a patch into a run; an external run's progress is reported this way, and its curve then read anew."""
    run = await _lock(tx, ref)
    look_up.check_version("run", run.version, if_version)
    reported = [name for name in ("status", "failure", "cost", "effective") if getattr(patch, name) is not UNSET]
    if run.provider != "external" and reported:
        raise DomainError(
            "not_external",
            "The provider reports this; only external runs are reported by hand.",
            errors=tuple(FieldError(pointer=f"/{name}", message="only for external runs") for name in reported),
        )
    given = {name: value for name in patch.__struct_fields__ if (value := getattr(patch, name)) is not UNSET}
    if isinstance(given.get("cost"), str):
        given["cost"] = Decimal(given["cost"])
    if isinstance(given.get("effective"), EffectivePatch):
        given["effective"] = effective_after(run.effective, given["effective"])
    status, failure = given.pop("status", run.status), given.pop("failure", run.failure)
    changed = msgspec.structs.replace(run, **given)
    if changed == run and (status, failure) == (run.status, run.failure):
        return run
    await runs.annotate_run(tx.conn, tx.workspace_id, changed, tx.now)
    if (status, failure) != (run.status, run.failure):
        check_move(run.status, status)
        await runs.progress(
            tx.conn,
            run.id,
            run.version + 1,
            runs.RunProgress(
                status=status,
                provider_status=None,
                failure=failure,
                started_at=tx.now,
                finished_at=tx.now if status in FINAL_STATUSES else None,
            ),
            tx.now,
        )
        tx.tell(f"run.{status}", run.id, run.version + 2, loop_id=run.loop_id)
    else:
        tx.tell("run.changed", run.id, run.version + 1, loop_id=run.loop_id)
    if run.reading is not None and (status, changed.effective) != (run.status, run.effective):
        await refresh_reading(tx, run.id)
    tx.loop_moved(run.loop_id)
    return await look_up.find_run(tx, run.id)


def effective_after(known: EffectiveConfig | None, patch: EffectivePatch) -> EffectiveConfig:
    """What is known of an external run after a report: what was not reported stays, or is null."""
    given = {name: value for name in patch.__struct_fields__ if (value := getattr(patch, name)) is not UNSET}
    before = msgspec.structs.asdict(known) if known else dict.fromkeys(EffectiveConfig.__struct_fields__)
    return EffectiveConfig(**(before | given))


async def cancel_run(tx: Tx, ref: str) -> Run:
    """Ask for a run to be cancelled; a run that has ended is returned as it is."""
    run = await _lock(tx, ref)
    if run.status in FINAL_STATUSES:
        return run
    if run.provider == "external":
        return await change_run(tx, run.id, RunPatch(status="cancelled"), None)
    version = await runs.request_cancel(tx.conn, run.id, tx.now)
    await tx.defer("move_run", run.id)
    tx.tell("run.cancel_requested", run.id, version, loop_id=run.loop_id)
    return await look_up.find_run(tx, run.id)


async def add_checkpoint(tx: Tx, ref: str, new: NewCheckpoint) -> Checkpoint:
    """Add a checkpoint to an external run, or refresh the one at its step: what a reading nominates is one of them."""
    run = await _lock(tx, ref)
    if run.provider != "external":
        raise DomainError("not_external", "The provider reports this run's checkpoints.")
    stored = await checkpoints.upsert_checkpoint(tx.conn, tx.workspace_id, run.id, tx.new_id("ckpt"), new, None, tx.now)
    if run.reading is not None:
        await refresh_reading(tx, run.id)
    tx.loop_moved(run.loop_id)
    return await look_up.find_checkpoint(tx, stored)


async def _lock(tx: Tx, ref: str) -> Run:
    run = await look_up.find_run(tx, ref)
    await loops.lock_loop(tx.conn, tx.workspace_id, run.loop_id)
    await runs.lock_work(tx.conn, run.id)
    return await look_up.find_run(tx, run.id)
