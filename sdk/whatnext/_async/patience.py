"""Ask again while the service is away: for what waits, follows or streams, and should outlive a restart of it."""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from whatnext.errors import APIConnectionError, ServerError

if TYPE_CHECKING:
    from whatnext._async.transport import AsyncTransport

T = TypeVar("T")
OUTAGE_S = 300.0
"""A service that has answered before may be away for so long."""
AGAIN_S = 2.0
AWAY = frozenset({502, 503, 504})
"""Statuses of a service that is away."""


async def patiently(transport: "AsyncTransport", ask: Callable[[], Awaitable[T]], deadline: float | None = None) -> T:
    """What `ask` gives, asked again for five minutes, or until the deadline, where the service cannot be reached.

    A client that does not retry has no patience either.
    """
    since: float | None = None
    while True:
        try:
            return await ask()
        except (APIConnectionError, ServerError) as error:
            now = time.monotonic()
            since = now if since is None else since
            away = isinstance(error, APIConnectionError) or error.status in AWAY
            late = now - since >= OUTAGE_S or (deadline is not None and now >= deadline)
            if late or not away or transport.config.max_retries == 0:
                raise
        await transport.sleep(AGAIN_S)
