"""Runs: what is answered about them, and the rows the worker moves forward.

Every move is fenced by the row's version: whoever lost a race, or was revived after a crash, changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from whatnext_service.contract.common import Page
from whatnext_service.contract.runs import Run
from whatnext_service.core.curves import CurveReading
from whatnext_service.core.runs import EffectiveConfig, RunConfig, RunFault, RunStatus
from whatnext_service.core.thresholds import CurveThresholds
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


class NewRunRow(msgspec.Struct, kw_only=True, frozen=True):
    """A run about to be stored."""

    id: str
    loop_id: str
    number: int
    parent_id: str | None
    provider: str
    status: RunStatus
    config: RunConfig
    effective: EffectiveConfig | None
    changed: tuple[str, ...]
    confounded_by: tuple[str, ...]
    validation_version_id: str | None
    recommendation_id: str | None
    note: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class RunWork(msgspec.Struct, kw_only=True, frozen=True):
    """What the worker needs to know of a run."""

    id: str
    workspace_id: str
    loop_id: str
    number: int
    provider: str
    status: RunStatus
    provider_job_id: str | None
    submit_intent_at: datetime | None
    cancel_requested: bool
    config: RunConfig
    effective: EffectiveConfig | None
    validation_version_id: str | None
    attempts: int
    """Faults of the provider in a row."""
    provider_fault: RunFault | None
    version: int
    created_at: datetime


class CurveWork(msgspec.Struct, kw_only=True, frozen=True):
    """What reading a run's curve needs to know of it."""

    id: str
    loop_id: str
    parent_id: str | None
    provider: str
    status: RunStatus
    config: RunConfig
    effective: EffectiveConfig | None
    changed: tuple[str, ...]
    version: int
    thresholds: CurveThresholds
    """Of its loop."""
    n_examples: int | None
    n_validation: int | None
    deployable_steps: tuple[int, ...] | None
    has_checkpoints: bool


class RunProgress(msgspec.Struct, kw_only=True, frozen=True):
    """What a look at the provider showed; null keeps what is known."""

    status: RunStatus
    provider_status: str | None
    provider_job_id: str | None = None
    model: str | None = None
    effective: EffectiveConfig | None = None
    trained_tokens: int | None = None
    cost: Decimal | None = None
    failure: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


async def insert_run(conn: Conn, workspace_id: str, new: NewRunRow) -> None:
    await conn.execute(
        sql.insert_run,
        new.id,
        workspace_id,
        new.loop_id,
        new.number,
        new.parent_id,
        new.provider,
        new.status,
        rows.encode(new.config),
        rows.encode(new.effective) if new.effective else None,
        list(new.changed),
        list(new.confounded_by),
        new.validation_version_id,
        new.recommendation_id,
        new.note,
        new.created_at,
        new.started_at,
        new.finished_at,
    )


async def get_run(conn: Conn, workspace_id: str, run_id: str) -> Run | None:
    row = await conn.fetchrow(sql.get_run, workspace_id, run_id)
    return rows.decode(Run, row) if row else None


async def run_by_number(conn: Conn, workspace_id: str, slug: str, number: int) -> Run | None:
    row = await conn.fetchrow(sql.run_by_number, workspace_id, slug, number)
    return rows.decode(Run, row) if row else None


async def list_runs(
    conn: Conn,
    workspace_id: str,
    cursor: str | None,
    limit: int,
    *,
    loop_ids: Sequence[str] | None,
    statuses: Sequence[str] | None,
) -> Page[Run]:
    if loop_ids is None:
        found = await conn.fetch(sql.list_all_runs, workspace_id, cursor, limit, statuses)
    else:
        found = await conn.fetch(sql.list_runs, workspace_id, cursor, limit, loop_ids, statuses)
    return rows.page_of(Run, found, limit)


async def annotate_run(conn: Conn, workspace_id: str, run: Run, now: datetime) -> None:
    """Write what a person or an outside trainer says of a run: note, cost, effective values."""
    effective = rows.encode(run.effective) if run.effective else None
    await conn.execute(sql.annotate_run, workspace_id, run.id, run.note, run.cost, effective, now)


async def lock_work(conn: Conn, run_id: str) -> RunWork | None:
    """A run for the worker, its row locked until the transaction ends."""
    row = await conn.fetchrow(sql.lock_work, run_id)
    return rows.decode(RunWork, row) if row else None


async def intend(conn: Conn, run: RunWork, now: datetime) -> int | None:
    """Record that the paid call is about to be made; returns the new version, null when someone else moved the run."""
    version: int | None = await conn.fetchval(sql.intend, run.id, run.version, now)
    return version


async def progress(conn: Conn, run_id: str, version: int, seen: RunProgress, now: datetime) -> int | None:
    """Write what was seen at the provider; returns the new version, null when someone else moved the run."""
    moved: int | None = await conn.fetchval(
        sql.progress,
        run_id,
        version,
        seen.status,
        seen.provider_status,
        seen.provider_job_id,
        seen.model,
        rows.encode(seen.effective) if seen.effective else None,
        seen.trained_tokens,
        seen.cost,
        seen.failure,
        seen.started_at,
        seen.finished_at,
        now,
    )
    return moved


async def count_fault(conn: Conn, run_id: str, now: datetime) -> int:
    """Count one more provider fault in a row."""
    attempts: int = await conn.fetchval(sql.count_fault, run_id, now)
    return attempts


async def withdraw(conn: Conn, run_id: str, version: int) -> None:
    """Take back an intent whose call certainly made no job."""
    await conn.execute(sql.withdraw, run_id, version)


async def show_fault(conn: Conn, run_id: str, fault: RunFault) -> int:
    """Show on the run what stands between it and its provider; returns the new version."""
    version: int = await conn.fetchval(sql.show_fault, run_id, rows.encode(fault))
    return version


async def clear_fault(conn: Conn, run_id: str) -> int | None:
    """The provider answered: forget its faults; returns the new version, null when there were none."""
    version: int | None = await conn.fetchval(sql.clear_fault, run_id)
    return version


async def request_cancel(conn: Conn, run_id: str, now: datetime) -> int:
    version: int = await conn.fetchval(sql.request_cancel, run_id, now)
    return version


async def set_reading(conn: Conn, run_id: str, reading: CurveReading | None, last_step: int, now: datetime) -> int:
    """Keep the curve's reading beside the run, in the transaction that stored the points."""
    encoded = rows.encode(reading) if reading else None
    version: int = await conn.fetchval(sql.set_reading, run_id, encoded, last_step, now)
    return version


async def lock_curves(conn: Conn, run_ids: Sequence[str]) -> tuple[CurveWork, ...]:
    """Runs whose curves are about to be read, in order of id, their rows locked until the transaction ends."""
    return tuple(rows.decode(CurveWork, row) for row in await conn.fetch(sql.lock_curves, run_ids))


async def with_reading(conn: Conn, loop_id: str) -> tuple[str, ...]:
    """A loop's runs whose curve was read."""
    return tuple(row["id"] for row in await conn.fetch(sql.with_reading, loop_id))


async def children_as_long(conn: Conn, run_id: str) -> tuple[str, ...]:
    """The runs made from a run whose curve ends at the same step."""
    return tuple(row["id"] for row in await conn.fetch(sql.children_as_long, run_id))


async def neglected(conn: Conn, before: datetime) -> tuple[str, ...]:
    """Runs at a provider that nobody has looked at since `before`."""
    return tuple(row["id"] for row in await conn.fetch(sql.neglected, before))
