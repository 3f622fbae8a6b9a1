"""Webhook endpoints."""

from litestar import Response, delete, get, patch, post
from litestar.params import JSONBody

from whatnext_service.api.call import Call, asked
from whatnext_service.api.params import Cursor, Id, IdempotencyKey, IfMatch, IfNoneMatch, Limit, StatusFilter
from whatnext_service.api.problem import problems
from whatnext_service.contract.common import Page
from whatnext_service.contract.webhooks import (
    CreatedWebhookEndpoint,
    NewWebhookEndpoint,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEndpointPatch,
)
from whatnext_service.flows import lists
from whatnext_service.flows.webhooks import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    find_endpoint,
    send_test,
)

TAGS = ["webhook_endpoints"]
ADMIN = {"scope": "admin"}


@post(
    "/v1/webhook-endpoints",
    operation_id="webhook_endpoints.create",
    tags=TAGS,
    opt=ADMIN,
    responses=problems(409, 413, 415, 422),
)
async def create(
    call: Call, data: JSONBody[NewWebhookEndpoint], idempotency_key: IdempotencyKey = None
) -> Response[CreatedWebhookEndpoint]:
    """Make an endpoint that is told of events; its signing secret is shown this once."""
    return await call.write(lambda tx: create_endpoint(tx, data), status=201)


@get("/v1/webhook-endpoints", operation_id="webhook_endpoints.list", tags=TAGS, opt=ADMIN, responses=problems())
async def list_(
    call: Call, limit: Limit = 20, cursor: Cursor = None, status: StatusFilter = None
) -> Page[WebhookEndpoint]:
    """List the workspace's webhook endpoints, newest first."""
    return await call.read(lambda tx: lists.list_endpoints(tx, asked(limit, cursor), status))


@get(
    "/v1/webhook-endpoints/{endpoint_id:str}",
    operation_id="webhook_endpoints.get",
    tags=TAGS,
    opt=ADMIN,
    responses=problems(404),
)
async def get_one(call: Call, endpoint_id: Id, if_none_match: IfNoneMatch = None) -> Response[WebhookEndpoint]:
    """Get a webhook endpoint, without its secret."""
    return await call.watch(endpoint_id, lambda tx: find_endpoint(tx, endpoint_id), 0)


@patch(
    "/v1/webhook-endpoints/{endpoint_id:str}",
    operation_id="webhook_endpoints.update",
    tags=TAGS,
    opt=ADMIN,
    responses=problems(404, 409, 412, 413, 415),
)
async def update(
    call: Call, endpoint_id: Id, data: JSONBody[WebhookEndpointPatch], if_match: IfMatch = None
) -> Response[WebhookEndpoint]:
    """Change, disable or enable a webhook endpoint."""
    return await call.write(lambda tx: change_endpoint(tx, endpoint_id, data, call.if_match))


@delete(
    "/v1/webhook-endpoints/{endpoint_id:str}",
    operation_id="webhook_endpoints.delete",
    tags=TAGS,
    opt=ADMIN,
    status_code=200,
    responses=problems(404, 409, 412),
)
async def remove(call: Call, endpoint_id: Id, if_match: IfMatch = None) -> Response[WebhookEndpoint]:
    """Delete a webhook endpoint; what was still on its way to it is dropped."""
    return await call.write(lambda tx: delete_endpoint(tx, endpoint_id, call.if_match))


@post(
    "/v1/webhook-endpoints/{endpoint_id:str}/test",
    operation_id="webhook_endpoints.test",
    tags=TAGS,
    opt=ADMIN,
    responses=problems(404, 409, 413, 422),
)
async def try_out(call: Call, endpoint_id: Id, idempotency_key: IdempotencyKey = None) -> Response[WebhookDelivery]:
    """Send the endpoint a `webhook.test` event, signed like any other."""
    return await call.write(lambda tx: send_test(tx, endpoint_id), status=201)


@get(
    "/v1/webhook-endpoints/{endpoint_id:str}/deliveries",
    operation_id="webhook_endpoints.list_deliveries",
    tags=TAGS,
    opt=ADMIN,
    responses=problems(404),
)
async def deliveries(
    call: Call, endpoint_id: Id, limit: Limit = 20, cursor: Cursor = None, status: StatusFilter = None
) -> Page[WebhookDelivery]:
    """List what was sent to an endpoint and how it went, newest first."""
    return await call.read(lambda tx: lists.list_deliveries(tx, asked(limit, cursor), endpoint_id, status))


HANDLERS = (create, list_, get_one, update, remove, try_out, deliveries)
