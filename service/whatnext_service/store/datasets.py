"""Datasets and their versions."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from whatnext_service.contract.common import Page
from whatnext_service.contract.datasets import Dataset, DatasetVersion, RowWarning
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


class NewVersion(msgspec.Struct, kw_only=True, frozen=True):
    """What is stored of a version whose bytes are stored already."""

    id: str
    dataset_id: str
    number: int
    parent_id: str | None
    derived_by: tuple[str, ...]
    sha256: bytes
    n_bytes: int
    n_examples: int
    method: str
    format: str
    n_duplicates: int
    n_contradictions: int
    n_tokens: int | None
    warning_counts: dict[str, int]
    first_warnings: tuple[RowWarning, ...]
    row_hashes: bytes
    prompt_hashes: bytes
    reversed_hashes: bytes
    lines: bytes
    created_at: datetime


async def insert_dataset(
    conn: Conn, workspace_id: str, dataset_id: str, name: str, loop_id: str | None, now: datetime
) -> bool:
    """Store a new dataset; false when the name is taken."""
    return await conn.fetchval(sql.insert_dataset, dataset_id, workspace_id, loop_id, name, now) is not None


async def get_dataset(conn: Conn, workspace_id: str, dataset_id: str) -> Dataset | None:
    row = await conn.fetchrow(sql.get_dataset, workspace_id, dataset_id)
    return rows.decode(Dataset, row) if row else None


async def list_datasets(
    conn: Conn, workspace_id: str, cursor: str | None, limit: int, *, loop_ids: Sequence[str] | None
) -> Page[Dataset]:
    return rows.page_of(Dataset, await conn.fetch(sql.list_datasets, workspace_id, cursor, limit, loop_ids), limit)


async def dataset_by_name(conn: Conn, workspace_id: str, name: str) -> Dataset | None:
    row = await conn.fetchrow(sql.dataset_by_name, workspace_id, name)
    return rows.decode(Dataset, row) if row else None


async def lock_dataset(conn: Conn, dataset_id: str) -> None:
    """Keep others from adding a version until the transaction ends."""
    await conn.fetchval(sql.lock_dataset, dataset_id)


async def next_version_number(conn: Conn, dataset_id: str, now: datetime) -> int:
    """The number of the version about to be stored."""
    number: int = await conn.fetchval(sql.next_version_number, dataset_id, now)
    return number


async def insert_version(conn: Conn, workspace_id: str, new: NewVersion) -> None:
    await conn.execute(
        sql.insert_version,
        new.id,
        workspace_id,
        new.dataset_id,
        new.number,
        new.parent_id,
        list(new.derived_by),
        new.sha256,
        new.n_bytes,
        new.n_examples,
        new.method,
        new.format,
        new.n_duplicates,
        new.n_contradictions,
        new.n_tokens,
        rows.encode({"counts": new.warning_counts, "first": new.first_warnings}),
        new.row_hashes,
        new.prompt_hashes,
        new.reversed_hashes,
        new.lines,
        new.created_at,
    )


async def get_version(conn: Conn, workspace_id: str, version_id: str) -> DatasetVersion | None:
    row = await conn.fetchrow(sql.get_version, workspace_id, version_id)
    return rows.decode(DatasetVersion, row) if row else None


async def version_by_content(conn: Conn, dataset_id: str, sha256: bytes) -> DatasetVersion | None:
    """The version of a dataset that has exactly these bytes."""
    row = await conn.fetchrow(sql.version_by_content, dataset_id, sha256)
    return rows.decode(DatasetVersion, row) if row else None


async def list_versions(
    conn: Conn, workspace_id: str, cursor: str | None, limit: int, *, dataset_id: str
) -> Page[DatasetVersion]:
    found = await conn.fetch(sql.list_versions, workspace_id, cursor, limit, dataset_id)
    return rows.page_of(DatasetVersion, found, limit)


async def prompt_hashes(conn: Conn, workspace_id: str, version_id: str) -> bytes:
    """Sixteen bytes for each row's prompt, in order: equal prompts have equal hashes."""
    packed: bytes = await conn.fetchval(sql.prompt_hashes, workspace_id, version_id)
    return packed
