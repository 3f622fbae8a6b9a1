"""Import what a provider's job has become: status, resolved values, curve, checkpoints."""

from decimal import Decimal

from whatnext_service.contract.runs import NewCheckpoint
from whatnext_service.core.attribution import Resolved, effective_config
from whatnext_service.core.catalogue import find_model
from whatnext_service.core.result_files import parse_result_file
from whatnext_service.core.runs import FINAL_STATUSES, EffectiveConfig, RunStatus, status_of
from whatnext_service.errors import DomainError, ProviderError
from whatnext_service.flows.context import Provider, Services, Tx
from whatnext_service.flows.diagnose import diagnose_run
from whatnext_service.flows.log_metrics import store_curve
from whatnext_service.flows.read_curves import refresh_reading
from whatnext_service.providers.port import Job, JobCheckpoint, MetricPoint
from whatnext_service.store import checkpoints, datasets, metrics, runs


async def import_job(services: Services, provider: Provider, run: runs.RunWork, job: Job) -> None:
    """Fetch what the job shows, then write all of it in one transaction, unless someone else moved the run."""
    status = status_of(job.status, run.status)
    ended = status in FINAL_STATUSES
    points = await provider.platform.metrics(job.id)
    kept = await provider.platform.checkpoints(job.id)
    bodies, failure = await _result_files(provider, job) if ended else ((), None)
    async with services.begin(run.workspace_id) as tx:
        seen = await _progress(tx, run, job, status, failure)
        moved = await runs.progress(tx.conn, run.id, run.version, seen, tx.now)
        if moved is None:
            return
        await _import_checkpoints(tx, run, job, kept, seen.effective)
        await _import_curve(tx, run, points, bodies)
        if ended:
            tx.loop_moved(run.loop_id)
            await diagnose_run(tx, run.loop_id, run.id)
        else:
            await tx.defer("move_run", run.id, delay_s=provider.poll_interval_s)
        if status != run.status:
            tx.loop_moved(run.loop_id)
            tx.tell(f"run.{status}", run.id, moved, loop_id=run.loop_id)


async def _result_files(provider: Provider, job: Job) -> tuple[tuple[bytes, ...], str | None]:
    """The readable result files, and what was wrong with the others; a curve lost is not a run lost."""
    good: list[bytes] = []
    faults: list[str] = []
    for file_id in job.result_files:
        try:
            body = await provider.platform.result_file(file_id)
            parsed = parse_result_file(body)
        except ProviderError as error:
            if error.retryable:
                raise
            faults.append(f"result file {file_id}: {error.detail}")
        except DomainError as error:
            faults.append(f"result file {file_id}: {error.detail}")
        else:
            if parsed.curve.series:
                good.append(body)
            else:
                faults.append(f"result file {file_id}: it holds no values")
    return tuple(good), "; ".join(faults) or None


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
    steps_an_epoch = None
    if effective is not None and effective.n_steps and effective.n_epochs:
        steps_an_epoch = effective.n_steps / effective.n_epochs
    last = max((each.step for each in kept), default=None)
    for each in kept:
        new = NewCheckpoint(
            step=each.step,
            epoch=round(each.step / steps_an_epoch) if steps_an_epoch else None,
            model=each.model,
            deployable=True,
            final=job.model is not None and each.step == last,
            train_loss=each.train_loss,
            valid_loss=each.valid_loss,
            full_valid_loss=each.full_valid_loss,
        )
        await checkpoints.upsert_checkpoint(tx.conn, run.workspace_id, run.id, tx.new_id("ckpt"), new, each.id, tx.now)
    await checkpoints.expire(tx.conn, run.id, [each.step for each in kept])


async def _import_curve(tx: Tx, run: runs.RunWork, points: tuple[MetricPoint, ...], bodies: tuple[bytes, ...]) -> None:
    """The result file where there is a readable one, else the points that the events carried."""
    for body in bodies[:1]:
        await store_curve(tx, run.id, parse_result_file(body))
    if not bodies and points:
        columns = metrics.MetricColumns(
            names=[point.name for point in points],
            steps=[point.step for point in points],
            values=[point.value for point in points],
        )
        if (await metrics.upsert(tx.conn, run.id, columns)).changed:
            await refresh_reading(tx, run.id)
