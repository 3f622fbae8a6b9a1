"""Server-sent events as models, resumed where they broke off."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

import httpx
import msgspec

from whatnext._operation import decode

T = TypeVar("T")
RECONNECT_S = 1.0


class AsyncEventStream(Generic[T]):
    """Events as they happen. A broken connection is opened again after the last event that came."""

    def __init__(
        self,
        opened: Callable[[str | None], Awaitable[httpx.Response]],
        decoder: msgspec.json.Decoder[T],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._opened = opened
        self._sleep = sleep
        self._decoder = decoder
        self.last_event_id: str | None = None

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            response = await self._opened(self.last_event_id)
            try:
                async for event in self._events(response):
                    yield event
            except httpx.TransportError:
                pass
            finally:
                await response.aclose()
            await self._sleep(RECONNECT_S)

    async def _events(self, response: httpx.Response) -> AsyncIterator[T]:
        data: list[str] = []
        async for line in _lines(response):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line and data:
                yield decode(self._decoder, "\n".join(data).encode())
                data = []
            elif field == "data":
                data.append(value)
            elif field == "id":
                self.last_event_id = value


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """Lines of the stream; httpx would also break them at separators that JSON leaves as they are."""
    left = b""
    async for chunk in response.aiter_bytes():
        *lines, left = (left + chunk).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r").decode()
