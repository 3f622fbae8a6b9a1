"""Ask a served model at the pace it bears, waiting out what passes."""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, NoReturn, Protocol, TypeVar

import msgspec

from whatnext_service.core import pace
from whatnext_service.errors import ProviderError, ProviderFault

MAX_TRIES = 8
"""Times a request is sent before its fault stands."""
MAX_PAID_TRIES: dict[ProviderFault, int] = {"timeout": 3, "malformed": 2}
"""Of faults that a platform may well charge for, fewer."""
LONGEST_WAIT_S = 20.0
"""A pause that a platform asks for is waited out in place up to this; after a longer one the job comes back."""
_SLOW_DOWN = frozenset({"rate_limited", "unavailable", "timeout"})
_UNPAID = frozenset({"rate_limited", "unavailable", "unreachable"})


class Request(Protocol):
    """What can be asked again without being paid for again."""

    @property
    def idempotency_key(self) -> str: ...


R = TypeVar("R", bound=Request, contravariant=True)
A = TypeVar("A")


class Asked(msgspec.Struct, Generic[A], kw_only=True, frozen=True):
    """An answer, and how often the request had been sent before it came."""

    answer: A
    n_repeats: int


class Refused(Exception):
    """The request's fault stands after so many repeats."""

    def __init__(self, error: ProviderError, n_repeats: int) -> None:
        super().__init__(str(error))
        self.error = error
        self.n_repeats = n_repeats


class PutOff(Exception):
    """The platform is to be left alone for longer than is waited in place; nothing was sent."""

    def __init__(self, wait_s: float, reason: str) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Line(Generic[R, A]):
    """The way to one served model: everybody who asks it shares its pace.

    Before a long pause it raises `PutOff`; with `patient` false, `Refused`.
    """

    def __init__(
        self,
        send: Callable[[R], Awaitable[A]],
        ceiling: int,
        *,
        patient: bool = True,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._now_s = now_s
        self._patient = patient
        self._pace = pace.start(ceiling)
        self._under_way = 0
        self._room = asyncio.Condition()

    async def ask(self, request: R) -> Asked[A]:
        """Ask, and ask again after a passing fault, under the same idempotency key; raises `Refused` and `PutOff`."""
        for attempt in range(1, MAX_TRIES + 1):
            async with self._place(attempt - 1):
                sent_at_s = self._now_s()
                try:
                    answer = await self._send(request)
                except ProviderError as error:
                    self._slow_down(error, sent_at_s)
                    if not error.retryable or attempt >= MAX_PAID_TRIES.get(error.fault, MAX_TRIES):
                        raise Refused(error, attempt - 1) from error
                    asked_to_wait = error.retry_after_s is not None
                else:
                    self._pace = pace.answered(self._pace)
                    return Asked(answer=answer, n_repeats=attempt - 1)
            if not asked_to_wait:
                spread = zlib.crc32(f"{request.idempotency_key} {attempt}".encode()) / 2**32
                await asyncio.sleep(pace.backoff_s(attempt, spread))
        raise AssertionError

    def _slow_down(self, error: ProviderError, sent_at_s: float) -> None:
        now_s = self._now_s()
        if error.fault in _UNPAID and error.retryable:
            self._pace = pace.failed(self._pace, now_s)
        if error.fault in _SLOW_DOWN:
            self._pace = pace.throttled(self._pace, sent_at_s, now_s, error.retry_after_s)

    def _put_off(self, wait_s: float, reason: str, n_repeats: int) -> NoReturn:
        if self._patient:
            raise PutOff(wait_s, reason)
        raise Refused(ProviderError("unavailable", reason, retryable=True, sent=False), n_repeats)

    @asynccontextmanager
    async def _place(self, n_repeats: int) -> AsyncIterator[None]:
        """Wait until the pace allows one more."""
        async with self._room:
            while self._under_way >= int(self._pace.limit):
                await self._room.wait()
            self._under_way += 1
        try:
            while (wait_s := self._pace.not_before_s - self._now_s()) > 0.0:
                if wait_s > LONGEST_WAIT_S:
                    self._put_off(wait_s, f"the platform asks for a pause of {wait_s:.0f} s", n_repeats)
                await asyncio.sleep(wait_s)
            if pace.is_out(self._pace, self._now_s()):
                self._put_off(pace.OUTAGE_S, "the platform has been out of order for a minute", n_repeats)
            yield
        finally:
            self._under_way -= 1
            async with self._room:
                self._room.notify_all()
