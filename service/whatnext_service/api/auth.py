"""API keys: every route under /v1 needs one."""

import hashlib
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from whatnext_service.errors import DomainError
from whatnext_service.flows.authenticate import authenticate

PUBLIC = "public"


class KeyAuthentication(AbstractAuthenticationMiddleware):
    """Finds whoever holds the key of a request."""

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        if connection.route_handler.opt.get(PUBLIC):
            return AuthenticationResult(user=None, auth=None)
        scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.startswith("wn_"):
            raise DomainError("unauthorized", "Send an API key as `Authorization: Bearer wn_...`.")
        digest = hashlib.sha256(secret.strip().encode()).digest()
        caller = await authenticate(connection.app.state.services, digest)
        connection.app.state.rate_limit.take(caller.id)
        return AuthenticationResult(user=caller, auth=caller.id)


def require_scope(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuse a key without the scope that the route declares; `admin` includes the others, `write` includes `read`."""
    if handler.opt.get(PUBLIC):
        return
    needed = scope_of(handler)
    held = set(connection.user.scopes)
    allowed = {"read": {"read", "write", "admin"}, "write": {"write", "admin"}, "admin": {"admin"}}[needed]
    if not held & allowed:
        raise DomainError("forbidden", f"This needs a key with the scope {needed!r}.")


def scope_of(handler: BaseRouteHandler) -> str:
    """The scope a route declares; else `read` for GET and `write` for the rest."""
    methods: set[str] = set(getattr(handler, "http_methods", ()))
    return str(handler.opt.get("scope") or ("read" if methods <= {"GET", "HEAD"} else "write"))
