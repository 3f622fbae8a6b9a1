"""What OPTIONS answers: the methods of a path, which needs no key."""

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPMethod
from typing import Any

from litestar import Response, route
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler

from whatnext_service.api.auth import PUBLIC


def options_handlers(handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """One for each path, to be registered first: those that Litestar makes by itself know but one handler of a path."""
    methods: dict[str, set[str]] = defaultdict(lambda: {HTTPMethod.OPTIONS.value})
    for handler in handlers:
        for path in handler.paths:
            methods[path] |= {str(method) for method in handler.http_methods}
            methods[path] |= {HTTPMethod.HEAD.value} if "GET" in methods[path] else set()
    return [_telling(path, ", ".join(sorted(found))) for path, found in methods.items()]


def _telling(path: str, allow: str) -> HTTPRouteHandler:
    @route(path, http_method=HttpMethod.OPTIONS, include_in_schema=False, opt={PUBLIC: True})
    async def options() -> Response[Any]:
        return Response(None, status_code=204, headers={"Allow": allow})

    return options
