"""Uploaded bytes, kept in chunks: read whole, and in pieces."""

from datetime import UTC, datetime

import pytest

from whatnext_service.store import blobs
from whatnext_service.store.db import Pool

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DIGEST = b"\1" * 32
CONTENT = bytes(range(256)) * 10


async def test_a_piece_may_span_chunks(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "CHUNK_BYTES", 1000)
    await pool.execute("insert into workspace (id, name, created_at) values ('ws', 'ours', $1)", NOW)
    async with pool.acquire() as conn:
        chunks = [CONTENT[start : start + 1000] for start in range(0, len(CONTENT), 1000)]
        await blobs.put_blob(conn, "ws", DIGEST, len(CONTENT), chunks, NOW)
        pieces = [(2500, 60), (0, 5), (990, 20), (900, 1500), (1000, 1000), (999, 1)]
        found = await blobs.read_pieces(conn, "ws", DIGEST, pieces)
        assert found == [CONTENT[start : start + n_bytes] for start, n_bytes in pieces]
        assert await blobs.read_pieces(conn, "ws", DIGEST, []) == []
    assert b"".join([chunk async for chunk in blobs.read_blob(pool, "ws", DIGEST)]) == CONTENT
