"""Uploaded bytes, kept once for each workspace and content, in chunks: read whole, and in pieces."""

from collections.abc import Iterator

import pytest
from tests.store.making import NOW, a_workspace

from whatnext_service.store import blobs
from whatnext_service.store.blobs import put_blob, read_blob
from whatnext_service.store.db import Conn, Pool

DIGEST = b"\1" * 32
CONTENT = bytes(range(256)) * 10
CHUNKS = [b"one", b"two", b""]


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


@pytest.fixture
async def ours(conn: Conn) -> str:
    return await a_workspace(conn)


async def read(source: "Conn | Pool", workspace_id: str) -> list[bytes]:
    return [chunk async for chunk in read_blob(source, workspace_id, DIGEST)]


async def test_bytes_come_back_in_order(conn: Conn, pool: Pool, ours: str) -> None:
    await put_blob(conn, ours, DIGEST, 6, CHUNKS, NOW)
    assert await read(conn, ours) == await read(pool, ours) == CHUNKS


async def test_content_that_is_known_is_not_read_again(conn: Conn, ours: str) -> None:
    def untouched() -> Iterator[bytes]:
        raise AssertionError("read")
        yield b""

    await put_blob(conn, ours, DIGEST, 6, CHUNKS, NOW)
    await put_blob(conn, ours, DIGEST, 6, untouched(), NOW)
    assert await read(conn, ours) == CHUNKS


async def test_another_workspace_has_its_own(conn: Conn, ours: str) -> None:
    theirs = await a_workspace(conn, "theirs")
    await put_blob(conn, ours, DIGEST, 6, CHUNKS, NOW)
    assert await read(conn, theirs) == []
    await put_blob(conn, theirs, DIGEST, 6, CHUNKS, NOW)
    assert await conn.fetchval("select count(*) from blob") == 2


async def test_half_a_file_is_no_file(conn: Conn, ours: str) -> None:
    def broken() -> Iterator[bytes]:
        yield b"one"
        raise OSError("the disk is full")

    async def store() -> None:
        async with conn.transaction():
            await put_blob(conn, ours, DIGEST, 6, broken(), NOW)

    with pytest.raises(OSError, match="the disk is full"):
        await store()
    assert await read(conn, ours) == []
