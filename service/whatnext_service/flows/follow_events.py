"""Read on in the ordered log."""

from collections.abc import Sequence

from whatnext_service.contract.common import Page
from whatnext_service.contract.workspace import Event
from whatnext_service.core.ids import is_id
from whatnext_service.errors import DomainError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.store import events

BATCH = 100


async def place_of(tx: Tx, event_id: str | None) -> int:
    """An event's place in the log; 0, before the first, for none."""
    if event_id is None:
        return 0
    seq = await events.seq_of(tx.conn, tx.workspace_id, event_id) if is_id("evt", event_id) else None
    if seq is None:
        raise DomainError("invalid_cursor", "There is no such event in this workspace.")
    return seq


async def events_after(
    tx: Tx, *, place: int, key_id: str, loop_ids: Sequence[str] | None, types: Sequence[str] | None
) -> Page[Event]:
    """What came after a place, for a reader whose key is still good."""
    if (await look_up.find_key(tx, key_id)).revoked_at is not None:
        raise DomainError("unauthorized", "The API key was revoked.")
    return await events.list_events(tx.conn, tx.workspace_id, after=place, loop_ids=loop_ids, types=types, limit=BATCH)
