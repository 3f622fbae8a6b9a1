"""What every call passes on its way in: the ledger, the key, and the faults on purpose."""

import asyncio
import hmac
import secrets

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from whatnext_service.sandbox.faults import Fault, Faults
from whatnext_service.sandbox.problems import ApiError
from whatnext_service.sandbox.state import State


class Gate(ASGIMiddleware):
    """Counts a call under its handler's name, refuses a wrong key, then lets it through or commits a fault on it.

    Handlers without a name (those about the faults themselves) are neither counted nor hit.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, api_key: str, faults: Faults | None) -> None:
        self._expected = f"Bearer {api_key}".encode()
        self._faults = faults

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        state: State = scope["litestar_app"].state.sandbox.state
        operation = scope["route_handler"].name
        if operation:
            state.count(f"call:{operation}")
        self._check_key(scope)
        fault = self._faults.take_call(operation) if operation and self._faults else None
        if fault is None:
            await next_app(scope, receive, _with_request_id(send))
            return
        match fault.kind:
            case "slow":
                await asyncio.sleep(fault.delay_s)
                await next_app(scope, receive, _with_request_id(send))
            case "empty":
                await _say(send, b'{"object": "list", "data": [], "has_more": false}')
            case "cut":
                await _break(send)
            case "cut_after":
                await next_app(scope, receive, _swallow)
                await _break(send)
            case _:
                raise _refusal(fault)

    def _check_key(self, scope: Scope) -> None:
        given = dict(scope["headers"]).get(b"authorization", b"")
        if not given:
            raise ApiError(401, "You didn't provide an API key", code="missing_api_key")
        if not hmac.compare_digest(given, self._expected):
            raise ApiError(401, "Incorrect API key provided", code="invalid_api_key")


def _refusal(fault: Fault) -> ApiError:
    match fault.kind:
        case "rate_limited":
            headers = {"retry-after": f"{fault.retry_after_s:g}"}
            return ApiError(429, "Rate limit reached", code="rate_limit_exceeded", type="requests", headers=headers)
        case "unauthorized":
            return ApiError(401, "Incorrect API key provided", code="invalid_api_key")
        case "not_found":
            return ApiError(404, "There is no such thing", code="not_found")
    return ApiError(500, "The server had an error while processing your request", type="server_error")


def _with_request_id(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"x-request-id", f"req_{secrets.token_hex(12)}".encode())]
        await send(message)

    return sending


async def _swallow(message: Message) -> None:
    return None


async def _say(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _break(send: Send) -> None:
    """Promises a body and gives none; uvicorn then closes the connection, and the client sees it broken."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
