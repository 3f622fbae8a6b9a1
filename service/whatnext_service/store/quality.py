"""Quality reports of dataset versions, and what they say of each row."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from whatnext_service.contract.datasets import ComparedSet, QualityReport
from whatnext_service.core.dropped_rows import DerivationSource
from whatnext_service.core.near_pairs import unpack_pairs
from whatnext_service.core.quality import QualityReport as Findings
from whatnext_service.core.quality import SetRole
from whatnext_service.core.quality_rows import PackedRows
from whatnext_service.core.row_hashes import row_id
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)

MAX_SETS_APART = 20
"""Sets that a version is held against, the newest of them."""


class QualityWork(msgspec.Struct, kw_only=True, frozen=True):
    """A version whose report is to be made."""

    version_id: str
    workspace_id: str
    dataset_id: str
    sha256: bytes
    n_bytes: int


class SetApart(msgspec.Struct, kw_only=True, frozen=True):
    """A set that must share no rows with the training data: a loop's validation file or eval suite."""

    role: SetRole
    name: str
    version_id: str
    sha256: bytes
    n_bytes: int


class NewestReport(msgspec.Struct, kw_only=True, frozen=True):
    """The report of the newest version of a loop's training data."""

    version_id: str
    dataset_id: str
    status: str
    compared_with: tuple[ComparedSet, ...]


class RowPlace(msgspec.Struct, kw_only=True, frozen=True):
    """A row's name, and where it stands in the file."""

    row_id: str
    line: int
    start: int
    """Of its bytes."""
    n_bytes: int
    """0 where the report does not know."""


class AskedItem(msgspec.Struct, kw_only=True, frozen=True):
    """What a suite's item asks, and its tags."""

    prompt: str
    tags: tuple[str, ...]


async def insert_pending(conn: Conn, workspace_id: str, version_id: str, now: datetime) -> None:
    await conn.execute(sql.insert_pending, version_id, workspace_id, now)


async def get_report(conn: Conn, workspace_id: str, version_id: str) -> QualityReport | None:
    row = await conn.fetchrow(sql.get_report, workspace_id, version_id)
    return rows.decode(QualityReport, row) if row else None


async def ask_again(conn: Conn, version_id: str, now: datetime) -> int | None:
    """Let a finished report be made once more; null when one is under way. Its last findings stay meanwhile."""
    version: int | None = await conn.fetchval(sql.ask_again, version_id, now)
    return version


async def make_anew(conn: Conn, version_id: str, now: datetime) -> int | None:
    """Let a report be made once more, also when one is under way that does not know what is new."""
    version: int | None = await conn.fetchval(sql.make_anew, version_id, now)
    return version


async def open_work(conn: Conn, version_id: str) -> QualityWork | None:
    """The version, unless its report is done."""
    row = await conn.fetchrow(sql.open_work, version_id)
    return rows.decode(QualityWork, row) if row else None


async def take(conn: Conn, version_id: str, now: datetime) -> QualityWork | None:
    """Begin a report that is not done."""
    row = await conn.fetchrow(sql.take, version_id, now)
    return rows.decode(QualityWork, row) if row else None


async def show_progress(conn: Conn, version_id: str, n_rows_done: int, now: datetime) -> None:
    await conn.execute(sql.show_progress, version_id, n_rows_done, now)


async def finish(
    conn: Conn, version_id: str, findings: Findings, compared_with: Sequence[ComparedSet], now: datetime
) -> int | None:
    """Store a report and the count of suspects; null when the report was not running."""
    columns = ("row_scores", "row_flags", "label_confidence", "near_duplicates", "partners", "places")
    lean = msgspec.structs.replace(findings, **dict.fromkeys(columns, b""), faults=())
    version: int | None = await conn.fetchval(
        sql.finish,
        version_id,
        findings.n_rows,
        rows.encode(compared_with),
        rows.storable(rows.encode(lean)),
        *(getattr(findings, column) for column in columns),
        rows.storable(rows.encode(findings.faults)),
        now,
    )
    if version is not None:
        await conn.execute(sql.keep_suspects, version_id, findings.n_label_suspects)
    return version


async def fail(conn: Conn, version_id: str, failure: str, now: datetime) -> int | None:
    version: int | None = await conn.fetchval(sql.fail, version_id, failure.replace("\0", " "), now)
    return version


async def sets_apart(conn: Conn, dataset_id: str, version_id: str) -> tuple[SetApart, ...]:
    """The validation files and suites of the loops that train on the dataset, newest first."""
    found = await conn.fetch(sql.sets_apart, dataset_id, version_id, MAX_SETS_APART)
    return tuple(rows.decode(SetApart, row) for row in found)


async def newest_of_loop(conn: Conn, loop_id: str) -> NewestReport | None:
    row = await conn.fetchrow(sql.newest_of_loop, loop_id)
    return rows.decode(NewestReport, row) if row else None


async def packed_rows(conn: Conn, workspace_id: str, version_id: str) -> PackedRows | None:
    """What a finished report says of each row."""
    row = await conn.fetchrow(sql.packed_rows, workspace_id, version_id)
    if row is None:
        return None
    return PackedRows(**{**row, "flag_codes": msgspec.json.decode(row["flag_codes"], type=tuple[str, ...])})


async def partners(conn: Conn, workspace_id: str, version_id: str) -> bytes:
    """Which rows another one repeats or contradicts, packed as in the report."""
    packed: bytes = await conn.fetchval(sql.partners, workspace_id, version_id)
    return packed


async def row_places(conn: Conn, workspace_id: str, version_id: str, indexes: Sequence[int]) -> dict[int, RowPlace]:
    """The names and places of some rows, by index."""
    return {
        row["index"]: RowPlace(
            row_id=row_id(row["row_hash"]),
            line=int.from_bytes(row["line"], "little"),
            start=int.from_bytes(row["place"][:8], "little"),
            n_bytes=int.from_bytes(row["place"][8:], "little"),
        )
        for row in await conn.fetch(sql.row_places, workspace_id, version_id, indexes)
    }


async def derivation_source(conn: Conn, workspace_id: str, version_id: str) -> DerivationSource:
    """What is stored of a version for deriving from it; `lines` is empty for versions stored before lines were."""
    row = await conn.fetchrow(sql.derivation_source, workspace_id, version_id)
    if row is None:
        raise LookupError(version_id)
    near = row["near_duplicates"]
    return DerivationSource(
        row_hashes=row["row_hashes"],
        prompt_hashes=row["prompt_hashes"],
        reversed_hashes=row["reversed_hashes"],
        lines=row["lines"],
        scores=row["scores"],
        near=unpack_pairs(near) if near is not None else None,
        flags=row["flags"],
        flag_codes=msgspec.json.decode(row["flag_codes"], type=tuple[str, ...]) if row["flag_codes"] else (),
    )


async def asked_items(conn: Conn, suite_id: str) -> tuple[AskedItem, ...]:
    """What a suite's items ask, in order."""
    return tuple(rows.decode(AskedItem, row) for row in await conn.fetch(sql.asked_items, suite_id))


async def neglected(conn: Conn, before: datetime) -> tuple[str, ...]:
    """Versions whose report nobody has worked on since `before`."""
    return tuple(row["version_id"] for row in await conn.fetch(sql.neglected, before))
