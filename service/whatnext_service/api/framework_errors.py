"""What the framework refuses, as a problem that says more than the framework does."""

import re
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from whatnext_service.api.problem import on_any_error, problem_response
from whatnext_service.errors import FieldError

_BY_STATUS = {
    400: "invalid_parameter",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    503: "unavailable",
}


_MISSING = re.compile(r"Missing required \w+ parameter '([^']+)'")
_HEADERS = {
    "idempotency_key": "Idempotency-Key",
    "if_match": "If-Match",
    "if_none_match": "If-None-Match",
    "last_event_id": "Last-Event-ID",
}
"""The framework calls a header by its parameter's name."""


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """The framework refused it: no such route, a wrong parameter, a body too large."""
    code = _BY_STATUS.get(error.status_code)
    if code is None:
        return on_any_error(request, error)
    details = error.extra if isinstance(error.extra, list) else []
    if [each.get("key") for each in details if isinstance(each, dict)] == ["data"]:
        # What the framework says when a body is missing.
        message = "A JSON body is needed."
        return problem_response(request, "invalid_body", message, (FieldError(pointer="", message=message),))
    errors = tuple(
        FieldError(pointer=_HEADERS.get(key := str(each.get("key", "")), key), message=str(each.get("message", "")))
        for each in details
        if isinstance(each, dict)
    )
    if missing := _MISSING.match(error.detail):
        errors = (FieldError(pointer=_HEADERS.get(missing[1], missing[1]), message="is needed"),)
    detail = "; ".join(f"{each.pointer}: {each.message}" for each in errors) or _told(request, error)
    return _with_headers(problem_response(request, code, detail, errors), error)


def _told(request: Request[Any, Any, Any], error: HTTPException) -> str:
    """What the framework says only in general."""
    match error.status_code:
        case 404:
            return f"There is no path {request.url.path[:128]!r}; /docs and /openapi.json list them."
        case 405:
            return f"This path takes {_allowed(error)}."
        case 413:
            return f"A JSON body may have {request.app.state.settings.max_body_bytes} bytes."
    return error.detail


def _with_headers(response: Response[Any], error: HTTPException) -> Response[Any]:
    for name, value in (error.headers or {}).items():
        response.headers[name] = _allowed(error) if name.lower() == "allow" else value
    return response


def _allowed(error: HTTPException) -> str:
    """The methods of a path in order; what can be got can be asked for its head."""
    told = {name.lower(): value for name, value in (error.headers or {}).items()}.get("allow", "")
    methods = {each.strip() for each in told.split(",")}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
