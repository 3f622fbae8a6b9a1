"""Errors in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`."""

import traceback

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException


class ErrorBody(msgspec.Struct, kw_only=True, frozen=True):
    message: str
    type: str
    param: str | None
    code: str | None


class ErrorEnvelope(msgspec.Struct, kw_only=True, frozen=True):
    error: ErrorBody


class ApiError(Exception):
    """A call the sandbox refuses, or fails on purpose."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        type: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = ErrorEnvelope(error=ErrorBody(message=message, type=type, param=param, code=code))
        self.headers = headers or {}


def not_found(kind: str, id: str) -> ApiError:
    return ApiError(404, f"No such {kind}: {id}", param="id")


AnyRequest = Request[object, object, State]


def say_api_error(_: AnyRequest, error: ApiError) -> Response[ErrorEnvelope]:
    return Response(error.body, status_code=error.status, headers=error.headers)


def say_http_error(request: AnyRequest, error: HTTPException) -> Response[ErrorEnvelope]:
    message = error.detail
    if error.status_code in (404, 405):
        message = f"Invalid URL ({request.method} {request.url.path})"
    return say_api_error(request, ApiError(error.status_code, message))


def say_fault(request: AnyRequest, error: Exception) -> Response[ErrorEnvelope]:
    traceback.print_exception(error)
    return say_api_error(request, ApiError(500, "The server had an error", type="server_error"))
