"""Events, keys and base models."""

from typing import Annotated

from litestar import Response, delete, get, post
from litestar.params import JSONBody, QueryParameter

from whatnext_service.api.call import Call, asked
from whatnext_service.api.event_stream import EVENT_STREAM, stream_events
from whatnext_service.api.media import offered
from whatnext_service.api.params import Cursor, Id, IdempotencyKey, LastEventId, Limit, LoopFilter
from whatnext_service.api.problem import problems
from whatnext_service.contract.common import Page
from whatnext_service.contract.workspace import CreatedKey, Event, Key, NewKey
from whatnext_service.core.state import BaseModel
from whatnext_service.flows import lists, look_up
from whatnext_service.flows.keys import create_key, revoke_key

ADMIN = {"scope": "admin"}


@get(
    "/v1/events",
    operation_id="events.list",
    tags=["events"],
    responses=problems(404, 406),
    opt={"also": (EVENT_STREAM,)},
)
async def list_events(
    call: Call,
    limit: Limit = 20,
    cursor: Cursor = None,
    after: Annotated[str | None, QueryParameter(max_length=64, description="Only what came after this event.")] = None,
    loop_id: LoopFilter = None,
    type: Annotated[list[str] | None, QueryParameter(description="Only of these types; repeatable.")] = None,
    last_event_id: LastEventId = None,
) -> Response[Page[Event]]:
    """List what happened, oldest first: the ordered log.

    `Accept: text/event-stream` gives the same log as server-sent events that go on as things happen: `id` is the
    event's id, `event` its type, `data` the event as JSON, and a comment comes when nothing else does. After a cut the
    reader sends the last `id` it saw as Last-Event-ID and misses nothing.
    """
    if offered(call.request, "application/json", EVENT_STREAM) == EVENT_STREAM:
        return await stream_events(call, after or cursor, loop_id, type)  # type: ignore[return-value]
    page = await call.read(lambda tx: lists.list_events(tx, asked(limit, cursor), after, loop_id, type))
    return Response(content=page, headers={"Vary": "Accept"})


@post("/v1/keys", operation_id="keys.create", tags=["keys"], opt=ADMIN, responses=problems(409, 413, 415, 422))
async def create(call: Call, data: JSONBody[NewKey], idempotency_key: IdempotencyKey = None) -> Response[CreatedKey]:
    """Make an API key for this workspace; its secret is shown this once."""
    return await call.write(lambda tx: create_key(tx, data), status=201)


@get("/v1/keys", operation_id="keys.list", tags=["keys"], opt=ADMIN, responses=problems())
async def list_keys(call: Call, limit: Limit = 20, cursor: Cursor = None) -> Page[Key]:
    """List the workspace's keys, newest first."""
    return await call.read(lambda tx: lists.list_keys(tx, asked(limit, cursor)))


@get("/v1/keys/{key_id:str}", operation_id="keys.get", tags=["keys"], opt=ADMIN, responses=problems(404))
async def get_key(call: Call, key_id: Id) -> Key:
    """Get a key, without its secret."""
    return await call.read(lambda tx: look_up.find_key(tx, key_id))


@delete(
    "/v1/keys/{key_id:str}",
    operation_id="keys.revoke",
    tags=["keys"],
    opt=ADMIN,
    status_code=200,
    responses=problems(404),
)
async def revoke(call: Call, key_id: Id) -> Response[Key]:
    """Revoke a key, from the next request on."""
    return await call.write(lambda tx: revoke_key(tx, key_id))


@get("/v1/base-models", operation_id="base_models.list", tags=["base_models"], responses=problems())
async def list_base_models(call: Call) -> Page[BaseModel]:
    """The model catalogue: start values, methods, prices and end dates."""
    return Page(data=call.services.catalogue, next_cursor=None)


HANDLERS = (
    list_events,
    create,
    list_keys,
    get_key,
    revoke,
    list_base_models,
)
