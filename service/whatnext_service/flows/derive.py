"""Make a new dataset version by operations on another one."""

from whatnext_service.contract.datasets import Derivation, NewDerivation
from whatnext_service.core.dataset_lines import iter_rows
from whatnext_service.core.dataset_reader import DatasetReader
from whatnext_service.core.derivation import Operation, kept_rows
from whatnext_service.errors import DomainError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.flows.upload import Spool, add_version
from whatnext_service.flows.version_content import version_content
from whatnext_service.store import recommendations

SHOWN_LINES = 100
MAX_BYTES = 2**30


async def derive_version(tx: Tx, version_id: str, new: NewDerivation) -> Derivation:
    """Drop what the operations name, check what is left as if it were uploaded, and store it with its lineage."""
    version = await look_up.find_version(tx, version_id)
    if new.recommendation_id:
        await look_up.find_recommendation(tx, new.recommendation_id, "/recommendation_id")
    chunks = [chunk async for chunk in version_content(tx.services, tx.workspace_id, version)]
    reader = DatasetReader()
    for chunk in chunks:
        reader.feed(chunk)
    facts = reader.finish()
    operations = tuple(Operation(kind=each.kind, lines=each.lines or ()) for each in new.operations)
    kept = kept_rows(facts, operations)
    rows = list(iter_rows(chunks))
    dropped = tuple(line for place, (line, _) in enumerate(rows) if place not in kept)
    version_made = None
    if not new.dry_run:
        if not dropped:
            raise DomainError("invalid_derivation", "The operations drop no row: the new version would be the old one.")
        with Spool(MAX_BYTES) as spool:
            checked = DatasetReader()
            for place, (_, row) in enumerate(rows):
                if place in kept:
                    spool.write(row + b"\n")
                    checked.feed(row + b"\n")
            version_made, _ = await add_version(
                tx,
                version.dataset_id,
                spool,
                checked.finish(),
                parent_id=version.id,
                derived_by=tuple(dict.fromkeys(each.kind for each in operations)),
            )
        if new.recommendation_id:
            await recommendations.carried_out(tx.conn, tx.workspace_id, new.recommendation_id, version_made.id, tx.now)
    return Derivation(
        version=version_made,
        n_before=len(rows),
        n_after=len(rows) - len(dropped),
        dropped_lines=dropped[:SHOWN_LINES],
    )
