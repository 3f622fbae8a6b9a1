"""What is known of a dataset version's quality: its report, and its rows, worst first."""

import asyncio

from whatnext_service.contract.common import Page
from whatnext_service.contract.datasets import DatasetVersion, QualityReport, RelatedRow, ScoredRow
from whatnext_service.core.quality import QUALITY_VERSION
from whatnext_service.core.quality_rows import Partner, RankedRow, RowText, partners_of, rank_rows, show_text
from whatnext_service.errors import DomainError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.flows.lists import Asked
from whatnext_service.store import blobs, quality, row_judgings

LONGEST_SHOWN_BYTES = 2**20
"""Rows with more bytes are not read to show how they begin."""


async def find_quality(tx: Tx, version_id: str) -> QualityReport:
    """A version's quality report, whatever its status."""
    report = await quality.get_report(tx.conn, tx.workspace_id, version_id)
    if report is None:
        raise DomainError("not_found", f"There is no dataset version {version_id[:128]!r} in this workspace.")
    return report


async def make_again(tx: Tx, version_id: str) -> QualityReport:
    """Let a report be made once more that failed or was made by other rules; any other stays as it is."""
    report = await find_quality(tx, version_id)
    outdated = report.status == "ready" and report.rules_version != QUALITY_VERSION
    if not outdated and report.status != "failed":
        return report
    if await quality.ask_again(tx.conn, version_id, tx.now) is not None:
        await tx.defer("report_quality", version_id)
    return await find_quality(tx, version_id)


async def list_rows(
    tx: Tx, version_id: str, asked: Asked, check: str | None, *, with_text: bool = False
) -> Page[ScoredRow]:
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
    data = await _described(tx, version, ranked, with_text)
    return Page(data=data, next_cursor=str(start + len(data)) if more else None)


async def _described(
    tx: Tx, version: DatasetVersion, ranked: tuple[RankedRow, ...], with_text: bool
) -> tuple[ScoredRow, ...]:
    indexes = tuple(row.index for row in ranked)
    partners: dict[int, tuple[Partner, ...]] = {}
    if with_text:
        packed = await quality.partners(tx.conn, tx.workspace_id, version.id)
        partners = await asyncio.to_thread(partners_of, packed, indexes)
    wanted = sorted({*indexes, *(each.index for found in partners.values() for each in found)})
    places = await quality.row_places(tx.conn, tx.workspace_id, version.id, wanted)
    texts = await _texts(tx, version, places) if with_text else {}
    names = [places[index].row_id for index in indexes]
    judged = await row_judgings.judgements(tx.conn, tx.workspace_id, version.id, names)
    return tuple(
        ScoredRow(
            line=row.line,
            row_id=name,
            score=row.score,
            label_confidence=row.label_confidence,
            checks=row.checks,
            judgement=judged.get(name),
            text=texts.get(row.index),
            related=tuple(
                RelatedRow(
                    check=each.check,
                    line=places[each.index].line,
                    row_id=places[each.index].row_id,
                    text=texts.get(each.index),
                )
                for each in partners.get(row.index, ())
            ),
        )
        for row, name in zip(ranked, names, strict=True)
    )


async def _texts(tx: Tx, version: DatasetVersion, places: dict[int, quality.RowPlace]) -> dict[int, RowText]:
    shown = {index: place for index, place in places.items() if 0 < place.n_bytes <= LONGEST_SHOWN_BYTES}
    pieces = [(place.start, place.n_bytes) for place in shown.values()]
    raws = await blobs.read_pieces(tx.conn, tx.workspace_id, bytes.fromhex(version.sha256), pieces)
    return {index: show_text(raw) for index, raw in zip(shown, raws, strict=True)}
