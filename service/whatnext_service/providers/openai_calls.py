"""One call to a platform: awaited within its deadline, its answer decoded, its faults translated."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from openai import Omit, omit

from whatnext_service.errors import ProviderError
from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai_errors import translated
from whatnext_service.providers.openai_wire import WirePage, decoded

T = TypeVar("T")


class RawAnswer(Protocol):
    """An answer whose body has been read."""

    @property
    def content(self) -> bytes: ...


class Listed(Protocol):
    """A member of a list, which serves as the cursor to what comes after it."""

    @property
    def id(self) -> str | None: ...


ListedT = TypeVar("ListedT", bound=Listed)


class Calls:
    """What every call to one platform has in common."""

    def __init__(self, settings: PlatformSettings, now_s: Callable[[], float]) -> None:
        self._settings = settings
        self._now_s = now_s

    def within(self, deadline_s: float) -> AbstractAsyncContextManager[None]:
        """A block whose faults come out as `ProviderError`."""
        return translated(deadline_s=deadline_s, secret=self._settings.api_key, now_s=self._now_s)

    async def ask(self, call: Awaitable[RawAnswer], shape: type[T], deadline_s: float | None = None) -> T:
        """Await one call and decode its answer."""
        async with self.within(deadline_s or self._settings.deadline_s):
            answer = await call
        return decoded(answer.content, shape, keep=True)

    async def walk(
        self, page_after: Callable[[str | Omit], Awaitable[RawAnswer]], shape: type[WirePage[ListedT]]
    ) -> AsyncIterator[ListedT]:
        """Every member of a paged list, in the platform's order (newest first).

        A platform that hands out the same page again ends the walk with `malformed`: a list cut short in silence could
        hide a job that was paid for.
        """
        seen: set[str] = set()
        cursor: str | Omit = omit
        while True:
            page = await self.ask(page_after(cursor), shape)
            for member in page.data:
                yield member
            last = page.data[-1].id if page.data else None
            if not page.has_more or last is None:
                return
            if last in seen:
                raise ProviderError("malformed", f"the list does not move past {last}", retryable=True)
            seen.add(last)
            cursor = last
