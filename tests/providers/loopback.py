"""A scripted HTTP server on loopback: what it answers is what a test told it, down to cut and silent connections."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import httpx2
from openai import AsyncOpenAI

from whatnext_service.providers.client import PlatformSettings, create_client


def connect(settings: PlatformSettings) -> AsyncOpenAI:
    """A client without certificates, which take longer to load than a test to run."""
    return create_client(settings, httpx2.AsyncHTTPTransport(verify=False))


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    n_bytes: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """`cut` ends the connection before the answer, `half` in the middle of its body, `silence` never answers,
    `drip` answers a blank at a time for a second, then breaks off."""

    body: object = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    fault: Literal["cut", "half", "silence", "drip"] | None = None

    def encoded(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Answer = Reply | Callable[[Received], Reply]


class Loopback:
    """Routes hold queues of answers; the last one is repeated. An unknown route is a 404."""

    def __init__(self, *, keep_bodies: bool = True) -> None:
        self.requests: list[Received] = []
        self.reached = asyncio.Event()
        self.keep_bodies = keep_bodies
        self._routes: dict[tuple[str, str], list[Answer]] = defaultdict(list)
        self._open: set[asyncio.StreamWriter] = set()

    def on(self, route: str, *answers: object) -> None:
        """`on("GET /v1/files", {...}, Reply(status=500))`; what is no reply is sent as JSON."""
        method, path = route.split()
        self._routes[method, path] = [a if isinstance(a, Reply) or callable(a) else Reply(a) for a in answers]

    def seen(self, route: str) -> list[Received]:
        method, path = route.split()
        return [request for request in self.requests if (request.method, request.path) == (method, path)]

    async def __aenter__(self) -> "Loopback":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in list(self._open):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._answer_one(reader, writer):
                pass
        self._open.discard(writer)
        writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await self._read(reader)
        self.requests.append(request)
        self.reached.set()
        queue = self._routes[request.method, request.path]
        answer = (queue.pop(0) if len(queue) > 1 else queue[0]) if queue else Reply({"error": {"message": "no"}}, 404)
        reply = answer if isinstance(answer, Reply) else answer(request)
        if reply.fault == "cut":
            return False
        if reply.fault == "silence":
            await reader.read(1)
            return False
        if reply.fault == "drip":
            await self._drip(writer)
            return False
        body = reply.encoded()
        head = {"content-type": "application/json", "content-length": str(len(body))} | reply.headers
        lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        writer.write("\r\n".join(lines).encode() + (body[: len(body) // 2] if reply.fault == "half" else body))
        await writer.drain()
        return reply.fault is None

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Scripted\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(100):
            writer.write(b"1\r\n \r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def _read(self, reader: asyncio.StreamReader) -> Received:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split()
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        left = n_bytes = int(headers.get("content-length", 0))
        kept = bytearray()
        while left:
            piece = await reader.read(min(left, 65_536))
            if not piece:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(piece)
            if self.keep_bodies:
                kept += piece
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        return Received(method, url.path, query, headers, bytes(kept), n_bytes)
