"""Diagnose a run, and keep the diagnosis: the same evidence gives the same one."""

from whatnext_service.contract.advice import Diagnosis
from whatnext_service.core.diagnose import diagnose
from whatnext_service.errors import DomainError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.flows.track_record import score_advice
from whatnext_service.store import diagnoses, state


async def diagnose_run(tx: Tx, loop_id: str, run_id: str) -> Diagnosis:
    """Walk the method's tree for one run on all that bears on it now."""
    found = await state.load_around(tx.conn, loop_id, [run_id], tx.services.catalogue)
    run = next(each for each in found.runs if each.id == run_id)
    seen = diagnose(found, run)
    await score_advice(tx, found, run)
    return await diagnoses.keep_diagnosis(
        tx.conn,
        tx.workspace_id,
        Diagnosis(
            id=tx.new_id("diag"),
            loop_id=loop_id,
            run_id=run_id,
            fingerprint=seen.evidence_fingerprint,
            thresholds_version=seen.thresholds_version,
            headline=seen.headline,
            leaf=seen.leaf,
            path=seen.path,
            findings=seen.findings,
            evidence=seen.evidence,
            created_at=tx.now,
        ),
    )


async def diagnose_on_request(tx: Tx, run_ref: str) -> tuple[Diagnosis, bool]:
    """Diagnose a run that has something to show. Returns the diagnosis, and whether the evidence for it is new."""
    run = await look_up.find_run(tx, run_ref, "/run_id")
    await look_up.lock_loop(tx, run.loop_id)
    if run.reading is None and run.status not in ("succeeded", "failed", "cancelled"):
        raise DomainError("nothing_to_diagnose", f"{run.name} is {run.status} and has no metrics yet.")
    found = await diagnose_run(tx, run.loop_id, run.id)
    return found, found.created_at == tx.now
