"""/v1/fine_tuning/jobs"""

import secrets
import time
from collections.abc import Callable
from typing import Annotated, cast

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter
from msgspec.structs import replace

from whatnext_service.sandbox import wire
from whatnext_service.sandbox.base_models import find_base_model
from whatnext_service.sandbox.problems import AnyRequest, ApiError, not_found
from whatnext_service.sandbox.sandbox import Sandbox, decode, page, sandbox_of
from whatnext_service.sandbox.shelf import unknown_model

Limit = Annotated[int, QueryParameter(ge=1, le=100)]
After = Annotated[str | None, QueryParameter()]


@post("/v1/fine_tuning/jobs", name="jobs.create")
async def create_job(request: AnyRequest) -> Response[bytes]:
    sandbox = sandbox_of(request)
    body = await request.body()
    asked = decode(body, wire.JobRequest)
    answer = sandbox.once(request, body, lambda: _create(sandbox, asked))
    sandbox.runner.wake()
    return answer


@get("/v1/fine_tuning/jobs", name="jobs.list")
async def list_jobs(request: AnyRequest, after: After = None, limit: Limit = 20) -> wire.Page[wire.Job]:
    """`metadata[key]=value` keeps the jobs that carry it; several must all hold; `metadata=null` those without any."""
    sandbox = sandbox_of(request)
    wanted = {
        name[len("metadata[") : -1]: value
        for name, value in request.query_params.items()
        if name.startswith("metadata[") and name.endswith("]")
    }
    without = request.query_params.get("metadata") == "null"
    jobs = (
        _show(sandbox, job)
        for job in sandbox.state.walk("job", wire.Job, after=after)
        if wanted.items() <= (job.metadata or {}).items() and not (without and job.metadata)
    )
    return page(jobs, limit, lambda job: job.id)


@get("/v1/fine_tuning/jobs/{job_id:str}", name="jobs.retrieve")
async def retrieve_job(request: AnyRequest, job_id: FromPath[str]) -> wire.Job:
    sandbox = sandbox_of(request)
    return _show(sandbox, _find(sandbox, job_id))


@get("/v1/fine_tuning/jobs/{job_id:str}/events", name="jobs.events")
async def list_events(
    request: AnyRequest, job_id: FromPath[str], after: After = None, limit: Limit = 20
) -> wire.Page[wire.Event]:
    sandbox = sandbox_of(request)
    parent = _find(sandbox, job_id).id
    return page(sandbox.state.walk("event", wire.Event, parent=parent, after=after), limit, lambda event: event.id)


@get("/v1/fine_tuning/jobs/{job_id:str}/checkpoints", name="jobs.checkpoints")
async def list_checkpoints(
    request: AnyRequest, job_id: FromPath[str], after: After = None, limit: Limit = 10
) -> wire.Page[wire.Checkpoint]:
    sandbox = sandbox_of(request)
    parent = _find(sandbox, job_id).id
    return page(
        sandbox.state.walk("checkpoint", wire.Checkpoint, parent=parent, after=after), limit, lambda kept: kept.id
    )


@post("/v1/fine_tuning/jobs/{job_id:str}/cancel", name="jobs.cancel")
async def cancel_job(request: AnyRequest, job_id: FromPath[str]) -> Response[bytes]:
    statuses = ("queued", "validating_files", "running", "paused")
    return _order(request, job_id, statuses, sandbox_of(request).runner.cancel)


@post("/v1/fine_tuning/jobs/{job_id:str}/pause", name="jobs.pause")
async def pause_job(request: AnyRequest, job_id: FromPath[str]) -> Response[bytes]:
    statuses = ("queued", "validating_files", "running")
    return _order(request, job_id, statuses, sandbox_of(request).runner.pause)


@post("/v1/fine_tuning/jobs/{job_id:str}/resume", name="jobs.resume")
async def resume_job(request: AnyRequest, job_id: FromPath[str]) -> Response[bytes]:
    return _order(request, job_id, ("paused",), sandbox_of(request).runner.resume)


def _order(
    request: AnyRequest, job_id: str, statuses: tuple[str, ...], work: Callable[[wire.Job], wire.Job]
) -> Response[bytes]:
    sandbox = sandbox_of(request)

    def obey() -> wire.Job:
        job = _find(sandbox, job_id)
        if job.status not in statuses:
            raise ApiError(400, f"Job has status '{job.status}'", code="invalid_job_status")
        return work(job)

    return sandbox.once(request, b"", obey)


def _find(sandbox: Sandbox, job_id: str) -> wire.Job:
    job = sandbox.state.get("job", job_id, wire.Job)
    if job is None:
        raise not_found("fine-tuning job", job_id)
    return job


def _show(sandbox: Sandbox, job: wire.Job) -> wire.Job:
    fault = sandbox.faults.take_job("job_status")
    return replace(job, status=cast(wire.JobStatus, fault.status)) if fault else job


def _create(sandbox: Sandbox, asked: wire.JobRequest) -> wire.Job:
    if find_base_model(asked.model) is None:
        raise unknown_model(asked.model)
    if asked.method and asked.method.type != "supervised":
        raise ApiError(400, f"Method '{asked.method.type}' is not offered", code="unsupported_method", param="method")
    sandbox.files.require_trainable(asked.training_file, "training_file")
    if asked.validation_file:
        sandbox.files.require_trainable(asked.validation_file, "validation_file")
    fallback = asked.hyperparameters or wire.Hyperparameters()
    hyperparameters = asked.method.supervised.hyperparameters if asked.method else fallback
    job = wire.Job(
        id=f"ftjob-{secrets.token_hex(12)}",
        created_at=int(time.time()),
        model=asked.model,
        status="queued",
        training_file=asked.training_file,
        validation_file=asked.validation_file,
        hyperparameters=hyperparameters,
        method=wire.Method(supervised=wire.Supervised(hyperparameters=hyperparameters)),
        seed=secrets.randbelow(2**31) if asked.seed is None else asked.seed,
        user_provided_suffix=asked.suffix,
        metadata=asked.metadata,
    )
    sandbox.state.put("job", job.id, job)
    sandbox.state.count("jobs")
    sandbox.runner.say(job.id, f"Created fine-tuning job: {job.id}")
    return job
