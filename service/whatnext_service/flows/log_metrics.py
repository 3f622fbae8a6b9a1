"""Take points and result files into a run's curve."""

import asyncio
import math
from collections.abc import Sequence

import msgspec

from whatnext_service.contract.runs import Curves, CurveSeries, EffectivePatch, MetricsReceipt, NewMetrics
from whatnext_service.core.curve_points import downsample
from whatnext_service.core.curves import Series
from whatnext_service.core.result_columns import point_names
from whatnext_service.core.result_files import ParsedCurve, parse_result_file
from whatnext_service.core.runs import FINAL_STATUSES
from whatnext_service.errors import DomainError
from whatnext_service.flows import look_up
from whatnext_service.flows.change_run import effective_after
from whatnext_service.flows.context import Tx
from whatnext_service.flows.read_curves import curve_of, refresh_reading
from whatnext_service.store import loops, metrics, runs


async def append_points(tx: Tx, run_ref: str, new: NewMetrics) -> MetricsReceipt:
    """Append points to an external run's curve, under the names that a result file's columns have here.

    The same points again change nothing.
    """
    run_id = await _external(tx, run_ref)
    new, notes = _renamed(new)
    columns = metrics.MetricColumns(
        names=[name for point in new.points for name in point.values],
        steps=[point.step for point in new.points for _ in point.values],
        values=[float(value) for point in new.points for value in point.values.values()],
    )
    stored = await metrics.upsert(tx.conn, run_id, columns)
    known = (await look_up.find_run(tx, run_id)).reading
    reading = await refresh_reading(tx, run_id) if stored.changed or known is None else known
    return MetricsReceipt(
        run_id=run_id,
        n_values=len(columns.values),
        n_new=stored.n_new,
        last_step=max(columns.steps),
        format="points",
        notes=notes,
        reading=reading,
    )


async def put_result_file(tx: Tx, run_ref: str, body: bytes, if_version: int | None = None) -> MetricsReceipt:
    """Replace an external run's curve by a result file as it came; a file that is no record changes nothing.

    The steps that the file plans are kept of a run that is under way, where none are known.
    """
    parsed = await asyncio.to_thread(parse_result_file, body)
    if not parsed.curve.series:
        raise DomainError(
            "malformed_result_file", f"The file holds no values: {'; '.join(parsed.notes) or 'it is empty'}."
        )
    run_id = await _external(tx, run_ref)
    run = await look_up.find_run(tx, run_id)
    look_up.check_version("run", run.version, if_version)
    known = effective_after(run.effective, EffectivePatch())
    if parsed.planned_steps is not None and known.n_steps is None and run.status not in FINAL_STATUSES:
        known = msgspec.structs.replace(known, n_steps=parsed.planned_steps)
        await runs.annotate_run(tx.conn, tx.workspace_id, msgspec.structs.replace(run, effective=known), tx.now)
    return await store_curve(tx, run_id, parsed)


async def store_curve(tx: Tx, run_id: str, parsed: ParsedCurve) -> MetricsReceipt:
    """Replace a run's points by a parsed file's."""
    columns = await asyncio.to_thread(_columns, parsed.curve.series)
    await metrics.clear(tx.conn, run_id)
    stored = await metrics.upsert(tx.conn, run_id, columns)
    reading = await refresh_reading(tx, run_id)
    return MetricsReceipt(
        run_id=run_id,
        n_values=len(columns.values),
        n_new=stored.n_new,
        last_step=max(columns.steps, default=0),
        format=parsed.format,
        notes=parsed.notes,
        reading=reading,
    )


async def curves_of(tx: Tx, run_ref: str, names: list[str] | None, max_points: int | None) -> Curves:
    """A run's curves; with `max_points` each is downsampled without losing its shape."""
    run = await look_up.find_run(tx, run_ref)
    series = (await curve_of(tx, run.id, names)).series
    return Curves(
        run_id=run.id,
        series=await asyncio.to_thread(_shown, series, max_points),
        n_points=sum(len(each.steps) for each in series),
        best_step=run.reading.best_step if run.reading else None,
    )


def _columns(series: Sequence[Series]) -> metrics.MetricColumns:
    return metrics.MetricColumns(
        names=[each.name for each in series for _ in each.steps],
        steps=[step for each in series for step in each.steps],
        values=[value for each in series for value in each.values],
    )


def _renamed(new: NewMetrics) -> tuple[NewMetrics, tuple[str, ...]]:
    """The points under canonical names, and what was read as what."""
    known: dict[tuple[str, ...], tuple[str | None, ...]] = {}
    read: dict[str, str | None] = {}
    points = []
    for point in new.points:
        sent = tuple(point.values)
        names = known.get(sent) or known.setdefault(sent, point_names(sent))
        pairs = zip(names, point.values.values(), strict=True)
        points.append(msgspec.structs.replace(point, values={name: value for name, value in pairs if name is not None}))
        read.update(zip(sent, names, strict=True))
    renamed = ", ".join(f"{sent} as {name}" for sent, name in read.items() if name not in (sent, None))
    notes = [f"metrics read: {renamed}"] if renamed else []
    if None in read.values():
        notes.append("the run's average training loss, sent with the summary, left out")
    return msgspec.structs.replace(new, points=tuple(points)), tuple(notes)


def _shown(series: Sequence[Series], max_points: int | None) -> tuple[CurveSeries, ...]:
    """What is no number is shown as null."""
    fewer = [downsample(each, max_points) if max_points else each for each in series]
    return tuple(
        CurveSeries(
            name=each.name,
            steps=each.steps,
            values=tuple(value if math.isfinite(value) else None for value in each.values),
        )
        for each in fewer
    )


async def _external(tx: Tx, run_ref: str) -> str:
    run = await look_up.find_run(tx, run_ref)
    if run.provider != "external":
        raise DomainError("not_external", "The provider reports this run's metrics; only external runs take points.")
    await loops.lock_loop(tx.conn, tx.workspace_id, run.loop_id)
    return run.id
