"""Client of the whatnext service: ask "what next?" of a fine-tuning loop.

>>> client = whatnext.Client("wn_...", base_url="http://127.0.0.1:8321")
>>> answer = client.loops.next("support-bot")
>>> answer.headline
'Train again with learning-rate multiplier 0.5.'
>>> run = client.carry_out(answer)
>>> run.status
'queued'
"""

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from whatnext import errors, models, webhook
from whatnext._config import VERSION as __version__
from whatnext._model import response_of
from whatnext._progress import Progress, Step
from whatnext._sync.loop import Loop
from whatnext._sync.pages import Page, Pager
from whatnext.errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    IdempotencyMismatchError,
    NotFoundError,
    NothingToCarryOutError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    StuckError,
    TooLargeError,
    UnsupportedMediaTypeError,
    VersionMismatchError,
    WaitTimeoutError,
    WebhookVerificationError,
    WhatnextError,
)
from whatnext.models import Overrides, RunConfig
from whatnext.sync import Client

if TYPE_CHECKING:
    from whatnext._async.loop import AsyncLoop
    from whatnext._async.pages import AsyncPage, AsyncPager
    from whatnext.aio import AsyncClient

__all__ = [
    "UNSET",
    "APIConnectionError",
    "APIResponseError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncClient",
    "AsyncLoop",
    "AsyncPage",
    "AsyncPager",
    "AuthenticationError",
    "BadRequestError",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "IdempotencyMismatchError",
    "Loop",
    "NotFoundError",
    "NothingToCarryOutError",
    "Overrides",
    "Page",
    "Pager",
    "PermissionDeniedError",
    "Progress",
    "RateLimitError",
    "RunConfig",
    "ServerError",
    "Step",
    "StuckError",
    "TooLargeError",
    "UnsupportedMediaTypeError",
    "VersionMismatchError",
    "WaitTimeoutError",
    "WebhookVerificationError",
    "WhatnextError",
    "__version__",
    "errors",
    "models",
    "response_of",
    "webhook",
]


_ASYNCHRONOUS = MappingProxyType(
    {
        "AsyncClient": "whatnext.aio",
        "AsyncLoop": "whatnext._async.loop",
        "AsyncPage": "whatnext._async.pages",
        "AsyncPager": "whatnext._async.pages",
    }
)
"""Loaded when they are used: most programs need one half."""


def __getattr__(name: str) -> Any:
    if name in _ASYNCHRONOUS:
        return getattr(import_module(_ASYNCHRONOUS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
