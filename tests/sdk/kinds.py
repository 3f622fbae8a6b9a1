"""Write a test once, run it against the synchronous and the asynchronous client."""

import inspect
from collections.abc import AsyncIterable, Iterable
from typing import Any, TypeVar

import pytest

import whatnext
from whatnext.testing import FakeService

T = TypeVar("T")
URL = "http://service.test"

both_kinds = pytest.mark.parametrize("kind", ["sync", "async"])


class Made:
    """A client whose pauses are recorded and not made."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.pauses: list[float] = []
        client.transport.sleep = self._sleep if isinstance(client, whatnext.Client) else self._asleep

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def _asleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


def make(kind: str, **options: Any) -> Made:
    """A client of `URL`."""
    chosen = whatnext.Client if kind == "sync" else whatnext.AsyncClient
    return Made(chosen("wn_secret", **{"base_url": URL, **options}))


def fake_client(fake: FakeService, kind: str, **options: Any) -> Made:
    """A client of a fake service."""
    return Made(fake.client(**options) if kind == "sync" else fake.async_client(**options))


async def done(result: Any) -> Any:
    """What a call of either client gives."""
    return await result if inspect.isawaitable(result) else result


async def listed(items: Iterable[T] | AsyncIterable[T]) -> list[T]:
    """Everything an iteration of either client gives."""
    if isinstance(items, AsyncIterable):
        return [each async for each in items]
    return list(items)
