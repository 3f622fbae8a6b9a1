"""Every route, and the Litestar application around them."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import LifeSpanScope, Scope

from whatnext_service.api import (
    advice,
    datasets,
    deployments,
    evaluation_import,
    evaluations,
    health,
    judging,
    loops,
    openapi,
    prometheus,
    quality,
    reference,
    runs,
    webhooks,
    workspace,
)
from whatnext_service.api.auth import KeyAuthentication, require_scope
from whatnext_service.api.call import CallInHand
from whatnext_service.api.edge import Edge, Log
from whatnext_service.api.framework_errors import on_http_error
from whatnext_service.api.limits import RateLimit, WaitingRoom
from whatnext_service.api.options import options_handlers
from whatnext_service.api.params import refuse_unknown_parameters
from whatnext_service.api.pictures import Painter
from whatnext_service.api.problem import on_any_error, on_domain_error
from whatnext_service.api.prometheus import Metrics
from whatnext_service.api.strict_request import StrictRequest
from whatnext_service.config import Settings
from whatnext_service.errors import DomainError

MODULES = (
    advice,
    datasets,
    deployments,
    evaluation_import,
    evaluations,
    health,
    judging,
    loops,
    openapi,
    prometheus,
    quality,
    reference,
    runs,
    webhooks,
    workspace,
)
Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


class Application(Litestar):
    """The application with its edge: what a server calls."""

    async def __call__(self, scope: Scope | LifeSpanScope, receive: Any, send: Any) -> None:
        await self.state.edge(super().__call__, scope, receive, send)

    def send_waiting_home(self) -> None:
        """Answer everyone who waits, and let nobody wait from now on: a server that stops need not wait for them."""
        self.state.room.close()
        self.state.services.bell.ring_all()


def create_application(
    settings: Settings, log: Log, make_request_id: Callable[[], str], lifespan: Sequence[Lifespan] = ()
) -> Application:
    """Build the application; whoever builds it puts `services` into its state before the first request."""
    metrics = Metrics()
    room = WaitingRoom(settings.max_waiting)
    handlers = [handler for module in MODULES for handler in module.HANDLERS]
    return Application(
        route_handlers=[*options_handlers(handlers), *handlers],
        request_class=StrictRequest,
        dependencies={"call": Provide(_call, sync_to_thread=False)},
        middleware=[KeyAuthentication],
        guards=[require_scope],
        exception_handlers={
            DomainError: on_domain_error,
            HTTPException: on_http_error,
            Exception: on_any_error,
        },
        request_max_body_size=settings.max_body_bytes,
        openapi_config=openapi.config(),
        logging_config=None,
        state=State(
            {
                "settings": settings,
                "log": log,
                "metrics": metrics,
                "edge": Edge(log, metrics, make_request_id, lambda: room.closed),
                "rate_limit": RateLimit(settings.rate_limit_per_s, time.monotonic),
                "painter": Painter(),
                "room": room,
            }
        ),
        lifespan=list(lifespan),
    )


def _call(request: Request[Any, Any, Any]) -> CallInHand:
    refuse_unknown_parameters(request)
    return CallInHand(request)
