"""A dataset version as a training platform takes it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryFile

from whatnext_service.contract.datasets import DatasetVersion
from whatnext_service.core.provider_rows import is_plain, plain_row
from whatnext_service.flows.context import Services
from whatnext_service.flows.version_content import read_rows, version_content
from whatnext_service.store.blobs import CHUNK_BYTES


@asynccontextmanager
async def provider_content(
    services: Services, workspace_id: str, version: DatasetVersion
) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
    """How many bytes, and the bytes: as stored where a platform takes them so, else written anew as plain JSON Lines.

    What is written anew depends on the stored bytes alone, so their digest names both.
    """
    stored = version_content(services, workspace_id, version)
    if is_plain(version.format.split(","), version.warning_counts):
        yield version.n_bytes, stored
        return
    with TemporaryFile() as plain:
        async for _ in read_rows(stored, lambda _line, raw: plain.write(plain_row(raw))):
            pass
        n_bytes = plain.tell()
        plain.seek(0)

        async def chunks() -> AsyncIterator[bytes]:
            while chunk := await asyncio.to_thread(plain.read, CHUNK_BYTES):
                yield chunk

        yield n_bytes, chunks()
