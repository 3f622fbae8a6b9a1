"""Start, show and cancel the judging of a dataset version's rows."""

from decimal import Decimal

from whatnext_service.contract.row_judging import NewRowJudging, RowJudging
from whatnext_service.core.row_judge import instrument_of, row_dimensions
from whatnext_service.errors import DomainError, FieldError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.store import row_judgings
from whatnext_service.store.row_judgings import JudgingStart


async def start_judging(tx: Tx, version_id: str, new: NewRowJudging) -> RowJudging:
    """Record the judging; a job then asks the judge. One that has ended is started again."""
    version = await look_up.find_version(tx, version_id)
    if version.method == "rft":
        raise _invalid("", "The rows hold no answers: in RFT the model under training gives them.")
    if new.max_cost is not None and new.prices is None:
        raise _invalid("/prices", "is needed for a cap on the cost")
    if len(set(new.dimensions)) < len(new.dimensions):
        raise _invalid("/dimensions", "names one twice")
    if tx.services.judge is None:
        raise DomainError("judge_not_configured", "No judge model is configured.")
    model = new.model or tx.services.judge.model
    start = JudgingStart(
        version_id=version.id,
        secret=tx.services.randomness(16),
        instrument=instrument_of(row_dimensions(new.dimensions, model)),
        model=model,
        dimensions=new.dimensions,
        n_rows=min(new.n_rows, version.n_examples),
        threshold=new.threshold,
        max_tokens=new.max_tokens,
        max_cost=Decimal(new.max_cost) if new.max_cost is not None else None,
        prices=new.prices,
    )
    row_version = await row_judgings.start(tx.conn, tx.workspace_id, start, tx.now)
    if row_version is None:
        raise DomainError("judging_open", "The version's rows are being judged: wait for it, or cancel it.")
    await tx.defer("judge_rows", version.id)
    tx.tell("dataset_version.judging_started", version.id, row_version)
    return await find_judging(tx, version.id)


async def find_judging(tx: Tx, version_id: str) -> RowJudging:
    """The judging of a version's rows."""
    found = await row_judgings.get_judging(tx.conn, tx.workspace_id, version_id)
    if found is None:
        raise DomainError("not_found", f"No judge was asked about the rows of {version_id[:128]!r} in this workspace.")
    return found


async def cancel_judging(tx: Tx, version_id: str) -> RowJudging:
    """Ask for a judging to be cancelled: no other row is sent, and the scores so far stay."""
    judging = await find_judging(tx, version_id)
    version = await row_judgings.request_cancel(tx.conn, judging.dataset_version_id, tx.now)
    if version is None:
        return judging
    await tx.defer("judge_rows", judging.dataset_version_id)
    tx.tell("dataset_version.judging_cancel_requested", judging.dataset_version_id, version)
    return await find_judging(tx, judging.dataset_version_id)


def _invalid(pointer: str, message: str) -> DomainError:
    return DomainError(
        "invalid_judging", f"{pointer} {message}".strip(), errors=(FieldError(pointer=pointer, message=message),)
    )
