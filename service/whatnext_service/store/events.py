"""The ordered log of what happened in a workspace."""

from collections.abc import Sequence
from datetime import datetime

from whatnext_service.contract.common import Page
from whatnext_service.contract.workspace import Event
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


async def append(
    conn: Conn,
    *,
    id: str,
    workspace_id: str,
    type: str,
    loop_id: str | None,
    subject_id: str,
    version: int,
    now: datetime,
) -> None:
    """Append an event and tell listeners. Call last in a transaction: it holds the workspace's row until the commit,
    which is what makes the order of the log the order of the commits."""
    await conn.fetchval(sql.append, id, workspace_id, type, loop_id, subject_id, version, now)


async def list_events(
    conn: Conn,
    workspace_id: str,
    *,
    after: int,
    loop_ids: Sequence[str] | None,
    types: Sequence[str] | None,
    limit: int,
) -> Page[Event]:
    """Events after a place in the log, oldest first."""
    return rows.page_of(Event, await conn.fetch(sql.list_events, workspace_id, after, loop_ids, types, limit), limit)


async def seq_of(conn: Conn, workspace_id: str, event_id: str) -> int | None:
    """An event's place in the log."""
    seq: int | None = await conn.fetchval(sql.seq_of, workspace_id, event_id)
    return seq
