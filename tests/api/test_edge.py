"""What a stopping server says to a request that it has to cut off."""

import asyncio
import json
from typing import Any

import pytest

from whatnext_service.api.edge import Edge
from whatnext_service.api.prometheus import Metrics

Told = list[dict[str, Any]]


class Lines:
    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def info(self, event: str, **fields: Any) -> None:
        self.told.append({"event": event, **fields})


async def cut_off(log: Lines, *, stopping: bool, begun: bool = False) -> Told:
    """What is sent for a request that never ends, once the server cancels it."""
    sent: Told = []
    reached = asyncio.Event()

    async def send(message: Any) -> None:
        sent.append(message)

    async def endless(scope: Any, receive: Any, reply: Any) -> None:
        if begun:
            await reply({"type": "http.response.start", "status": 200, "headers": []})
        reached.set()
        await asyncio.Event().wait()

    edge = Edge(log, Metrics(), lambda: "req_00000001", lambda: stopping)
    scope: Any = {"type": "http", "method": "POST", "path": "/v1/loops", "headers": []}
    task = asyncio.create_task(edge(endless, scope, None, send))
    await reached.wait()
    task.cancel()
    await task
    return sent


async def test_a_request_that_is_cut_off_by_a_stop_is_told_to_come_again() -> None:
    log = Lines()
    start, body = await cut_off(log, stopping=True)
    headers = dict(start["headers"])
    assert start["status"] == 503
    assert headers[b"content-type"] == b"application/problem+json"
    assert int(headers[b"retry-after"]) > 0
    assert headers[b"x-request-id"] == b"req_00000001"
    problem = json.loads(body["body"])
    assert (problem["code"], problem["request_id"]) == ("unavailable", "req_00000001")
    assert [(line["event"], line["status"]) for line in log.told] == [("request", 503)]


async def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    (start,) = await cut_off(Lines(), stopping=True, begun=True)
    assert start["status"] == 200


async def test_a_cancellation_for_any_other_reason_goes_on() -> None:
    with pytest.raises(asyncio.CancelledError):
        await cut_off(Lines(), stopping=False)
