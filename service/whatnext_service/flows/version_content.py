"""A dataset version's bytes, as they were uploaded."""

import asyncio
from collections.abc import AsyncIterator, Callable

from whatnext_service.contract.datasets import DatasetVersion
from whatnext_service.core.dataset_lines import RawRow, RowSplitter
from whatnext_service.flows.context import Services, Tx
from whatnext_service.store import blobs


def version_content(services: Services, workspace_id: str, version: DatasetVersion) -> AsyncIterator[bytes]:
    """The bytes, chunk by chunk, outside any transaction."""
    return blobs.read_blob(services.pool, workspace_id, bytes.fromhex(version.sha256))


def stream_version(tx: Tx, version: DatasetVersion) -> AsyncIterator[bytes]:
    """The bytes, chunk by chunk, on the transaction's own connection."""
    return blobs.read_blob(tx.conn, tx.workspace_id, bytes.fromhex(version.sha256))


async def read_version(tx: Tx, version: DatasetVersion) -> list[bytes]:
    """The bytes in chunks, all of them, on the transaction's own connection."""
    return [chunk async for chunk in stream_version(tx, version)]


async def read_raw_rows(chunks: AsyncIterator[bytes], take: Callable[[RawRow], object]) -> AsyncIterator[int]:
    """Hand every row of an accepted file to `take`, in a thread, a chunk at a time; gives how many rows were read after
    each chunk."""
    splitter = RowSplitter()
    n_rows = 0
    async for chunk in chunks:
        n_rows += await asyncio.to_thread(_take_all, splitter.feed, chunk, take)
        yield n_rows
    for row in splitter.finish():
        if row.raw:
            take(row)
            n_rows += 1
    yield n_rows


def read_rows(chunks: AsyncIterator[bytes], take: Callable[[int, bytes], object]) -> AsyncIterator[int]:
    """The same for whoever wants the line and the bytes of a row alone."""
    return read_raw_rows(chunks, lambda row: take(row.line, row.raw))


def _take_all(cut: Callable[[bytes], list[RawRow]], chunk: bytes, take: Callable[[RawRow], object]) -> int:
    found = [row for row in cut(chunk) if row.raw]
    for row in found:
        take(row)
    return len(found)
