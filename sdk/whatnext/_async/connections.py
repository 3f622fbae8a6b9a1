"""The HTTP client under a client, and under those made of it by `with_options`."""

import os
import threading

import httpx

from whatnext._async.writer import AsyncMetricsWriter


class AsyncConnections:
    """Shared by views of one client. A forked process gets connections of its own.

    Two processes on one connection would read each other's answers. A caller's `http_client` is used as it is.
    """

    def __init__(self, given: object | None) -> None:
        self.owned = given is None
        self.lock = threading.Lock()
        self.writer: AsyncMetricsWriter | None = None
        self._http = httpx.AsyncClient() if given is None else _checked(given)
        self._pid = os.getpid()

    @property
    def http(self) -> httpx.AsyncClient:
        """The HTTP client of this process."""
        if self.owned and self._pid != os.getpid():
            self._http = httpx.AsyncClient()
            self._pid = os.getpid()
        return self._http


def _checked(given: object) -> httpx.AsyncClient:
    if not isinstance(given, httpx.AsyncClient):
        raise TypeError(f"http_client must be an httpx.AsyncClient, not {type(given).__name__}")
    return given
