"""Receive a dataset: spooled to disk and checked while it streams, stored only when it is whole and sound."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import IO, Self

from whatnext_service.contract.datasets import Dataset, DatasetVersion, NewDataset, RowWarning
from whatnext_service.core.dataset_reader import DatasetReader
from whatnext_service.core.datasets import DatasetFacts
from whatnext_service.core.loops import Method
from whatnext_service.errors import DomainError, FieldError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.store import blobs, datasets, loops, quality

BATCH_BYTES = 1 << 20
"""Bytes that are handed to a thread at once: enough that the handing over costs nothing."""
FEED_BYTES = 1 << 16


class Spool:
    """Bytes on their way in, in a file without a name: a killed process leaves nothing behind."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 -- closed by __exit__
        self._digest = hashlib.sha256()
        self.n_bytes = 0

    def write(self, chunk: bytes) -> None:
        """Take the next bytes; past the limit raises `too_large`."""
        self.n_bytes += len(chunk)
        if self.n_bytes > self._max_bytes:
            raise DomainError("too_large", f"The upload is larger than {self._max_bytes} bytes.")
        self._file.write(chunk)
        self._digest.update(chunk)

    @property
    def sha256(self) -> bytes:
        """Digest of everything written so far."""
        return self._digest.digest()

    def chunks(self) -> Iterator[bytes]:
        """Everything written, from the start."""
        self._file.seek(0)
        while chunk := self._file.read(blobs.CHUNK_BYTES):
            yield chunk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()


async def receive(stream: AsyncIterator[bytes], spool: Spool, announced: Method | None = None) -> DatasetFacts:
    """Spool an upload and check every row of it on the way, in a thread: meanwhile the process serves others."""
    reader = DatasetReader(announced)
    async for batch in _batches(stream):
        await asyncio.to_thread(_take, spool, reader, batch)
    return await asyncio.to_thread(reader.finish)


async def _batches(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    held = bytearray()
    async for chunk in stream:
        held += chunk
        if len(held) >= BATCH_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _take(spool: Spool, reader: DatasetReader, batch: bytes) -> None:
    spool.write(batch)
    for start in range(0, len(batch), FEED_BYTES):
        reader.feed(batch[start : start + FEED_BYTES])


async def create_dataset(tx: Tx, new: NewDataset) -> Dataset:
    """Create a dataset; the loop named trains on it from now on, unless it has one already."""
    loop = await look_up.lock_loop(tx, new.loop_id, "/loop_id") if new.loop_id else None
    dataset_id = tx.new_id("ds")
    if not await datasets.insert_dataset(
        tx.conn, tx.workspace_id, dataset_id, new.name, loop.id if loop else None, tx.now
    ):
        raise DomainError(
            "name_taken",
            f"This workspace has a dataset called {new.name!r} already.",
            errors=(FieldError(pointer="/name", message="is taken"),),
        )
    if loop is not None and loop.dataset_id is None:
        await loops.attach_dataset(tx.conn, tx.workspace_id, loop.id, dataset_id, tx.now)
        tx.loop_moved(loop.id)
    tx.tell("dataset.created", dataset_id, 1, loop_id=loop.id if loop else None)
    return await look_up.find_dataset(tx, dataset_id)


async def upload_version(
    tx: Tx, dataset_id: str, spool: Spool, facts: DatasetFacts, parent_id: str | None
) -> tuple[DatasetVersion, bool]:
    """Store an uploaded version; its parent, where one is named, is another version of the dataset."""
    if parent_id is not None and (await look_up.find_version(tx, parent_id)).dataset_id != dataset_id:
        raise DomainError("unknown_reference", "The parent version belongs to another dataset.")
    return await add_version(tx, dataset_id, spool, facts, parent_id=parent_id)


async def add_version(
    tx: Tx,
    dataset_id: str,
    spool: Spool,
    facts: DatasetFacts,
    *,
    parent_id: str | None = None,
    derived_by: tuple[str, ...] = ("upload",),
) -> tuple[DatasetVersion, bool]:
    """Store a version; bytes the dataset has already give the version that holds them. Returns it, and if it is new."""
    dataset = await look_up.find_dataset(tx, dataset_id)
    refuse_faulty(facts)
    if known := await datasets.version_by_content(tx.conn, dataset.id, spool.sha256):
        return known, False
    await blobs.put_blob(tx.conn, tx.workspace_id, spool.sha256, spool.n_bytes, spool.chunks(), tx.now)
    await loops.lock_loops_of_dataset(tx.conn, dataset.id)
    await datasets.lock_dataset(tx.conn, dataset.id)
    if known := await datasets.version_by_content(tx.conn, dataset.id, spool.sha256):
        return known, False
    number = await datasets.next_version_number(tx.conn, dataset.id, tx.now)
    version_id = tx.new_id("dsv")
    await datasets.insert_version(
        tx.conn,
        tx.workspace_id,
        datasets.NewVersion(
            id=version_id,
            dataset_id=dataset.id,
            number=number,
            parent_id=parent_id,
            derived_by=derived_by,
            sha256=spool.sha256,
            n_bytes=spool.n_bytes,
            n_examples=facts.n_examples,
            method=facts.method or "sft",
            format=",".join(facts.traits),
            n_duplicates=facts.n_duplicates,
            n_contradictions=facts.n_contradictions,
            n_tokens=facts.n_tokens,
            warning_counts={each.code: each.count for each in facts.problem_counts},
            first_warnings=tuple(
                RowWarning(line=row.line, code=row.code, message=row.message, remedy=row.remedy)
                for row in facts.problems
            ),
            row_hashes=facts.row_hashes,
            prompt_hashes=facts.prompt_hashes,
            reversed_hashes=facts.reversed_hashes,
            lines=facts.lines,
            created_at=tx.now,
        ),
    )
    await quality.insert_pending(tx.conn, tx.workspace_id, version_id, tx.now)
    await tx.defer("report_quality", version_id)
    for loop_id in await loops.loops_of_dataset(tx.conn, dataset.id):
        tx.loop_moved(loop_id)
    tx.tell("dataset_version.created", version_id, 1, loop_id=dataset.loop_id)
    return await look_up.find_version(tx, version_id), True


def refuse_faulty(facts: DatasetFacts) -> None:
    """Refuse a file with an error as a whole, naming lines, faults and remedies."""
    if not facts.n_errors:
        return
    faults = [row for row in facts.problems if row.severity == "error"]
    counts = ", ".join(f"{each.code} x{each.count}" for each in facts.problem_counts if each.severity == "error")
    raise DomainError(
        "invalid_dataset",
        f"The file has {facts.n_errors} error{'' if facts.n_errors == 1 else 's'} ({counts}); nothing was stored.",
        errors=tuple(
            FieldError(pointer=f"/{row.line}", message=f"{row.code}: {row.message} {row.remedy}") for row in faults
        ),
    )
