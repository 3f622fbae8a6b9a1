"""Runs, their metrics and checkpoints."""

from typing import Annotated

from litestar import Response, get, patch, post, put
from litestar.params import JSONBody, QueryParameter

from whatnext_service.api.body_stream import file_stream
from whatnext_service.api.call import JSON, Call, asked
from whatnext_service.api.media import offered
from whatnext_service.api.params import (
    Cursor,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    Limit,
    LoopFilter,
    RunRef,
    StatusFilter,
    Wait,
)
from whatnext_service.api.pictures import PNG, SVG, Painter
from whatnext_service.api.problem import problems
from whatnext_service.contract.common import Page
from whatnext_service.contract.runs import (
    Checkpoint,
    Curves,
    MetricsReceipt,
    NewCheckpoint,
    NewMetrics,
    NewRun,
    Run,
    RunPatch,
)
from whatnext_service.errors import DomainError
from whatnext_service.flows import lists, look_up
from whatnext_service.flows.change_run import add_checkpoint, cancel_run, change_run
from whatnext_service.flows.chart import chart_source
from whatnext_service.flows.log_metrics import append_points, curves_of, put_result_file
from whatnext_service.flows.start_run import start_run

TAGS = ["runs"]


@post(
    "/v1/runs",
    operation_id="runs.create",
    tags=TAGS,
    responses=problems(409, 413, 415, 422),
    opt={"found": "The run that came of the same request for the same recommendation."},
)
async def create(call: Call, data: JSONBody[NewRun], idempotency_key: IdempotencyKey = None) -> Response[Run]:
    """Start a run at a provider, or register one that trains elsewhere."""
    return await call.write(lambda tx: start_run(tx, data), status=201)


@get("/v1/runs", operation_id="runs.list", tags=TAGS, responses=problems(404))
async def list_(
    call: Call, limit: Limit = 20, cursor: Cursor = None, loop_id: LoopFilter = None, status: StatusFilter = None
) -> Page[Run]:
    """List runs, newest first."""
    return await call.read(lambda tx: lists.list_runs(tx, asked(limit, cursor), loop_id, status))


@get("/v1/runs/{run_id:str}", operation_id="runs.get", tags=TAGS, responses=problems(404))
async def get_one(call: Call, run_id: RunRef, wait: Wait = 0, if_none_match: IfNoneMatch = None) -> Response[Run]:
    """Get a run by id or as `{loop slug}/R3`; with `wait` and If-None-Match, as soon as it moves."""
    subject = (await call.read(lambda tx: look_up.find_run(tx, run_id))).id if wait else run_id
    return await call.watch(subject, lambda tx: look_up.find_run(tx, subject), wait)


@patch("/v1/runs/{run_id:str}", operation_id="runs.update", tags=TAGS, responses=problems(404, 409, 412, 413, 415))
async def update(call: Call, run_id: RunRef, data: JSONBody[RunPatch], if_match: IfMatch = None) -> Response[Run]:
    """Change a run's note, or report how an external run is doing."""
    return await call.write(lambda tx: change_run(tx, run_id, data, call.if_match))


@post(
    "/v1/runs/{run_id:str}/cancel",
    operation_id="runs.cancel",
    tags=TAGS,
    status_code=200,
    responses=problems(404, 409, 413, 422),
)
async def cancel(call: Call, run_id: RunRef, idempotency_key: IdempotencyKey = None) -> Response[Run]:
    """Ask for a run to be cancelled; one that has ended stays as it is."""
    return await call.write(lambda tx: cancel_run(tx, run_id))


@post(
    "/v1/runs/{run_id:str}/metrics",
    operation_id="runs.log_metrics",
    tags=TAGS,
    status_code=200,
    responses=problems(404, 409, 413, 415, 422),
)
async def log_metrics(
    call: Call, run_id: RunRef, data: JSONBody[NewMetrics], idempotency_key: IdempotencyKey = None
) -> Response[MetricsReceipt]:
    """Append points to an external run's curve; the same name and step again replaces the value."""
    return await call.write(lambda tx: append_points(tx, run_id, data))


@put(
    "/v1/runs/{run_id:str}/metrics",
    operation_id="runs.put_metrics",
    tags=TAGS,
    responses=problems(404, 409, 412, 413, 415),
    opt={"upload": "application/octet-stream"},
    request_max_body_size=None,
)
async def put_metrics(call: Call, run_id: RunRef, if_match: IfMatch = None) -> Response[MetricsReceipt]:
    """Replace an external run's curve by a whole result file as it came: CSV, base64 CSV, trainer_state.json, JSONL.

    The steps that the file plans become `effective.n_steps` of a run that is under way, where none are known.
    """
    limit = call.request.app.state.settings.max_result_bytes
    await call.read(lambda tx: look_up.find_run(tx, run_id))
    body = bytearray()
    async for chunk in file_stream(call.request):
        body += chunk
        if len(body) > limit:
            raise DomainError("too_large", f"A result file may have {limit} bytes.")
    return await call.write(lambda tx: put_result_file(tx, run_id, bytes(body), call.if_match))


@get(
    "/v1/runs/{run_id:str}/metrics",
    operation_id="runs.metrics",
    tags=TAGS,
    responses=problems(404, 406),
    opt={"also": (SVG, PNG)},
)
async def metrics(
    call: Call,
    run_id: RunRef,
    name: Annotated[list[str] | None, QueryParameter(description="Only these metrics; repeatable.")] = None,
    max_points: Annotated[
        int | None, QueryParameter(ge=4, le=100_000, description="Downsample each curve, keeping its shape.")
    ] = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Curves]:
    """Get a run's curves; `Accept: image/svg+xml` or `image/png` for a picture of them.

    The picture shows losses, rewards and accuracies with checkpoints, the best step and what was shipped; a metric
    that is none of these when it is named. Its curves have at most 1,000 points.
    """
    media = offered(call.request, JSON, SVG, PNG)
    if media == JSON:
        return await call.by_content(await call.read(lambda tx: curves_of(tx, run_id, name, max_points)))
    source = await call.read(lambda tx: chart_source(tx, run_id, name))
    painter: Painter = call.request.app.state.painter
    return await painter.paint(call, source, max_points, media)


@post(
    "/v1/runs/{run_id:str}/checkpoints",
    operation_id="runs.add_checkpoint",
    tags=TAGS,
    responses=problems(404, 409, 413, 415, 422),
)
async def post_checkpoint(
    call: Call, run_id: RunRef, data: JSONBody[NewCheckpoint], idempotency_key: IdempotencyKey = None
) -> Response[Checkpoint]:
    """Add a checkpoint to an external run, or refresh the one at its step."""
    return await call.write(lambda tx: add_checkpoint(tx, run_id, data), status=201)


@get("/v1/runs/{run_id:str}/checkpoints", operation_id="runs.list_checkpoints", tags=TAGS, responses=problems(404))
async def list_checkpoints(call: Call, run_id: RunRef, limit: Limit = 20, cursor: Cursor = None) -> Page[Checkpoint]:
    """List a run's checkpoints, newest first."""
    return await call.read(lambda tx: lists.list_checkpoints(tx, asked(limit, cursor), run_id))


HANDLERS = (
    create,
    list_,
    get_one,
    update,
    cancel,
    log_metrics,
    put_metrics,
    metrics,
    post_checkpoint,
    list_checkpoints,
)
