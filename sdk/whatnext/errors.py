"""Everything this package raises.

    WhatnextError
    ├── ConfigurationError            no API key, or a base URL that is none
    ├── APIConnectionError            the service was not reached, or the connection broke
    │   └── APITimeoutError           it did not answer in time
    ├── APIResponseError              the answer does not fit this version of the package
    ├── APIStatusError                the service answered with an error; see `code` and `errors`
    │   ├── BadRequestError           400
    │   ├── AuthenticationError       401
    │   ├── PermissionDeniedError     403
    │   ├── NotFoundError             404
    │   ├── ConflictError             409, for example code `confounded_change`
    │   ├── VersionMismatchError      412
    │   ├── TooLargeError             413
    │   ├── UnsupportedMediaTypeError 415
    │   ├── IdempotencyMismatchError  422
    │   ├── RateLimitError            429
    │   └── ServerError               5xx
    ├── WaitTimeoutError              what was waited for did not come in time; `last` is what was seen last
    ├── StuckError                    an action was carried out and the advice did not move
    ├── NothingToCarryOutError        the advice names no request: a person must act
    └── WebhookVerificationError      a webhook's signature or age is wrong

All of them survive pickling.
"""

from collections.abc import Mapping
from typing import Any

import msgspec


class WhatnextError(Exception):
    """Base of every error of this package."""


class ConfigurationError(WhatnextError):
    """The client cannot be built from what it was given."""


class APIConnectionError(WhatnextError):
    """The service was not reached, or the connection broke."""


class APITimeoutError(APIConnectionError):
    """The service did not answer in time."""


class APIResponseError(WhatnextError):
    """The answer does not fit this version of the package."""


class FieldFault(msgspec.Struct, kw_only=True, frozen=True):
    """Where in a request the fault is."""

    pointer: str = ""
    """A JSON pointer into the body, or a parameter's name."""
    message: str = ""


class FailedAnswer(msgspec.Struct, kw_only=True, frozen=True):
    """An error response, apart from its connection."""

    method: str
    url: str
    status: int
    reason: str
    headers: dict[str, str]
    """Names in lower case."""
    content: bytes


class _Problem(msgspec.Struct):
    title: str = ""
    detail: str = ""
    code: str | None = None
    request_id: str | None = None
    errors: list[FieldFault] = []


class APIStatusError(WhatnextError):
    """The service answered with an error.

    `status` is the HTTP status, `code` the service's own word for it (None where a proxy answered), `detail` what
    went wrong, `errors` where, `request_id` what to quote to an operator, `body` the decoded answer.
    """

    def __init__(self, answer: FailedAnswer) -> None:
        super().__init__(answer)
        problem = _read(answer.content)
        self.answer = answer
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self.title = problem.title or answer.reason
        self.detail = problem.detail or _moved(answer)
        self.code = problem.code
        self.errors = tuple(problem.errors)
        self.request_id = answer.headers.get("x-request-id") or problem.request_id

    @property
    def body(self) -> Any:
        """The decoded JSON, or the bytes where it is none."""
        try:
            return msgspec.json.decode(self.answer.content)
        except msgspec.MsgspecError:
            return self.answer.content

    def __str__(self) -> str:
        detail = "" if self.detail.lower() == self.title.lower() else self.detail
        said = ": ".join(part for part in (self.title, detail) if part)
        faults = [text for each in self.errors if (text := _fault(each, detail))]
        where = f" ({'; '.join(faults)})" if faults else ""
        request = f", request {self.request_id}" if self.request_id else ""
        code = f" {self.code}" if self.code else ""
        return f"{self.status}{code}: {said}{where} [{self.answer.method} {self.answer.url}{request}]"


class BadRequestError(APIStatusError):
    """The request cannot be right."""


class AuthenticationError(APIStatusError):
    """No valid API key."""


class PermissionDeniedError(APIStatusError):
    """The key lacks the scope."""


class NotFoundError(APIStatusError):
    """There is nothing of this name in the key's workspace."""


class ConflictError(APIStatusError):
    """The state does not allow it; `code` says why."""


class VersionMismatchError(APIStatusError):
    """The resource has changed since it was read."""


class TooLargeError(APIStatusError):
    """The body is larger than the service accepts."""


class UnsupportedMediaTypeError(APIStatusError):
    """The service does not take this media type."""


class IdempotencyMismatchError(APIStatusError):
    """The idempotency key was used with another request."""


class RateLimitError(APIStatusError):
    """Too many requests."""


class ServerError(APIStatusError):
    """A fault of the service, or of something in front of it."""


class WaitTimeoutError(WhatnextError):
    """What was waited for did not come in time; `last` is what was seen last."""

    def __init__(self, message: str, last: Any = None) -> None:
        super().__init__(message, last)
        self.last = last

    def __str__(self) -> str:
        return str(self.args[0])


class StuckError(WhatnextError):
    """An action was carried out and the advice did not move."""


class NothingToCarryOutError(WhatnextError):
    """The advice names no request: a person must act."""


class WebhookVerificationError(WhatnextError):
    """A webhook's signature or age is wrong."""


def status_error(answer: FailedAnswer) -> APIStatusError:
    """The error of a failed answer's status."""
    kind: type[APIStatusError]
    match answer.status:
        case 400:
            kind = BadRequestError
        case 401:
            kind = AuthenticationError
        case 403:
            kind = PermissionDeniedError
        case 404:
            kind = NotFoundError
        case 409:
            kind = ConflictError
        case 412:
            kind = VersionMismatchError
        case 413:
            kind = TooLargeError
        case 415:
            kind = UnsupportedMediaTypeError
        case 422:
            kind = IdempotencyMismatchError
        case 429:
            kind = RateLimitError
        case _:
            kind = ServerError if answer.status >= 500 else APIStatusError
    return kind(answer)


def _moved(answer: FailedAnswer) -> str:
    """Redirects are not followed: they would take the key elsewhere."""
    location = answer.headers.get("location")
    return f"it is at {location}: set the base URL" if location and 300 <= answer.status < 400 else ""


def _fault(fault: FieldFault, detail: str) -> str:
    """Where, and what unless that has been said."""
    return ": ".join(part for part in (fault.pointer, "" if fault.message in detail else fault.message) if part)


def _read(content: bytes) -> _Problem:
    try:
        return msgspec.json.decode(content, type=_Problem)
    except msgspec.MsgspecError:
        return _Problem()
