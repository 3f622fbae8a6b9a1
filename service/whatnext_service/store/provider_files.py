"""Which dataset bytes a provider already has, so that no file is uploaded twice."""

from datetime import datetime

from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


async def known_file(conn: Conn, provider: str, workspace_id: str, sha256: bytes) -> str | None:
    """The provider's id of the file with these bytes."""
    file_id: str | None = await conn.fetchval(sql.known_file, provider, workspace_id, sha256)
    return file_id


async def remember_file(
    conn: Conn, provider: str, workspace_id: str, sha256: bytes, file_id: str, now: datetime
) -> None:
    await conn.execute(sql.remember_file, provider, workspace_id, sha256, file_id, now)


async def forget_file(conn: Conn, provider: str, workspace_id: str, sha256: bytes, before: datetime) -> None:
    """Forget a file the provider no longer has, if it was remembered before that time."""
    await conn.execute(sql.forget_file, provider, workspace_id, sha256, before)
