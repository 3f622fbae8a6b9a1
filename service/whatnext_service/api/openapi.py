"""The OpenAPI document: Litestar gives the paths, msgspec gives the schemas; sorted, and the same every time."""

from importlib import resources
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, Router, get
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, Contact, License, SecurityScheme, Server, Tag

from whatnext_service.api.auth import PUBLIC, scope_of
from whatnext_service.api.openapi_errors import problem_examples
from whatnext_service.api.openapi_operations import COMPONENTS, Facts, complete, shared_problems
from whatnext_service.api.openapi_schemas import drop_unused, put_schemas
from whatnext_service.api.openapi_webhook import add_links, webhook

TITLE = "whatnext"
VERSION = "1.0.0"
SUMMARY = "As the service answered it."
DESCRIPTION = """\
Keeps the memory of a fine-tuning loop and answers "what next?" with exactly one change, the evidence for it, and honest
confidence. `GET /v1/loops/{loop}/next` is the heart; its `action.request` is the literal call that carries the advice
out.

**Lists** are newest first, `limit` long; pass `next_cursor` as `cursor` for the next page until it is null. Filters are
named like the fields, and repeatable.

**Errors** are problem documents (RFC 9457): `code` never changes its meaning, `type` leads to a page that explains it,
`errors` names the faulty fields by JSON pointer. An answer with `Retry-After` may be asked for again after that many
seconds.

**Repeats** are safe with an `Idempotency-Key`: for 24 hours the same key with the same request gives the stored answer
and `Idempotent-Replayed: true`; with another request it is a 422.

**Versions** are in `version` and `ETag`. If-Match on a change makes it fail with a 412 when somebody was faster;
If-None-Match with `wait` on a GET answers as soon as something moves, else 304.

**Events** are an ordered log, and a stream of server-sent events for whoever accepts `text/event-stream`.
"""
API_KEY = """\
An API key, `wn_...`. Its scopes are `read`, `write` (which includes `read`) and `admin` (which includes both); each
operation names the one that it needs in `x-required-scope`. A key belongs to one workspace, and sees nothing else.
"""
TAGS = {
    "loops": "Fine-tuning goals that are iterated on, and what is next for them.",
    "datasets": "Training and held-out data.",
    "dataset_versions": "Immutable versions of datasets.",
    "runs": "Training experiments, their curves and checkpoints.",
    "eval_suites": "Immutable definitions of evaluations.",
    "evaluations": "Results of suites on models.",
    "diagnoses": "What runs show.",
    "recommendations": "What was advised, and what was decided.",
    "deployments": "Served models.",
    "base_models": "The model catalogue.",
    "events": "What happened, in order.",
    "webhook_endpoints": "Endpoints that are told of events, and what was sent to them.",
    "keys": "API keys of the workspace.",
    "service": "The service itself.",
}


class Nowhere(Router):
    """Where Litestar's own pages of the document go: we serve ours."""

    def register(self, value: Any) -> list[Any]:
        return []


def config() -> OpenAPIConfig:
    """What Litestar is told; the document itself is served by our own route."""
    return OpenAPIConfig(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        contact=Contact(name="The operator of this service"),
        license=License(name="MIT", identifier="MIT"),
        use_handler_docstrings=True,
        servers=[
            Server(url="/", description="Where this document was served."),
            Server(url="http://127.0.0.1:8321", description="The default of `serve`."),
        ],
        tags=[Tag(name=name, description=text) for name, text in TAGS.items()],
        security=[{"api_key": []}],
        components=Components(
            security_schemes={"api_key": SecurityScheme(type="http", scheme="bearer", description=API_KEY)}
        ),
        openapi_router=Nowhere("/schema", route_handlers=[]),
    )


def document(app: Litestar) -> dict[str, Any]:
    """The whole document."""
    handlers = {
        str(handler.operation_id): handler
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if getattr(handler, "operation_id", None)
    }
    examples = msgspec.json.decode(
        resources.files("whatnext_service.api").joinpath("openapi_examples.json").read_bytes()
    )
    made = put_schemas(app.openapi_schema.to_schema(), examples)
    schemas = made["components"]["schemas"]
    for path in made["paths"].values():
        for method, operation in path.items():
            complete(method, operation, _facts(handlers[operation["operationId"]]), schemas, examples)
    made["paths"] = dict(sorted(made["paths"].items()))
    add_links(made["paths"])
    made["webhooks"] = {"event": webhook()}
    values = {name: {"summary": SUMMARY, "value": value} for name, value in sorted(examples.items())}
    made["components"] |= COMPONENTS | {"examples": values | problem_examples(), "responses": shared_problems()}
    drop_unused(made)
    return made


def _facts(handler: Any) -> Facts:
    opt = handler.opt
    scope: Any = None if opt.get(PUBLIC) else scope_of(handler)
    strict = "call" in handler.parsed_fn_signature.parameters
    return Facts(
        scope=scope, strict=strict, upload=opt.get("upload"), also=tuple(opt.get("also", ())), found=opt.get("found")
    )


@get(
    "/openapi.json",
    operation_id="service.openapi",
    tags=["service"],
    opt={PUBLIC: True},
    security=[],
    include_in_schema=False,
)
async def openapi_json(request: Request[Any, Any, Any]) -> Response[bytes]:
    """This document."""
    state = request.app.state
    if "openapi" not in state:
        state["openapi"] = msgspec.json.encode(document(request.app))
    return Response(content=state["openapi"], media_type="application/json")


HANDLERS = (openapi_json,)
