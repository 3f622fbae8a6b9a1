"""Move a provider's run one step forward: submit it, look at it, import what it has become.

The paid call is made once: the intent is recorded before it, and whoever finds an intent without an outcome looks for
the job at the provider before making another. A lease keeps two workers from submitting the same run.
"""

from datetime import timedelta

from whatnext_service.core.runs import FINAL_STATUSES, RunStatus
from whatnext_service.errors import ProviderError
from whatnext_service.flows.context import Provider, Services
from whatnext_service.flows.import_job import import_job
from whatnext_service.flows.provider_content import provider_content
from whatnext_service.providers.port import Job, JobSpec
from whatnext_service.store import datasets, provider_files, runs
from whatnext_service.store.leases import lease

SETTLE_S = 3.0
"""Seconds an unanswered submission is given to appear in the provider's list before another is made."""
MAX_BACKOFF_S = 60.0


async def move_run(services: Services, run_id: str) -> None:
    """Take a run one step on; afterwards either it has ended or a job is waiting to look again."""
    async with lease(services.pool, f"run {run_id}") as mine:
        if not mine:
            return
        async with services.pool.acquire() as conn:
            run = await runs.lock_work(conn, run_id)
        if run is None or run.status in FINAL_STATUSES or run.provider == "external":
            return
        provider = services.providers[run.provider]
        try:
            if run.status in ("pending", "submitting"):
                await _submit(services, provider, run)
            else:
                await _look(services, provider, run)
        except ProviderError as error:
            await _fault(services, run, error)


async def _submit(services: Services, provider: Provider, run: runs.RunWork) -> None:
    settle = run.submit_intent_at + timedelta(seconds=SETTLE_S) if run.submit_intent_at else None
    if settle is not None and settle > services.clock():
        await _look_again(services, run, SETTLE_S)
        return
    if settle is not None and (job := await provider.platform.find_job(run.id)) is not None:
        await _submitted(services, provider, run, run.version, job)
        return
    if run.cancel_requested:
        await _end(services, run, "cancelled", "Cancelled before the provider took it.")
        return
    training = await _file(services, provider, run, run.config.dataset_version_id)
    validation = await _file(services, provider, run, run.validation_version_id) if run.validation_version_id else None
    for file_id in filter(None, (training, validation)):
        if not await provider.platform.file_ready(file_id):
            await _look_again(services, run, provider.poll_interval_s)
            return
    async with services.begin(run.workspace_id) as tx:
        version = await runs.intend(tx.conn, run, tx.now)
    if version is None:
        return
    job = await provider.platform.create_job(
        JobSpec(marker=run.id, config=run.config, training_file=training, validation_file=validation)
    )
    await _submitted(services, provider, run, version, job)


async def _submitted(services: Services, provider: Provider, run: runs.RunWork, version: int, job: Job) -> None:
    async with services.begin(run.workspace_id) as tx:
        seen = runs.RunProgress(status="queued", provider_status=job.status, provider_job_id=job.id, started_at=tx.now)
        moved = await runs.progress(tx.conn, run.id, version, seen, tx.now)
        if moved is None:
            return
        tx.loop_moved(run.loop_id)
        tx.tell("run.queued", run.id, moved, loop_id=run.loop_id)
        await tx.defer("move_run", run.id, delay_s=provider.poll_interval_s)


async def _look(services: Services, provider: Provider, run: runs.RunWork) -> None:
    job_id = run.provider_job_id or ""
    job = await provider.platform.job(job_id)
    if run.cancel_requested and job.status not in FINAL_STATUSES:
        job = await provider.platform.cancel_job(job_id)
    await import_job(services, provider, run, job)


async def _file(services: Services, provider: Provider, run: runs.RunWork, version_id: str) -> str:
    """The provider's id of a dataset version's file: known, found there under its name, or uploaded now."""
    async with services.pool.acquire() as conn:
        version = await datasets.get_version(conn, run.workspace_id, version_id)
        if version is None:
            raise ProviderError("refused", f"dataset version {version_id} is gone", retryable=False, sent=False)
        sha256 = bytes.fromhex(version.sha256)
        if known := await provider_files.known_file(conn, run.provider, run.workspace_id, sha256):
            return known
    filename = f"{version.sha256}.jsonl"
    file_id = await provider.platform.find_file(filename)
    if file_id is None:
        async with provider_content(services, run.workspace_id, version) as (n_bytes, content):
            file_id = await provider.platform.upload_file(filename, n_bytes, content)
    async with services.begin(run.workspace_id) as tx:
        await provider_files.remember_file(tx.conn, run.provider, run.workspace_id, sha256, file_id, tx.now)
    return file_id


async def _fault(services: Services, run: runs.RunWork, error: ProviderError) -> None:
    """A retryable fault is waited out, for as long as it takes; any other ends the run with the provider's words."""
    submitting = run.status in ("pending", "submitting")
    if not error.retryable and not (submitting and error.sent and error.fault == "malformed"):
        await _end(services, run, "failed", f"{error.fault}: {error.detail}")
        return
    async with services.begin(run.workspace_id) as tx:
        attempts = await runs.count_fault(tx.conn, run.id, tx.now)
        delay_s = error.retry_after_s or min(0.5 * 2**attempts, MAX_BACKOFF_S)
        if attempts == 3:
            tx.tell("run.provider_unreachable", run.id, run.version, loop_id=run.loop_id)
        await tx.defer("move_run", run.id, delay_s=max(delay_s, SETTLE_S if submitting and error.sent else 0.0))


async def _end(services: Services, run: runs.RunWork, status: RunStatus, reason: str) -> None:
    async with services.begin(run.workspace_id) as tx:
        work = await runs.lock_work(tx.conn, run.id)
        if work is None or work.status in FINAL_STATUSES:
            return
        seen = runs.RunProgress(status=status, provider_status=None, failure=reason, finished_at=tx.now)
        moved = await runs.progress(tx.conn, run.id, work.version, seen, tx.now)
        tx.loop_moved(run.loop_id)
        tx.tell(f"run.{status}", run.id, moved or work.version, loop_id=run.loop_id)


async def give_up(services: Services, run_id: str, reason: str) -> None:
    """End a run whose job kept failing for a reason of our own."""
    async with services.pool.acquire() as conn:
        run = await runs.lock_work(conn, run_id)
    if run is not None:
        await _end(services, run, "failed", reason)


async def _look_again(services: Services, run: runs.RunWork, delay_s: float) -> None:
    async with services.begin(run.workspace_id) as tx:
        await tx.defer("move_run", run.id, delay_s=delay_s)
