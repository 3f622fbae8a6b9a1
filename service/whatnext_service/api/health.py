"""Whether the service lives and is ready, and what its problems mean."""

from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import PathParameter

from whatnext_service.api.auth import PUBLIC
from whatnext_service.api.problem import KINDS, problems
from whatnext_service.errors import DomainError
from whatnext_service.flows.ready import check_ready

OPEN: dict[str, Any] = {PUBLIC: True}


@get("/livez", operation_id="service.live", tags=["service"], opt=OPEN, security=[], media_type="text/plain")
async def livez() -> str:
    """Whether the process lives."""
    return "ok"


@get(
    "/readyz",
    operation_id="service.ready",
    tags=["service"],
    opt=OPEN,
    security=[],
    media_type="text/plain",
    responses=problems(),
)
async def readyz(request: Request[Any, Any, Any]) -> str:
    """Whether the process can answer: its database is reached and migrated."""
    await check_ready(request.app.state.services)
    return "ok"


@get(
    "/problems/{code:str}",
    operation_id="service.problem",
    tags=["service"],
    opt=OPEN,
    security=[],
    media_type="text/markdown",
    responses=problems(404),
)
async def problem(
    code: Annotated[str, PathParameter(description="The `code` of a problem.", max_length=128)],
) -> Response[str]:
    """What a problem's code means and what to do."""
    kind = KINDS.get(code)
    if kind is None:
        raise DomainError("not_found", "There is no problem of this name.")
    retry = f"\n\nTry again after {kind.retry_after_s} s." if kind.retry_after_s is not None else ""
    text = f"# {kind.title}\n\n`{code}`, status {kind.status}\n\n{kind.explanation}{retry}\n"
    return Response(content=text, media_type="text/markdown")


HANDLERS = (
    livez,
    readyz,
    problem,
)
