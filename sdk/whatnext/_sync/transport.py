# Generated from _async/transport.py; do not edit.
# ruff: noqa
# ruff: noqa: ASYNC109
"""Requests: sent, retried, decoded."""

import logging
import os
import random
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import httpx
from msgspec import UNSET, UnsetType

from whatnext._config import UPLOAD_TIMEOUT, USER_AGENT, Config, Timeout, longer
from whatnext._operation import Operation, Ref, decode, encode_body, failed, query_string
from whatnext._sync.connections import Connections
from whatnext._sync.downloads import Download
from whatnext._sync.pages import Page, Pager
from whatnext._sync.patience import patiently
from whatnext._sync.streams import EventStream
from whatnext._upload import Upload
from whatnext.errors import APIConnectionError, APITimeoutError, WhatnextError, status_error
from whatnext.retry import delay_s, may_retry

T = TypeVar("T")
LOG = logging.getLogger("whatnext")
SAFE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures before the request left."""
HEARTBEAT_S = 30
"""A stream of events is never silent for longer."""


class Transport:
    """The engine under every resource."""

    def __init__(self, config: Config, connections: Connections) -> None:
        self.config = config
        self._connections = connections
        self.owner: Any = None
        """The client, which answers that can act are bound to."""
        self.sleep: Callable[[float], None] = time.sleep
        self._headers = {
            **connections.http.headers,
            "user-agent": USER_AGENT,
            **{name.lower(): value for name, value in config.headers.items()},
            "authorization": f"Bearer {config.api_key.value}",
        }
        self._timeout = {"timeout": httpx.Timeout(config.timeout).as_dict()}

    @property
    def http(self) -> httpx.Client:
        """What sends the requests."""
        return self._connections.http

    def call(
        self,
        operation: Operation[T],
        *,
        path: tuple[Ref, ...] = (),
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> T:
        """Send an operation and decode its answer."""
        url = operation.path_for(path)
        if query and (text := query_string(query)):
            url = f"{url}?{text}"
        response = self.send(
            operation.method,
            url,
            headers=operation.accept if headers is None else {**operation.accept, **headers},
            content=None if body is None else encode_body(body),
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return self.decoded(operation, response)

    def decoded(self, operation: Operation[T], response: httpx.Response) -> T:
        """A response as the operation's model."""
        result = decode(operation.decoder, response.content)
        kept = result.__dict__
        kept["_response"], kept["_client"] = response, self.owner
        return result

    def text(
        self,
        operation: Operation[Any],
        *,
        path: tuple[Ref, ...] = (),
        query: Mapping[str, Any] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> str:
        """Send an operation whose answer is text."""
        return (self._plain(operation, path, query, timeout)).text

    def content(
        self,
        operation: Operation[Any],
        *,
        path: tuple[Ref, ...] = (),
        query: Mapping[str, Any] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> bytes:
        """Send an operation whose answer is a picture."""
        return (self._plain(operation, path, query, timeout)).content

    def _plain(
        self,
        operation: Operation[Any],
        path: tuple[Ref, ...],
        query: Mapping[str, Any] | None,
        timeout: Timeout | UnsetType,
    ) -> httpx.Response:
        text = query_string(query or {})
        url = operation.path_for(path) + (f"?{text}" if text else "")
        return self.send(operation.method, url, headers=operation.accept, timeout=timeout)

    def pages(
        self,
        operation: Operation[T],
        *,
        path: tuple[Ref, ...] = (),
        query: Mapping[str, Any] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[T]:
        """A list, fetched page by page while it is walked."""
        where = operation.path_for(path)
        asked = dict(query or {})

        def fetch(cursor: str | None) -> Page[T]:
            text = query_string(asked if cursor is None else {**asked, "cursor": cursor})
            url = f"{where}?{text}" if text else where
            response = self.send(operation.method, url, headers=operation.accept, timeout=timeout)
            found = decode(operation.page_decoder, response.content)
            for each in found.data:
                each.__dict__["_client"] = self.owner
            return Page(found.data, found.next_cursor, response, fetch)

        return Pager(operation.name, fetch)

    def download(
        self, operation: Operation[Any], *, path: tuple[Ref, ...] = (), timeout: Timeout | UnsetType = UNSET
    ) -> Download:
        """Bytes that are streamed when they are read."""
        url = operation.path_for(path)

        def opened() -> httpx.Response:
            return self.send(operation.method, url, headers=operation.accept, timeout=timeout, stream=True)

        return Download(opened)

    def stream(
        self,
        operation: Operation[T],
        *,
        path: tuple[Ref, ...] = (),
        query: Mapping[str, Any] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> EventStream[T]:
        """Server-sent events, from the moment they are iterated."""
        text = query_string(query or {})
        url = operation.path_for(path) + (f"?{text}" if text else "")

        if isinstance(timeout, UnsetType):
            timeout = longer(self.config.timeout, HEARTBEAT_S)

        def opened(last_event_id: str | None) -> httpx.Response:
            resumed = {} if last_event_id is None else {"last-event-id": last_event_id}
            headers = {**operation.accept, **resumed}
            ask = partial(self.send, operation.method, url, headers=headers, timeout=timeout, stream=True)
            return ask() if last_event_id is None else patiently(self, ask)

        return EventStream(opened, operation.decoder, self.sleep)

    def upload(
        self,
        operation: Operation[T],
        *,
        file: Upload,
        media: str,
        path: tuple[Ref, ...] = (),
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> T:
        """Stream a file as the request's body."""
        url = operation.path_for(path)
        if text := query_string(query or {}):
            url = f"{url}?{text}"
        sent = {**operation.accept, **(headers or {}), "content-type": media}
        if file.size is not None:
            sent["content-length"] = str(file.size)
        if isinstance(timeout, UnsetType) and not self.config.timeout_given:
            timeout = UPLOAD_TIMEOUT
        response = self.send(
            operation.method, url, headers=sent, content=file, idempotency_key=idempotency_key, timeout=timeout
        )
        return self.decoded(operation, response)

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | Upload | None = None,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
        stream: bool = False,
        expect: int | None = None,
    ) -> httpx.Response:
        """Send a request, retry what is worth it, and return the successful response.

        A POST gets one idempotency key for all its tries. `expect` is a status beside 2xx that is no error.
        """
        sent = {**self._headers, **(headers or {})}
        if method == "POST" and "idempotency-key" not in sent:
            sent["idempotency-key"] = idempotency_key or f"py-{os.urandom(16).hex()}"
        if content is not None and "content-type" not in sent:
            sent["content-type"] = "application/json"
        safe = method in SAFE_METHODS or "idempotency-key" in sent
        extensions = self._timeout if timeout is UNSET else {"timeout": httpx.Timeout(timeout).as_dict()}
        url = self.config.base_url + path
        last = self.config.max_retries
        http = self.http
        for attempt in range(last + 1):
            request = _request(http, method, url, sent, content, extensions)
            refused: Mapping[str, str] = {}
            try:
                response = http.send(request, stream=stream, follow_redirects=False)
            except httpx.TransportError as error:
                again = attempt < last and _may_send(content)
                if not (again and (safe or isinstance(error, UNSENT))):
                    raise _unreached(error, method, url) from error
                LOG.debug("%s %s: %s, trying again", method, url, type(error).__name__)
            else:
                status = response.status_code
                LOG.debug("%s %s: %d", method, url, status)
                if 200 <= status < 300 or status == expect:
                    return response
                if stream:
                    response.read()
                    response.close()
                again = attempt < last and _may_send(content)
                if not (again and may_retry(status, response.headers, safe=safe)):
                    raise status_error(failed(response))
                refused = response.headers
            self.sleep(delay_s(attempt, refused, now=time.time(), jitter=random.random()))
        raise AssertionError


def _request(
    http: httpx.Client,
    method: str,
    url: str,
    headers: dict[str, str],
    content: bytes | Upload | None,
    extensions: dict[str, Any],
) -> httpx.Request:
    """One try. A request is cheaper made by itself than by the HTTP client, and the same but for these two."""
    body = content.chunks() if isinstance(content, Upload) else content
    if http.params or http.cookies:
        return http.build_request(method, url, headers=headers, content=body, extensions=extensions)
    return httpx.Request(method, url, headers=headers, content=body, extensions=extensions)


def _may_send(content: bytes | Upload | None) -> bool:
    return content.may_send if isinstance(content, Upload) else True


def _unreached(error: httpx.TransportError, method: str, url: str) -> WhatnextError:
    said = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        return APITimeoutError(f"{method} {url}: no answer in time ({said})")
    return APIConnectionError(f"{method} {url}: {said}")
