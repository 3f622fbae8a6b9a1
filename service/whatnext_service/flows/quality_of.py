"""What is known of a dataset version's quality: its report, and its rows, worst first."""

import asyncio

import msgspec

from whatnext_service.contract.common import Page
from whatnext_service.contract.datasets import QualityReport, ScoredRow
from whatnext_service.core.quality_rows import rank_rows
from whatnext_service.errors import DomainError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.flows.lists import Asked
from whatnext_service.store import quality, row_judgings


async def find_quality(tx: Tx, version_id: str) -> QualityReport:
    """A version's quality report, whatever its status."""
    report = await quality.get_report(tx.conn, tx.workspace_id, version_id)
    if report is None:
        raise DomainError("not_found", f"There is no dataset version {version_id[:128]!r} in this workspace.")
    return report


async def list_rows(tx: Tx, version_id: str, asked: Asked, check: str | None) -> Page[ScoredRow]:
    """A version's rows in the order in which to look at them; the cursor is a place in that order."""
    cursor = asked.cursor or "0"
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise DomainError("invalid_cursor", "The cursor is not one that this list gave out.")
    version = await look_up.find_version(tx, version_id)
    packed = await quality.packed_rows(tx.conn, tx.workspace_id, version.id)
    if packed is None:
        raise DomainError("quality_missing", "The version's quality report is not made yet.")
    start = int(cursor)
    ranked, more = await asyncio.to_thread(rank_rows, packed, check, start, asked.limit)
    judged = await row_judgings.judgements(tx.conn, tx.workspace_id, version.id, [row.row_id for row in ranked])
    data = tuple(ScoredRow(**msgspec.structs.asdict(row), judgement=judged.get(row.row_id)) for row in ranked)
    return Page(data=data, next_cursor=str(start + len(data)) if more else None)
