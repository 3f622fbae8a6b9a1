"""Move a provider's run one step forward: submit it, look at it, import what it has become.

The paid call is made once: the intent is recorded before it, and whoever finds an intent without an outcome looks for
the job at the provider, for as long as it may still appear, before making another. A lease keeps two workers from
submitting the same run.
"""

from datetime import timedelta

from whatnext_service.core.provider_faults import is_told, judge_fault, wait_s
from whatnext_service.core.runs import FINAL_STATUSES, RunFault, RunStatus
from whatnext_service.errors import ProviderError
from whatnext_service.flows.context import Provider, Services, Tx
from whatnext_service.flows.import_job import import_job
from whatnext_service.flows.provider_content import provider_content
from whatnext_service.providers.port import Job, JobSpec
from whatnext_service.store import datasets, provider_files, runs
from whatnext_service.store.leases import lease

SETTLE_S = 60.0
"""Seconds an unanswered submission is given to appear in the provider's list before another is made."""
FILE_SETTLE_S = 600.0
"""Seconds before a file that the provider does not know, although it took it, counts as deleted there."""
_NOTHING_MADE = ("rate_limited", "unauthorized")
"""Answers to a creation that certainly made no job."""


async def move_run(services: Services, run_id: str) -> None:
    """Take a run one step on; afterwards either it has ended or a job is waiting to look again."""
    async with lease(services.pool, f"run {run_id}") as mine:
        if not mine:
            return
        async with services.pool.acquire() as conn:
            run = await runs.lock_work(conn, run_id)
        if run is None or run.status in FINAL_STATUSES or run.provider == "external":
            return
        if run.status == "pending" and run.cancel_requested:
            await _cancelled_unsent(services, run)
            return
        try:
            provider = _provider_of(services, run)
            if run.status in ("pending", "submitting"):
                await _submit(services, provider, run)
            else:
                await _look(services, provider, run)
        except ProviderError as error:
            await _fault(services, run, error)


def _provider_of(services: Services, run: runs.RunWork) -> Provider:
    provider = services.providers.get(run.provider)
    if provider is None:
        detail = f"no provider {run.provider!r} is configured"
        raise ProviderError("unauthorized", detail, retryable=False, sent=False)
    return provider


async def _submit(services: Services, provider: Provider, run: runs.RunWork) -> None:
    if run.submit_intent_at is not None:
        if (job := await provider.platform.find_job(run.id)) is not None:
            await _submitted(services, provider, run, run.version, job)
            return
        if run.submit_intent_at + timedelta(seconds=SETTLE_S) > services.clock():
            await _look_again(services, provider, run)
            return
        if run.cancel_requested:
            await _cancelled_unsent(services, run)
            return
    training = await _file(services, provider, run, run.config.dataset_version_id)
    validation = await _file(services, provider, run, run.validation_version_id) if run.validation_version_id else None
    if training is None or (validation is None and run.validation_version_id):
        await _look_again(services, provider, run)
        return
    async with services.begin(run.workspace_id) as tx:
        version = await runs.intend(tx.conn, run, tx.now)
    if version is None:
        return
    spec = JobSpec(marker=run.id, config=run.config, training_file=training, validation_file=validation)
    try:
        job = await provider.platform.create_job(spec)
    except ProviderError as error:
        if run.submit_intent_at is None and (not error.sent or error.fault in _NOTHING_MADE):
            async with services.begin(run.workspace_id) as tx:
                await runs.withdraw(tx.conn, run.id, version)
        raise
    await _submitted(services, provider, run, version, job)


async def _cancelled_unsent(services: Services, run: runs.RunWork) -> None:
    async with services.begin(run.workspace_id, run.loop_id) as tx:
        await _end(tx, run.id, "cancelled", "Cancelled before the provider took it.")


async def _submitted(services: Services, provider: Provider, run: runs.RunWork, version: int, job: Job) -> None:
    async with services.begin(run.workspace_id, run.loop_id) as tx:
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
    if job.id != job_id:
        raise ProviderError("malformed", f"asked for the job {job_id}, it answered with {job.id}", retryable=True)
    if run.cancel_requested and job.status not in FINAL_STATUSES:
        job = await provider.platform.cancel_job(job_id)
    await import_job(services, provider, run, job)


async def _file(services: Services, provider: Provider, run: runs.RunWork, version_id: str) -> str | None:
    """The provider's id of a dataset version's file: known, found there under its name, or uploaded now; null while the
    provider is not ready to use it."""
    async with services.pool.acquire() as conn:
        version = await datasets.get_version(conn, run.workspace_id, version_id)
        if version is None:
            raise ProviderError("refused", f"dataset version {version_id} is gone", retryable=False, sent=False)
        sha256 = bytes.fromhex(version.sha256)
        file_id = await provider_files.known_file(conn, run.provider, run.workspace_id, sha256)
    if file_id is None:
        filename = f"{version.sha256}.jsonl"
        file_id = await provider.platform.find_file(filename)
        if file_id is None:
            async with provider_content(services, run.workspace_id, version) as (n_bytes, content):
                file_id = await provider.platform.upload_file(filename, n_bytes, content)
        async with services.begin(run.workspace_id) as tx:
            await provider_files.remember_file(tx.conn, run.provider, run.workspace_id, sha256, file_id, tx.now)
    try:
        return file_id if await provider.platform.file_ready(file_id) else None
    except ProviderError as error:
        if error.fault in ("not_found", "refused"):
            async with services.begin(run.workspace_id) as tx:
                before = tx.now - timedelta(seconds=FILE_SETTLE_S if error.fault == "not_found" else 0.0)
                await provider_files.forget_file(tx.conn, run.provider, run.workspace_id, sha256, before)
        raise


async def _fault(services: Services, run: runs.RunWork, error: ProviderError) -> None:
    """Wait, for as long as it takes, and show what for; or end the run with the provider's words."""
    known = run.provider_fault
    async with services.begin(run.workspace_id, run.loop_id) as tx:
        n_in_a_row = await runs.count_fault(tx.conn, run.id, tx.now)
        since = known.since if known is not None and known.fault == error.fault else tx.now
        verdict = judge_fault(
            error.fault,
            retryable=error.retryable,
            sent=error.sent,
            job_known=run.provider_job_id is not None,
            cancel_requested=run.cancel_requested,
            n_in_a_row=n_in_a_row,
            lasted_s=(tx.now - since).total_seconds(),
        )
        told = f"{error.fault}: {error.detail}"
        match verdict:
            case "failed":
                await _end(tx, run.id, "failed", told)
            case "lost":
                what = f"the provider has denied its job {run.provider_job_id} since {since:%Y-%m-%d %H:%M} UTC"
                await _end(tx, run.id, "failed", f"lost: {what}. {told}")
            case "cancelled":
                what = "Cancelled here; the provider could not be told, and the job may still run there."
                await _end(tx, run.id, "cancelled", f"{what} {told}")
            case "keep":
                await tx.defer("move_run", run.id, delay_s=wait_s(n_in_a_row, error.retry_after_s))
                new = known is None or known.fault != error.fault
                if new and is_told(error.fault, retryable=error.retryable, n_in_a_row=n_in_a_row):
                    fault = RunFault(fault=error.fault, detail=error.detail, since=tx.now)
                    version = await runs.show_fault(tx.conn, run.id, fault)
                    tx.loop_moved(run.loop_id)
                    tx.tell("run.provider_unreachable", run.id, version, loop_id=run.loop_id)


async def _end(tx: Tx, run_id: str, status: RunStatus, reason: str) -> None:
    work = await runs.lock_work(tx.conn, run_id)
    if work is None or work.status in FINAL_STATUSES:
        return
    seen = runs.RunProgress(status=status, provider_status=None, failure=reason, finished_at=tx.now)
    moved = await runs.progress(tx.conn, run_id, work.version, seen, tx.now)
    tx.loop_moved(work.loop_id)
    tx.tell(f"run.{status}", run_id, moved or work.version, loop_id=work.loop_id)


async def give_up(services: Services, run_id: str, reason: str) -> None:
    """End a run whose job kept failing for a reason of our own."""
    async with services.pool.acquire() as conn:
        run = await runs.lock_work(conn, run_id)
    if run is not None:
        async with services.begin(run.workspace_id, run.loop_id) as tx:
            await _end(tx, run.id, "failed", reason)


async def _look_again(services: Services, provider: Provider, run: runs.RunWork) -> None:
    """The provider answers, but what is waited for is not there yet."""
    async with services.begin(run.workspace_id, run.loop_id) as tx:
        await tx.defer("move_run", run.id, delay_s=provider.poll_interval_s)
        version = await runs.clear_fault(tx.conn, run.id)
        if run.provider_fault is not None:
            tx.loop_moved(run.loop_id)
            tx.tell("run.provider_reached", run.id, version or run.version, loop_id=run.loop_id)
