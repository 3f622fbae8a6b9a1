"""The service on a socket, and readers of its event stream."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from whatnext_service.config import Secret, Settings
from whatnext_service.serving import serving

Json = dict[str, Any]
PATIENCE_S = 20
STREAM = {"Accept": "text/event-stream"}


def client_with(secret: str) -> httpx.AsyncClient:
    """A client that opens as many connections as it likes."""
    headers = {"Authorization": f"Bearer {secret}"}
    return httpx.AsyncClient(headers=headers, timeout=PATIENCE_S, limits=httpx.Limits(max_connections=None))


@asynccontextmanager
async def served(settings: Settings, dsn: str, client: httpx.AsyncClient, **changes: Any) -> AsyncIterator[None]:
    """The real server on a port of its own, which the client then asks; it stops when the block ends."""
    settings = msgspec.structs.replace(settings, database_url=Secret(dsn), port=0, **changes)
    async with serving(settings, standalone=False) as running:
        client.base_url = httpx.URL(running.url)
        yield


class Reader:
    """Takes an event stream apart, as a browser would."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def block(self) -> dict[str, str]:
        """The fields up to the next empty line; a comment is the field without a name."""
        fields: dict[str, str] = {}
        async for line in self._lines:
            if not line:
                return fields
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        raise EOFError

    async def event(self) -> Json:
        """The next event; comments are passed over."""
        while "data" not in (fields := await self.block()):
            pass
        event: Json = msgspec.json.decode(fields["data"])
        assert (fields["id"], fields["event"]) == (event["id"], event["type"])
        return event

    async def events(self, n: int) -> list[Json]:
        return [await self.event() for _ in range(n)]

    async def ended(self) -> bool:
        """Read on until the server ends the stream."""
        try:
            while True:
                await self.block()
        except EOFError:
            return True


@asynccontextmanager
async def reading(client: httpx.AsyncClient, *, last: str | None = None, **query: Any) -> AsyncIterator[Reader]:
    headers = STREAM | ({"Last-Event-ID": last} if last else {})
    async with client.stream("GET", "/v1/events", params=query, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        yield Reader(response)
