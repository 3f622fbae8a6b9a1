# ruff: noqa: ASYNC109
"""What a client is besides its resources."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import httpx
import msgspec
from msgspec import UNSET, UnsetType

from whatnext import models
from whatnext._async.connections import AsyncConnections
from whatnext._async.transport import AsyncTransport
from whatnext._async.writer import AsyncMetricsWriter
from whatnext._config import DEFAULT_MAX_RETRIES, HTTPX_TIMEOUT, Config, Timeout, make_config
from whatnext._literal_call import checked_path, operation_of
from whatnext._operation import Operation, Ref
from whatnext._progress import Progress, Step
from whatnext.errors import NothingToCarryOutError

if TYPE_CHECKING:
    from whatnext.aio import AsyncClient


class AsyncBaseClient:
    """Connects to the service. Use it in `with`, or call `aclose()`."""

    operations: ClassVar[tuple[Operation[Any], ...]] = ()

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
        max_retries: int = DEFAULT_MAX_RETRIES,
        headers: Mapping[str, str] | None = None,
        http_client: httpx.AsyncClient | None = None,
        spool_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        """`api_key` and `base_url` are taken from WHATNEXT_API_KEY and WHATNEXT_BASE_URL where they are not given.

        `timeout` is in seconds (or an httpx.Timeout; None waits for ever). `http_client` is used as it is, with its
        timeout unless one is given here, and is not closed; without one, proxies are taken from the environment as
        httpx does. `spool_dir` is where logged metrics wait until the service has them.
        """
        connections = AsyncConnections(http_client)
        if isinstance(timeout, UnsetType) and connections.http.timeout != HTTPX_TIMEOUT:
            timeout = connections.http.timeout
        config = make_config(
            os.environ,
            api_key=api_key,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            headers=headers,
            spool_dir=None if spool_dir is None else os.fspath(spool_dir),
        )
        self._root = True
        self._use(config, connections)

    def _use(self, config: Config, connections: AsyncConnections) -> None:
        self._connections = connections
        self.transport = AsyncTransport(config, connections)
        self.transport.owner = self

    @property
    def base_url(self) -> str:
        """Where the service is, without a slash at the end."""
        return self.transport.config.base_url

    def with_options(
        self,
        *,
        timeout: Timeout | UnsetType = UNSET,
        max_retries: int | UnsetType = UNSET,
        headers: Mapping[str, str] | UnsetType = UNSET,
    ) -> Self:
        """The same client with other settings, on the same connections; `headers` are added.

        >>> client.with_options(timeout=5, max_retries=0).loops.get("support-bot").slug
        'support-bot'
        """
        config = self.transport.config
        if not isinstance(timeout, UnsetType):
            config = msgspec.structs.replace(config, timeout=timeout, timeout_given=True)
        if not isinstance(max_retries, UnsetType):
            config = msgspec.structs.replace(config, max_retries=max_retries)
        if not isinstance(headers, UnsetType):
            config = msgspec.structs.replace(config, headers={**config.headers, **headers})
        made = object.__new__(type(self))
        made._root = False
        made._use(config, self._connections)
        made.transport.sleep = self.transport.sleep
        return made

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: object = UNSET,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> httpx.Response:
        """Send any request to the service, with retries and errors as everywhere; the raw response.

        >>> client.request("GET", "/v1/loops/support-bot/next").headers["content-type"]
        'application/json'
        """
        return await self.transport.send(
            method.upper(),
            checked_path(path),
            headers=headers,
            content=None if body is UNSET or body is None else msgspec.json.encode(body),
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    async def execute(self, request: models.Request | Mapping[str, Any], *, idempotency_key: str | None = None) -> Any:
        """Send the literal call that an answer names (`action.request`): the resource that came of it.

        A call that this version of the package does not know comes back as plain data.

        >>> answer = client.loops.next("support-bot")
        >>> client.execute(answer.action.request).status
        'queued'
        """
        call = request if isinstance(request, models.Request) else msgspec.convert(request, models.Request)
        method, path = call.method.upper(), checked_path(call.path)
        response = await self.request(method, path, body=call.body, idempotency_key=idempotency_key)
        operation = operation_of(self.operations, method, path)
        if operation is not None:
            return self.transport.decoded(operation, response)
        return msgspec.json.decode(response.content) if response.content else None

    async def carry_out(self, answer: models.Answer) -> Any:
        """Do what an answer advises, once: the same answer carried out again is not done again.

        The idempotency key is made from the answer, so this holds over crashes and between processes for a day.
        NothingToCarryOutError where a person must act.
        """
        request = answer.action.request
        if request is None:
            raise NothingToCarryOutError(f"{answer.action.kind} names no request: {answer.headline}")
        key = f"carry-out.{answer.loop_id}.{answer.state_version}.{answer.action.recommendation_id}"
        return await self.execute(request, idempotency_key=key)

    def follow(
        self,
        loop: Ref,
        *,
        timeout_s: float | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        approve: Callable[[models.Answer], bool] | None = None,
    ) -> AsyncIterator[Step]:
        """Drive a loop until it ends or a person must act; see `client.loops.follow`.

        >>> [step.kind for step in client.follow("support-bot")]
        ['start_run', 'ship']
        """
        loops = cast("AsyncClient", self).loops
        return loops.follow(loop, timeout_s=timeout_s, on_progress=on_progress, approve=approve)

    def metrics_writer(self) -> AsyncMetricsWriter:
        """What sends logged metrics; made with the first one."""
        shared = self._connections
        with shared.lock:
            if shared.writer is None:
                shared.writer = AsyncMetricsWriter(self.transport)
            return shared.writer

    async def aclose(self) -> None:
        """Send what was logged, and close the connections unless they belong to a given `http_client`."""
        shared = self._connections
        if not self._root:
            return
        if shared.writer is not None:
            await shared.writer.aclose()
            shared.writer = None
        if shared.owned:
            await shared.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"
