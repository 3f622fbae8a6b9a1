"""Import what a provider's job has become: status, resolved values, curve, checkpoints."""

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from whatnext_service.contract.runs import NewCheckpoint
from whatnext_service.core.attribution import Resolved, effective_config
from whatnext_service.core.catalogue import find_model
from whatnext_service.core.provider_faults import may_do_without
from whatnext_service.core.result_files import ParsedCurve, parse_result_file
from whatnext_service.core.runs import FINAL_STATUSES, EffectiveConfig, RunStatus, status_of
from whatnext_service.errors import DomainError, ProviderError
from whatnext_service.flows.context import Provider, Services, Tx
from whatnext_service.flows.diagnose import diagnose_run
from whatnext_service.flows.log_metrics import store_curve
from whatnext_service.flows.read_curves import refresh_reading
from whatnext_service.providers.port import Job, JobCheckpoint, MetricPoint
from whatnext_service.store import checkpoints, datasets, metrics, runs

T = TypeVar("T")


async def import_job(services: Services, provider: Provider, run: runs.RunWork, job: Job) -> None:
    """Fetch what the job shows, then write all of it in one transaction, unless someone else moved the run."""
    status = status_of(job.status, run.status)
    ended = status in FINAL_STATUSES
    parts = _Parts(run, ended, services.clock())
    points = await parts.get("events", provider.platform.metrics(job.id))
    kept = await parts.get("checkpoints", provider.platform.checkpoints(job.id))
    files = [await _result_file(parts, provider, file_id) for file_id in job.result_files] if ended else []
    async with services.begin(run.workspace_id, run.loop_id) as tx:
        seen = await _progress(tx, run, job, status, "; ".join(parts.missed) or None)
        moved = await runs.progress(tx.conn, run.id, run.version, seen, tx.now)
        if moved is None:
            return
        if kept is not None:
            await _import_checkpoints(tx, run, job, kept, seen.effective)
        await _import_curve(
            tx, run, points or (), next((file for file in files if file is not None), None), ended=ended
        )
        if ended:
            tx.loop_moved(run.loop_id)
            await diagnose_run(tx, run.loop_id, run.id)
        else:
            await tx.defer("move_run", run.id, delay_s=provider.poll_interval_s)
        if status != run.status or run.provider_fault is not None:
            tx.loop_moved(run.loop_id)
            what = status if status != run.status else "provider_reached"
            tx.tell(f"run.{what}", run.id, moved, loop_id=run.loop_id)


class _Parts:
    """Parts of a job that a look may have to do without: a curve lost is not a run lost."""

    def __init__(self, run: runs.RunWork, ended: bool, now: datetime) -> None:
        self._run = run
        self._ended = ended
        self._now = now
        self.missed: list[str] = []

    async def get(self, name: str, asked: Awaitable[T]) -> T | None:
        """A part, or null where it cannot be had; a fault that may pass is raised, for the next look to try again."""
        try:
            return await asked
        except ProviderError as error:
            since = self._run.provider_fault.since if self._run.provider_fault else self._now
            if not may_do_without(
                error.fault,
                retryable=error.retryable,
                ended=self._ended,
                n_in_a_row=self._run.attempts,
                lasted_s=(self._now - since).total_seconds(),
            ):
                raise ProviderError(
                    error.fault, error.detail, retryable=True, retry_after_s=error.retry_after_s
                ) from None
            if self._ended:
                self.missed.append(f"{name}: {error.detail}")
            return None


async def _result_file(parts: _Parts, provider: Provider, file_id: str) -> ParsedCurve | None:
    """What a readable result file holds."""
    name = f"result file {file_id}"
    body = await parts.get(name, provider.platform.result_file(file_id))
    if body is None:
        return None
    try:
        parsed = await asyncio.to_thread(parse_result_file, body)
        if parsed.curve.series:
            return parsed
        parts.missed.append(f"{name}: it holds no values")
    except DomainError as error:
        parts.missed.append(f"{name}: {error.detail}")
    return None


async def _progress(tx: Tx, run: runs.RunWork, job: Job, status: RunStatus, failure: str | None) -> runs.RunProgress:
    version = await datasets.get_version(tx.conn, run.workspace_id, run.config.dataset_version_id)
    validation = (
        await datasets.get_version(tx.conn, run.workspace_id, run.validation_version_id)
        if run.validation_version_id
        else None
    )
    effective = effective_config(
        run.config,
        Resolved(
            base_model_snapshot=job.base_model,
            n_epochs=job.n_epochs,
            learning_rate_multiplier=job.learning_rate_multiplier,
            batch_size=job.batch_size,
            seed=job.seed,
        ),
        dataset_sha256=version.sha256 if version else None,
        validation_sha256=validation.sha256 if validation else None,
        n_examples=version.n_examples if version else None,
    )
    model = find_model(tx.services.catalogue, run.config.base_model)
    price = model.training_price_per_mtok if model else None
    return runs.RunProgress(
        status=status,
        provider_status=job.status,
        model=job.model,
        effective=effective,
        trained_tokens=job.trained_tokens,
        cost=price * job.trained_tokens / Decimal(1_000_000) if price is not None and job.trained_tokens else None,
        failure=job.error or failure,
        finished_at=tx.now if status in FINAL_STATUSES else None,
    )


async def _import_checkpoints(
    tx: Tx, run: runs.RunWork, job: Job, kept: tuple[JobCheckpoint, ...], effective: EffectiveConfig | None
) -> None:
    last = max((each.step for each in kept), default=None)
    for each in kept:
        new = NewCheckpoint(
            step=each.step,
            epoch=_epoch_at(each.step, effective),
            model=each.model,
            deployable=True,
            final=job.model is not None and each.step == last,
            train_loss=each.train_loss,
            valid_loss=each.valid_loss,
            full_valid_loss=each.full_valid_loss,
            full_valid_mean_token_accuracy=each.full_valid_mean_token_accuracy,
        )
        await checkpoints.upsert_checkpoint(tx.conn, run.workspace_id, run.id, tx.new_id("ckpt"), new, each.id, tx.now)
    await checkpoints.expire(tx.conn, run.id, [each.step for each in kept])


def _epoch_at(step: int, known: EffectiveConfig | None) -> int | None:
    """The epoch that is over at a step; null where it is not known, or none that was to be trained."""
    if known is None or not known.n_steps or not known.n_epochs:
        return None
    epoch = round(step * known.n_epochs / known.n_steps)
    return epoch if epoch <= known.n_epochs else None


async def _import_curve(
    tx: Tx, run: runs.RunWork, points: tuple[MetricPoint, ...], file: ParsedCurve | None, *, ended: bool
) -> None:
    """The result file where there is a readable one, else the points that the events carried; an end alone is reason
    enough to read them again."""
    if file is not None:
        await store_curve(tx, run.id, file)
        return
    changed = False
    if points:
        columns = metrics.MetricColumns(
            names=[point.name for point in points],
            steps=[point.step for point in points],
            values=[point.value for point in points],
        )
        changed = (await metrics.upsert(tx.conn, run.id, columns)).changed
    if changed or ended:
        await refresh_reading(tx, run.id)
