"""Answers kept under an Idempotency-Key for 24 hours. The key's unique index is the lock between twins."""

from datetime import datetime

import msgspec

from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


class StoredAnswer(msgspec.Struct, kw_only=True, frozen=True):
    """What the first request with this key was answered."""

    request: bytes
    """SHA-256 of the method, path and body it was made with."""
    status: int
    headers: dict[str, str]
    body: bytes


async def claim(conn: Conn, workspace_id: str, key: str, request: bytes, now: datetime) -> StoredAnswer | None:
    """Take the key for this transaction; null when it was free, else what was answered to the first request.

    A twin whose first request is still open waits for it here, up to the connection's lock timeout.
    """
    if await conn.fetchval(sql.claim, workspace_id, key, request, now) is not None:
        return None
    row = await conn.fetchrow(sql.stored, workspace_id, key)
    return rows.decode(StoredAnswer, row) if row else None


async def keep(conn: Conn, workspace_id: str, key: str, status: int, headers: dict[str, str], body: bytes) -> None:
    """Keep the answer with the transaction that claimed the key."""
    await conn.execute(sql.keep, workspace_id, key, status, rows.encode(headers), body)


async def forget_old(conn: Conn, before: datetime) -> None:
    await conn.execute(sql.forget_old, before)
