"""Uploaded bytes, kept once for each content, in chunks, so that nothing is ever whole in memory."""

from collections.abc import AsyncIterator, Iterable, Sequence
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


async def read_pieces(conn: Conn, workspace_id: str, sha256: bytes, pieces: Sequence[tuple[int, int]]) -> list[bytes]:
    """Some pieces of the bytes, each by its first byte and its length; no more of a chunk is read than is asked for."""
    parts = [
        (at, n, max(start, n * CHUNK_BYTES) - n * CHUNK_BYTES, min(start + n_bytes, (n + 1) * CHUNK_BYTES))
        for at, (start, n_bytes) in enumerate(pieces)
        for n in range(start // CHUNK_BYTES, -(-(start + n_bytes) // CHUNK_BYTES))
    ]
    columns = [
        [at for at, _, _, _ in parts],
        [n for _, n, _, _ in parts],
        [first for _, _, first, _ in parts],
        [end - n * CHUNK_BYTES - first for _, n, first, end in parts],
    ]
    found = [bytearray() for _ in pieces]
    for row in await conn.fetch(sql.get_pieces, workspace_id, sha256, *columns):
        found[row["piece"]] += row["bytes"]
    return [bytes(piece) for piece in found]


async def read_blob(source: "Pool | Conn", workspace_id: str, sha256: bytes) -> AsyncIterator[bytes]:
    """The bytes, chunk by chunk; of a pool, a connection is held only while a chunk is fetched. Whoever holds a
    connection reads with that one: to wait for a second is a deadlock when everybody does."""
    n = 0
    while (chunk := await source.fetchval(sql.get_chunk, workspace_id, sha256, n)) is not None:
        yield chunk
        n += 1
