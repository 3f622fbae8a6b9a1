"""Ask a served model at the pace it bears, waiting out what passes."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from whatnext_service.core import pace
from whatnext_service.errors import ProviderError
from whatnext_service.providers.port import Completion, CompletionRequest, ServedModels

MAX_TRIES = 8
"""Times a request is sent before its fault stands."""
_SLOW_DOWN = frozenset({"rate_limited", "unavailable", "timeout"})


class Asked(msgspec.Struct, kw_only=True, frozen=True):
    """An answer, and how often the request had been sent before it came."""

    answer: Completion
    n_repeats: int


class Refused(Exception):
    """The request's fault stands after so many repeats."""

    def __init__(self, error: ProviderError, n_repeats: int) -> None:
        super().__init__(str(error))
        self.error = error
        self.n_repeats = n_repeats


class Line:
    """The way to one served model: everybody who asks it shares its pace."""

    def __init__(self, served: ServedModels, ceiling: int) -> None:
        self._served = served
        self._pace = pace.start(ceiling)
        self._under_way = 0
        self._room = asyncio.Condition()

    async def ask(self, request: CompletionRequest) -> Asked:
        """Ask, and ask again after a passing fault, under the same idempotency key; raises `Refused`."""
        for attempt in range(1, MAX_TRIES + 1):
            async with self._place():
                sent_at_s = _now_s()
                try:
                    answer = await self._served.complete(request)
                except ProviderError as error:
                    if error.fault in _SLOW_DOWN:
                        self._pace = pace.throttled(self._pace, sent_at_s, _now_s(), error.retry_after_s)
                    if not error.retryable or attempt == MAX_TRIES:
                        raise Refused(error, attempt - 1) from error
                    asked_to_wait = error.retry_after_s is not None
                else:
                    self._pace = pace.answered(self._pace)
                    return Asked(answer=answer, n_repeats=attempt - 1)
            if not asked_to_wait:
                spread = zlib.crc32(f"{request.idempotency_key} {attempt}".encode()) / 2**32
                await asyncio.sleep(pace.backoff_s(attempt, spread))
        raise AssertionError

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Wait until the pace allows one more."""
        async with self._room:
            while self._under_way >= int(self._pace.limit):
                await self._room.wait()
            self._under_way += 1
        try:
            while (wait_s := self._pace.not_before_s - _now_s()) > 0.0:  # noqa: ASYNC110 -- a pause may be prolonged
                await asyncio.sleep(wait_s)
            yield
        finally:
            self._under_way -= 1
            async with self._room:
                self._room.notify_all()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
