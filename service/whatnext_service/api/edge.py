"""The outermost layer: a request id on every answer, also of unmatched routes and errors, and a log line each; HEAD."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, cast

import msgspec
from litestar.enums import HttpMethod, ScopeType
from litestar.types import HTTPScope, LifeSpanScope, Message, Scope, Send

from whatnext_service.api.problem import KINDS, MEDIA_TYPE, Problem
from whatnext_service.api.prometheus import Metrics

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_RUN_BY_NAME = re.compile(r"^/v1/runs/([a-z0-9-]+)/(R[1-9][0-9]{0,8})(?=/|$)")
_QUIET = ("/livez", "/readyz")


class Log(Protocol):
    """Where log lines go."""

    def info(self, event: str, **fields: Any) -> None: ...


class Edge:
    """Wraps the application; anything that is not HTTP passes through. A HEAD is a GET whose body is kept back."""

    def __init__(
        self, log: Log, metrics: Metrics, make_request_id: Callable[[], str], stopping: Callable[[], bool]
    ) -> None:
        self._log = log
        self._metrics = metrics
        self._make_request_id = make_request_id
        self._stopping = stopping

    async def __call__(
        self, app: Callable[..., Awaitable[None]], scope: Scope | LifeSpanScope, receive: Any, send: Send
    ) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        scope = cast(HTTPScope, scope)
        request_id = self._request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        # A run may be called `{loop slug}/R3`; servers decode %2F, so the name arrives as two segments.
        scope["path"] = _RUN_BY_NAME.sub(r"/v1/runs/\1~\2", scope["path"])
        method = scope["method"]
        if method == HttpMethod.HEAD:
            scope = {**scope, "method": HttpMethod.GET}
        started = time.perf_counter()
        status = 0
        ended = False

        async def reply(message: Message) -> None:
            nonlocal status, ended
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"cache-control", b"no-store"),
                ]
            elif method == HttpMethod.HEAD:
                if ended:
                    return
                ended = True
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        try:
            await app(scope, receive, reply)
        except asyncio.CancelledError:
            if not self._stopping():
                raise
            if not status:
                await _turn_away(reply, request_id)
        duration_s = time.perf_counter() - started
        route = scope.get("path_template") or "unmatched"
        self._metrics.observe(method, route, status, duration_s)
        if scope["path"] not in _QUIET:
            self._log.info(
                "request",
                request_id=request_id,
                method=method,
                route=route,
                status=status,
                duration_s=round(duration_s, 4),
            )

    def _request_id(self, scope: HTTPScope) -> str:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                return value.decode()
        return self._make_request_id()


async def _turn_away(send: Send, request_id: str) -> None:
    """Answer a request that a stopping server cut off; what it had done is rolled back."""
    kind = KINDS["unavailable"]
    told = Problem(
        type="/problems/unavailable",
        title=kind.title,
        status=kind.status,
        detail="The service is stopping.",
        code="unavailable",
        request_id=request_id,
        errors=(),
    )
    body = msgspec.json.encode(told)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"%d" % (kind.retry_after_s or 1)),
    ]
    await send({"type": "http.response.start", "status": kind.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
