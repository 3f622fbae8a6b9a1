"""The OpenAPI document: Litestar gives the paths, msgspec gives the schemas; sorted, and the same every time."""

from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Server, Tag

from whatnext_service.api.auth import PUBLIC, scope_of
from whatnext_service.api.openapi_schemas import polish

TITLE = "whatnext"
VERSION = "1.0.0"
DESCRIPTION = (
    'Keeps the memory of a fine-tuning loop and answers "what next?" with exactly one change, the evidence for it, '
    "and honest confidence."
)
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


def config() -> OpenAPIConfig:
    """What Litestar is told; the document itself is served by our own route."""
    return OpenAPIConfig(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        use_handler_docstrings=True,
        servers=[Server(url="http://127.0.0.1:8321", description="The default of `serve`.")],
        tags=[Tag(name=name, description=text) for name, text in TAGS.items()],
        security=[{"api_key": []}],
        components=Components(
            security_schemes={
                "api_key": SecurityScheme(type="http", scheme="bearer", description="An API key, `wn_...`.")
            }
        ),
        enabled_endpoints=set(),
    )


def document(app: Litestar) -> dict[str, Any]:
    """The whole document."""
    scopes = {
        str(handler.operation_id): scope_of(handler)
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if getattr(handler, "operation_id", None) and not handler.opt.get(PUBLIC)
    }
    uploads = {
        str(handler.operation_id): str(handler.opt["upload"])
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if handler.opt.get("upload")
    }
    also = {
        str(handler.operation_id): tuple(handler.opt["also"])
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if handler.opt.get("also")
    }
    return polish(app.openapi_schema.to_schema(), scopes, uploads, also)


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
