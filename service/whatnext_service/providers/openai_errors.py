"""What every fault of the `openai` client, of the network below it and of a platform's answer means to the flows."""

import asyncio
import json
import math
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime

import aiohttp
import httpx2
import openai

from whatnext_service.errors import ProviderError, ProviderFault
from whatnext_service.providers.openai_wire import storable

MEANINGS: tuple[tuple[type[Exception], ProviderFault, bool], ...] = (
    (openai.APITimeoutError, "timeout", True),
    (openai.APIConnectionError, "unreachable", True),
    (openai.APIResponseValidationError, "malformed", True),
    (openai.RateLimitError, "rate_limited", True),
    (openai.NotFoundError, "not_found", False),
    (openai.AuthenticationError, "unauthorized", False),
    (openai.PermissionDeniedError, "unauthorized", False),
    (openai.InternalServerError, "unavailable", True),
    (openai.APIStatusError, "refused", False),
    (openai.APIError, "malformed", True),
    (openai.LengthFinishReasonError, "malformed", False),
    (openai.ContentFilterFinishReasonError, "refused", False),
    (openai.OpenAIError, "refused", False),
    (TimeoutError, "timeout", True),
    (httpx2.TimeoutException, "timeout", True),
    (aiohttp.InvalidURL, "refused", False),
    (aiohttp.ClientError, "unreachable", True),
    (httpx2.HTTPError, "unreachable", True),
    (ssl.SSLError, "unreachable", True),
    (ValueError, "refused", False),
)
"""The first row whose class fits says what it means, and whether trying again can help."""

KINDS = tuple(kind for kind, _, _ in MEANINGS)
NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
)
OUT_OF_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
LONGEST_WAIT_S = 86_400.0
LONGEST_DETAIL = 300
_KEY_LIKE = re.compile(r"(?i)\bbearer\s+\S+|\b(?:sk-|wn_)[\w*.-]{4,}")


@asynccontextmanager
async def translated(*, deadline_s: float, secret: str, now_s: Callable[[], float]) -> AsyncIterator[None]:
    """Run requests within a deadline; every fault in the block comes out as `ProviderError`.

    The original exception is not chained: its text may hold a piece of a key.
    """
    try:
        async with asyncio.timeout(deadline_s):
            yield
    except KINDS as fault:
        raise provider_error(fault, secret=secret, now_s=now_s()) from None


def provider_error(fault: Exception, *, secret: str, now_s: float) -> ProviderError:
    """Say in the service's terms what went wrong; `now_s` is the Unix time a `Retry-After` date is read against."""
    _, meaning, retryable = next(entry for entry in MEANINGS if isinstance(fault, entry[0]))
    detail = _detail(fault, secret)
    if not isinstance(fault, openai.APIStatusError):
        return ProviderError(meaning, detail, retryable=retryable, sent=not _never_sent(fault))
    wait_s = retry_after_s(fault.response.headers, now_s)
    if fault.code in OUT_OF_MONEY or fault.type in OUT_OF_MONEY:
        meaning, retryable = "unauthorized", False
    elif fault.status_code == 408:
        meaning, retryable = "timeout", True
    elif fault.status_code == 409:
        retryable = wait_s is not None
    return ProviderError(meaning, detail, retryable=retryable, retry_after_s=wait_s, code=fault.code)


def status_error(status: int, headers: Mapping[str, str], body: bytes, url: str) -> openai.APIStatusError:
    """The `openai` client's own exception for an answer that it did not fetch itself."""
    kind: type[openai.APIStatusError] = openai.APIStatusError
    match status:
        case 401:
            kind = openai.AuthenticationError
        case 403:
            kind = openai.PermissionDeniedError
        case 404:
            kind = openai.NotFoundError
        case 429:
            kind = openai.RateLimitError
        case _ if status >= 500:
            kind = openai.InternalServerError
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = body.decode(errors="replace")
    error = told.get("error", told) if isinstance(told, dict) else told
    response = httpx2.Response(status, headers=dict(headers), request=httpx2.Request("POST", url))
    return kind(f"status {status}", response=response, body=error)


def retry_after_s(headers: httpx2.Headers, now_s: float) -> float | None:
    """How long the platform asks to wait: `retry-after-ms`, else `Retry-After`, seconds or a date; at most a day."""
    for name, per_second in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        wait_s = _seconds(headers.get(name), per_second)
        if wait_s is not None:
            return min(wait_s, LONGEST_WAIT_S)
    until_s = _unix_time(headers.get("retry-after"))
    if until_s is None:
        return None
    sent_s = _unix_time(headers.get("date"))
    return min(max(until_s - (now_s if sent_s is None else sent_s), 0.0), LONGEST_WAIT_S)


def without_secrets(text: str, secret: str) -> str:
    """Make a platform's words fit to be shown: no key, one line, of moderate length."""
    if secret:
        text = text.replace(secret, "***")
    return storable(" ".join(_KEY_LIKE.sub("***", text).split())[:LONGEST_DETAIL])


def _detail(fault: Exception, secret: str) -> str:
    match fault:
        case openai.APIStatusError():
            words = [str(fault.status_code), fault.code, _message(fault), fault.request_id and f"[{fault.request_id}]"]
            text = " ".join(word for word in words if word)
        case openai.APIConnectionError():
            cause = fault.__cause__
            text = f"{fault.message} ({type(cause).__name__}: {cause})" if cause else fault.message
        case TimeoutError():
            text = "the call took longer than its deadline"
        case _:
            text = f"{type(fault).__name__}: {fault}"
    return without_secrets(text, secret)


def _message(fault: openai.APIStatusError) -> str:
    if isinstance(fault.body, dict):
        message = fault.body.get("message") or fault.body.get("detail")
        return message if isinstance(message, str) else ""
    return fault.body if isinstance(fault.body, str) else ""


def _never_sent(fault: Exception) -> bool:
    cause = fault.__cause__ if isinstance(fault, openai.APIConnectionError) else fault
    return isinstance(cause, NEVER_SENT)


def _seconds(text: str | None, per_second: float) -> float | None:
    try:
        wait_s = float(text) / per_second if text is not None else math.nan
    except ValueError:
        return None
    return wait_s if math.isfinite(wait_s) and wait_s >= 0 else None


def _unix_time(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text is not None else None
    except (ValueError, OverflowError):
        return None
