"""Read a run's curve with its loop's thresholds, and keep the reading beside the run."""

import asyncio
from typing import TypeAlias

from whatnext_service.core.change_took import COLUMNS, must_show
from whatnext_service.core.curve_points import series_from_points
from whatnext_service.core.curves import Curve, CurveReading
from whatnext_service.core.read_curve import read_curve
from whatnext_service.core.result_columns import canonical_metric
from whatnext_service.core.runs import FINAL_STATUSES
from whatnext_service.flows.context import Tx
from whatnext_service.store import metrics, runs

Columns: TypeAlias = tuple[metrics.Column, ...]


async def refresh_reading(tx: Tx, run_id: str) -> CurveReading | None:
    """Read the curve anew and keep the reading with the run; runs made from it are compared with it again."""
    (work,) = await runs.lock_curves(tx.conn, [run_id])
    reading = await _read(tx, work)
    if reading is None:
        return None
    for child in await runs.lock_curves(tx.conn, await runs.children_as_long(tx.conn, run_id)):
        await _read(tx, child)
    if work.status in FINAL_STATUSES or work.provider == "external":
        tx.loop_moved(work.loop_id)
    tx.tell("run.metrics", run_id, work.version + 1, loop_id=work.loop_id)
    return reading


async def read_loop_again(tx: Tx, loop_id: str) -> None:
    """Read every curve of a loop anew, after its thresholds changed: what is shown from now on rests on the new ones.

    Diagnoses that were made before stay as they are, and name the thresholds that they rest on.
    """
    for work in await runs.lock_curves(tx.conn, await runs.with_reading(tx.conn, loop_id)):
        await _read(tx, work)


async def curve_of(tx: Tx, run_id: str, names: list[str] | None = None) -> Curve:
    """The run's points as they are stored; with `names` only those metrics, by any name they go by."""
    wanted = [*names, *map(canonical_metric, names)] if names else names
    return await asyncio.to_thread(_curve, await metrics.columns_of(tx.conn, run_id, wanted))


async def _read(tx: Tx, work: runs.CurveWork) -> CurveReading | None:
    columns = await metrics.columns_of(tx.conn, work.id)
    if not columns:
        return None
    last_step = max(each.steps[-1] for each in columns)
    parent = await _parents_columns(tx, work, last_step)
    reading = await asyncio.to_thread(_reading, work, columns, parent)
    await runs.set_reading(tx.conn, work.id, reading, last_step, tx.now)
    return reading


def _reading(work: runs.CurveWork, columns: Columns, parent: Columns | None) -> CurveReading:
    known, config, running = work.effective, work.config, work.status not in FINAL_STATUSES
    return read_curve(
        _curve(columns),
        method=config.method,
        n_examples=work.n_examples,
        n_validation=work.n_validation,
        batch_size=(known.batch_size if known else None) or config.batch_size,
        n_epochs=(known.n_epochs if known else None) or config.n_epochs,
        deployable_steps=work.deployable_steps or () if work.has_checkpoints else None,
        requested_learning_rate=config.learning_rate_multiplier,
        planned_steps=known.n_steps if known and running else None,
        running=running,
        parent=None if parent is None else _curve(parent),
        thresholds=work.thresholds,
    )


async def _parents_columns(tx: Tx, work: runs.CurveWork, last_step: int) -> Columns | None:
    """The curve of the run that this one was changed from, where the change must show and both are as long."""
    if work.parent_id is None or not must_show(work.changed):
        return None
    return await metrics.columns_ending_at(tx.conn, work.parent_id, list(COLUMNS), last_step)


def _curve(columns: Columns) -> Curve:
    return Curve(series=tuple(series_from_points(each.name, each.steps, each.values) for each in columns))
