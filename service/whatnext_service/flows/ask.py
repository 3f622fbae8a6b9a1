"""Ask a served model, waiting out what passes."""

import asyncio

from whatnext_service.errors import ProviderError
from whatnext_service.providers.port import Completion, CompletionRequest, ServedModels

MAX_TRIES = 6
"""Times a request is sent before its fault stands."""
MAX_BACKOFF_S = 20.0


async def ask(served: ServedModels, request: CompletionRequest) -> Completion:
    """Ask, and ask again after a passing fault, under the same idempotency key; the last fault is raised."""
    for attempt in range(1, MAX_TRIES + 1):
        try:
            return await served.complete(request)
        except ProviderError as error:
            if not error.retryable or attempt == MAX_TRIES:
                raise
            await asyncio.sleep(min(error.retry_after_s or 0.25 * 2**attempt, MAX_BACKOFF_S))
    raise AssertionError
