"""Test a program that uses this package, without a service.

>>> from whatnext.testing import FakeService, answer, problem
>>> fake = FakeService()
>>> fake.on("loops.next", answer("stop", "Stop: nothing is better than the baseline."))
>>> client = fake.client()
>>> client.loops.next("support-bot").action.kind
'stop'
>>> fake.on("runs.create", problem(409, "confounded_change"))
>>> client.runs.create(loop_id="support-bot", parent_run_id="run_1", overrides={"n_epochs": 1, "batch_size": 8})
Traceback (most recent call last):
whatnext.errors.ConflictError: 409 confounded_change: confounded change [POST http://fake/v1/runs]
>>> fake.requests[-1].json["overrides"]
{'n_epochs': 1, 'batch_size': 8}
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import httpx
import msgspec

from whatnext import models
from whatnext._example import example
from whatnext._literal_call import fitting_operations
from whatnext._operation import JSON, Operation
from whatnext.aio import AsyncClient
from whatnext.sync import Client

__all__ = ["FakeService", "SentRequest", "answer", "example", "problem"]

Canned: TypeAlias = msgspec.Struct | Mapping[str, Any] | list[Any] | str | bytes | httpx.Response | Exception
"""An answer: a model or plain data for JSON, text, bytes, a whole response, or a failure (`httpx.ConnectError`).

Of a stream: an event or a list of them; after these it breaks off, and is asked for again.
"""

EVENTS = "text/event-stream"
API_KEY = "wn_fake"
BASE_URL = "http://fake"


class SentRequest(msgspec.Struct, kw_only=True, frozen=True):
    """A request as the fake service received it."""

    operation: str | None
    """`runs.create`; None for a path that no operation has."""
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    """Names in lower case."""
    content: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return msgspec.json.decode(self.content)


class FakeService:
    """Answers like a service: with examples of the right type, or with what it was told to answer.

    Every request is kept in `requests`. Its clients do not retry unless `max_retries` is given.
    """

    def __init__(self) -> None:
        self.requests: list[SentRequest] = []
        self._canned: dict[str, deque[Canned | Callable[[SentRequest], Canned]]] = {}

    def on(self, operation: str, *answers: Canned | Callable[[SentRequest], Canned]) -> None:
        """What to answer to an operation (`runs.create`): one after the other, the last one for ever.

        A callable is given the request and returns the answer.
        """
        if operation not in {each.name for each in Client.operations}:
            raise ValueError(f"there is no operation {operation!r}")
        if not answers:
            raise ValueError("give at least one answer")
        self._canned[operation] = deque(answers)

    def client(self, **options: Any) -> Client:
        """A client of this service; options as of `whatnext.Client`."""
        http = httpx.Client(transport=httpx.MockTransport(self._handle))
        chosen: dict[str, Any] = {"base_url": BASE_URL, "max_retries": 0, **options}
        return Client(API_KEY, http_client=http, **chosen)

    def async_client(self, **options: Any) -> AsyncClient:
        """An asynchronous client of this service; options as of `whatnext.AsyncClient`."""
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._handle))
        chosen: dict[str, Any] = {"base_url": BASE_URL, "max_retries": 0, **options}
        return AsyncClient(API_KEY, http_client=http, **chosen)

    def sent(self, operation: str) -> list[SentRequest]:
        """The requests of one operation."""
        return [each for each in self.requests if each.operation == operation]

    def _handle(self, request: httpx.Request) -> httpx.Response:
        operation = self._operation(request)
        received = SentRequest(
            operation=None if operation is None else operation.name,
            method=request.method,
            path=request.url.path,
            query={name: request.url.params.get_list(name) for name in request.url.params},
            headers={name.lower(): value for name, value in request.headers.items()},
            content=request.read(),
        )
        self.requests.append(received)
        if operation is None:
            return problem(404, "not_found", f"There is no {request.method} {request.url.path}.")
        told = self._canned.get(operation.name)
        if told is None:
            return _response(_default(operation), operation, received)
        chosen = told[0] if len(told) == 1 else told.popleft()
        return _response(chosen(received) if callable(chosen) else chosen, operation, received)

    def _operation(self, request: httpx.Request) -> Operation[Any] | None:
        fitting = fitting_operations(Client.operations, request.method, request.url.path)
        exact = [each for each in fitting if each.media == request.headers.get("accept")]
        return next(iter(exact or fitting), None)


def answer(
    kind: str = "start_run",
    headline: str = "Train again with learning-rate multiplier 0.5.",
    *,
    request: models.Request | None = None,
    state_version: int = 1,
    **fields: Any,
) -> models.Answer:
    """An answer to "what next?"; `fields` are the answer's other fields.

    >>> from whatnext.testing import answer
    >>> answer("ship", "Ship R2.").headline
    'Ship R2.'
    """
    action = example(models.Action, kind=kind, request=request, recommendation_id=f"rec_{state_version}")
    return example(models.Answer, headline=headline, action=action, state_version=state_version, **fields)


def problem(status: int, code: str, detail: str = "", *, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """An error as the service answers it."""
    body: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": code.replace("_", " "),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": "",
        "errors": [],
    }
    sent = {"content-type": "application/problem+json", **(headers or {})}
    return httpx.Response(status, content=msgspec.json.encode(body), headers=sent)


def _default(operation: Operation[Any]) -> Canned:
    if operation.media in (JSON, EVENTS):
        found = example(operation.result)
        return {"data": [found], "next_cursor": None} if operation.paged else found
    return f"# {operation.name}\n" if operation.media.startswith("text/") else b"{}\n"


def _response(told: Canned, operation: Operation[Any], request: SentRequest) -> httpx.Response:
    if isinstance(told, Exception):
        raise told
    if isinstance(told, httpx.Response):
        return httpx.Response(told.status_code, content=told.content, headers=told.headers)
    if isinstance(told, str | bytes):
        return httpx.Response(200, content=told, headers={"content-type": operation.media})
    if operation.media == EVENTS:
        content = b"".join(map(_event, told if isinstance(told, list) else [told]))
        return httpx.Response(200, content=content, headers={"content-type": EVENTS})
    headers = {"content-type": JSON}
    version = getattr(told, "state_version", None) if hasattr(told, "action") else getattr(told, "version", None)
    if isinstance(version, int):
        headers["etag"] = f'"{version}"'
        if request.headers.get("if-none-match") == headers["etag"]:
            return httpx.Response(304, headers=headers)
    return httpx.Response(200, content=msgspec.json.encode(told), headers=headers)


def _event(event: object) -> bytes:
    plain: Any = msgspec.to_builtins(event)
    return f"id: {plain.get('id', '')}\ndata: ".encode() + msgspec.json.encode(plain) + b"\n\n"
