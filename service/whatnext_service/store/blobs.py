"""Uploaded bytes, kept once for each content, in chunks, so that nothing is ever whole in memory."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from whatnext_service.store.db import Conn, Pool
from whatnext_service.store.queries import load

sql = load(__file__)

CHUNK_BYTES = 1 << 20


async def put_blob(
    conn: Conn, workspace_id: str, sha256: bytes, n_bytes: int, chunks: Iterable[bytes], now: datetime
) -> None:
    """Store bytes under their digest, in the caller's transaction; content that is there already is not read."""
    if await conn.fetchval(sql.insert_blob, workspace_id, sha256, n_bytes, now) is None:
        return
    for n, chunk in enumerate(chunks):
        await conn.execute(sql.insert_chunk, workspace_id, sha256, n, chunk)


async def read_blob(source: "Pool | Conn", workspace_id: str, sha256: bytes) -> AsyncIterator[bytes]:
    """The bytes, chunk by chunk; of a pool, a connection is held only while a chunk is fetched. Whoever holds a
    connection reads with that one: to wait for a second is a deadlock when everybody does."""
    n = 0
    while (chunk := await source.fetchval(sql.get_chunk, workspace_id, sha256, n)) is not None:
        yield chunk
        n += 1
