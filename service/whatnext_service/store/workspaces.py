"""Workspaces and their API keys."""

from datetime import datetime

import msgspec

from whatnext_service.contract.common import Page
from whatnext_service.contract.workspace import Key
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


class Caller(msgspec.Struct, kw_only=True, frozen=True):
    """Who is calling: the key, its workspace, what it may do."""

    id: str
    workspace_id: str
    scopes: tuple[str, ...]


async def ensure_workspace(conn: Conn, workspace_id: str, name: str, now: datetime) -> str:
    """The id of the workspace of this name; created with `workspace_id` if there is none."""
    await conn.execute(sql.insert_workspace, workspace_id, name, now)
    found: str = await conn.fetchval(sql.workspace_by_name, name)
    return found


async def insert_key(conn: Conn, workspace_id: str, key: Key, sha256: bytes) -> None:
    """Store a new key; only the digest of its secret is kept."""
    await conn.execute(
        sql.insert_key, key.id, workspace_id, key.name, sha256, key.hint, list(key.scopes), key.created_at
    )


async def caller_of(conn: Conn, sha256: bytes) -> Caller | None:
    """Whoever holds the key with this digest; null when there is none or it was revoked."""
    row = await conn.fetchrow(sql.key_by_secret, sha256)
    return rows.decode(Caller, row) if row else None


async def get_key(conn: Conn, workspace_id: str, key_id: str) -> Key | None:
    row = await conn.fetchrow(sql.get_key, workspace_id, key_id)
    return rows.decode(Key, row) if row else None


async def list_keys(conn: Conn, workspace_id: str, cursor: str | None, limit: int) -> Page[Key]:
    return rows.page_of(Key, await conn.fetch(sql.list_keys, workspace_id, cursor, limit), limit)


async def revoke_key(conn: Conn, workspace_id: str, key_id: str, now: datetime) -> None:
    await conn.execute(sql.revoke_key, workspace_id, key_id, now)


async def touch(conn: Conn) -> None:
    """Fail unless the database answers and is migrated."""
    await conn.execute(sql.touch)
