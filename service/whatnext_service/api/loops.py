"""Loops, and what is next for them."""

from litestar import Response, get, patch, post, put
from litestar.params import JSONBody

from whatnext_service.api.call import Call, asked
from whatnext_service.api.params import Cursor, IdempotencyKey, IfMatch, IfNoneMatch, Limit, LoopRef
from whatnext_service.api.problem import problems
from whatnext_service.contract.common import Page
from whatnext_service.contract.loops import Loop, LoopPatch, NewBaseline, NewLoop
from whatnext_service.contract.runs import MultiModelRuns, NewMultiModel
from whatnext_service.flows import lists, look_up
from whatnext_service.flows.change_loop import change_loop, name_baseline
from whatnext_service.flows.create_loop import create_loop
from whatnext_service.flows.start_multi_model import start_multi_model

TAGS = ["loops"]


@post("/v1/loops", operation_id="loops.create", tags=TAGS, responses=problems(409, 413, 415, 422))
async def create(call: Call, data: JSONBody[NewLoop], idempotency_key: IdempotencyKey = None) -> Response[Loop]:
    """Create a loop: one fine-tuning goal to iterate on."""
    return await call.write(lambda tx: create_loop(tx, data), status=201)


@get("/v1/loops", operation_id="loops.list", tags=TAGS, responses=problems())
async def list_(call: Call, limit: Limit = 20, cursor: Cursor = None) -> Page[Loop]:
    """List the workspace's loops, newest first."""
    return await call.read(lambda tx: lists.list_loops(tx, asked(limit, cursor)))


@get("/v1/loops/{loop:str}", operation_id="loops.get", tags=TAGS, responses=problems(404))
async def get_one(call: Call, loop: LoopRef, if_none_match: IfNoneMatch = None) -> Response[Loop]:
    """Get a loop by id or slug."""
    return await call.watch(loop, lambda tx: look_up.find_loop(tx, loop), 0)


@patch("/v1/loops/{loop:str}", operation_id="loops.update", tags=TAGS, responses=problems(404, 409, 412, 413, 415))
async def update(call: Call, loop: LoopRef, data: JSONBody[LoopPatch], if_match: IfMatch = None) -> Response[Loop]:
    """Change a loop. What is absent stays as it is; nested objects are merged."""
    return await call.write(lambda tx: change_loop(tx, loop, data, call.if_match))


@put(
    "/v1/loops/{loop:str}/baseline",
    operation_id="loops.set_baseline",
    tags=TAGS,
    responses=problems(404, 409, 412, 413, 415),
)
async def set_baseline(
    call: Call, loop: LoopRef, data: JSONBody[NewBaseline], if_match: IfMatch = None
) -> Response[Loop]:
    """Name the evaluation of the untuned model that everything is compared with."""
    return await call.write(lambda tx: name_baseline(tx, loop, data, call.if_match))


@post(
    "/v1/loops/{loop:str}/multi-model",
    operation_id="loops.multi_model",
    tags=TAGS,
    responses=problems(404, 409, 413, 415, 422),
)
async def multi_model(
    call: Call, loop: LoopRef, data: JSONBody[NewMultiModel], idempotency_key: IdempotencyKey = None
) -> Response[MultiModelRuns]:
    """Start the same training through two or three base models: one run each, all else equal."""
    return await call.write(lambda tx: start_multi_model(tx, loop, data), status=201)


HANDLERS = (
    create,
    list_,
    get_one,
    update,
    set_baseline,
    multi_model,
)
