"""Deployments: ship, take out of service, clean up."""

from litestar import Response, delete, get, post
from litestar.params import JSONBody

from whatnext_service.api.call import Call, asked
from whatnext_service.api.params import (
    Cursor,
    Id,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    Limit,
    LoopFilter,
    StatusFilter,
)
from whatnext_service.api.problem import problems
from whatnext_service.contract.common import Page
from whatnext_service.contract.deployments import Cleanup, Deployment, NewCleanup, NewDeployment
from whatnext_service.flows import lists, look_up
from whatnext_service.flows.ship import clean_up, ship, unship

TAGS = ["deployments"]


@post(
    "/v1/deployments",
    operation_id="deployments.create",
    tags=TAGS,
    responses=problems(409, 413, 415, 422),
    opt={"found": "The deployment that came of the same request for the same recommendation."},
)
async def create(
    call: Call, data: JSONBody[NewDeployment], idempotency_key: IdempotencyKey = None
) -> Response[Deployment]:
    """Ship a model. Refused unless it is better than the baseline, or a reason is given."""
    return await call.write(lambda tx: ship(tx, data), status=201)


@get("/v1/deployments", operation_id="deployments.list", tags=TAGS, responses=problems(404))
async def list_(
    call: Call, limit: Limit = 20, cursor: Cursor = None, loop_id: LoopFilter = None, status: StatusFilter = None
) -> Page[Deployment]:
    """List deployments, newest first."""
    return await call.read(lambda tx: lists.list_deployments(tx, asked(limit, cursor), loop_id, status))


@get("/v1/deployments/{deployment_id:str}", operation_id="deployments.get", tags=TAGS, responses=problems(404))
async def get_one(call: Call, deployment_id: Id, if_none_match: IfNoneMatch = None) -> Response[Deployment]:
    """Get a deployment."""
    return await call.watch(deployment_id, lambda tx: look_up.find_deployment(tx, deployment_id), 0)


@delete(
    "/v1/deployments/{deployment_id:str}",
    operation_id="deployments.delete",
    tags=TAGS,
    status_code=200,
    responses=problems(404, 409, 412),
)
async def remove(call: Call, deployment_id: Id, if_match: IfMatch = None) -> Response[Deployment]:
    """Take a model out of service; its run and checkpoints stay."""
    return await call.write(lambda tx: unship(tx, deployment_id, call.if_match))


@post(
    "/v1/deployments/cleanup",
    operation_id="deployments.cleanup",
    tags=TAGS,
    status_code=200,
    responses=problems(409, 413, 415, 422),
)
async def cleanup(call: Call, data: JSONBody[NewCleanup], idempotency_key: IdempotencyKey = None) -> Response[Cleanup]:
    """List fine-tuned models that nothing uses any more; with `dry_run: false`, delete them."""
    return await call.write(lambda tx: clean_up(tx, data))


HANDLERS = (
    create,
    list_,
    get_one,
    remove,
    cleanup,
)
