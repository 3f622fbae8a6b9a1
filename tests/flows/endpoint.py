"""A chat-completions endpoint on loopback whose answers a test decides, in a thread or a process of its own.

It honours idempotency keys as a paying platform would: the first request under a key is charged, a repeated one is
answered from memory, and one with another body is refused.
"""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Answer = Callable[[Json], str | tuple[int, dict[str, str]]]
"""From a request's body to the text that is answered, or to a status with headers."""


@dataclass
class Endpoint:
    """What it was asked; to be read when nobody asks any more."""

    answer: Answer
    delay_s: float = 0.0
    honours_keys: bool = True
    paid: Counter[str] = field(default_factory=Counter)
    """How often each key was charged."""
    asked: list[Json] = field(default_factory=list)
    n_requests: int = 0
    n_mismatched: int = 0
    most_at_once: int = 0
    port: int = 0
    known: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    under_way: int = 0
    connections: set[asyncio.Transport] = field(default_factory=set)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


class _Connection(asyncio.Protocol):
    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.endpoint.connections.add(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.endpoint.connections.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            headers = dict(line.split(b": ", 1) for line in self.buffer[:end].split(b"\r\n")[1:] if b": " in line)
            lower = {name.lower(): value for name, value in headers.items()}
            size = int(lower.get(b"content-length", b"0"))
            if len(self.buffer) < end + 4 + size:
                return
            body, self.buffer = self.buffer[end + 4 : end + 4 + size], self.buffer[end + 4 + size :]
            self._take(lower.get(b"idempotency-key", b"").decode(), body)

    def _take(self, key: str, body: bytes) -> None:
        endpoint = self.endpoint
        endpoint.n_requests += 1
        endpoint.under_way += 1
        endpoint.most_at_once = max(endpoint.most_at_once, endpoint.under_way)
        stored = endpoint.known.get(key) if endpoint.honours_keys else None
        if stored is not None and stored[0] != body:
            endpoint.n_mismatched += 1
            reply = _reply(409, {}, b"{}")
        elif stored is not None:
            reply = stored[1]
        else:
            asked = json.loads(body)
            answer = endpoint.answer(asked)
            if isinstance(answer, str):
                endpoint.paid[key] += 1
                endpoint.asked.append(asked)
                reply = _reply(200, {}, _completion(asked, answer))
                endpoint.known[key] = (body, reply)
            else:
                reply = _reply(answer[0], answer[1], b"{}")
        asyncio.get_running_loop().call_later(endpoint.delay_s, self._say, reply)

    def _say(self, reply: bytes) -> None:
        self.endpoint.under_way -= 1
        self.transport.write(reply)


def _completion(asked: Json, text: str) -> bytes:
    usage = {"prompt_tokens": 10, "completion_tokens": len(text.split()), "total_tokens": 10 + len(text.split())}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return json.dumps({"id": "c", "model": asked.get("model"), "choices": [choice], "usage": usage}).encode()


def _reply(status: int, headers: dict[str, str], body: bytes) -> bytes:
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


async def serve_forever(endpoint: Endpoint, started: Callable[[], None]) -> None:
    """Serve until cancelled; then whoever is still connected is cut off (`Server.serve_forever` waits for them)."""
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(endpoint), "127.0.0.1", endpoint.port)
    endpoint.port = server.sockets[0].getsockname()[1]
    started()
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        server.close()
        for transport in tuple(endpoint.connections):
            transport.abort()
        await asyncio.sleep(0)


@contextmanager
def serving(endpoint: Endpoint) -> Iterator[Endpoint]:
    """Serve in a thread."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    task = loop.create_task(serve_forever(endpoint, ready.set))

    def work() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        finally:
            loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield endpoint
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
