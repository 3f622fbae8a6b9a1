"""Send logged points in the background, from a task. Written by hand: its twin in `_sync` uses a thread."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from whatnext._metrics_queue import EXIT_S, INTERVAL_S, MAX_BACKOFF_S, MetricsQueue, refused_for_good
from whatnext._operation import Ref
from whatnext.errors import WaitTimeoutError, WhatnextError

if TYPE_CHECKING:
    from whatnext._async.transport import AsyncTransport

LOG = logging.getLogger("whatnext")


class AsyncMetricsWriter:
    """Sends from a task of the event loop; what is unsent when the loop ends is sent by the next writer."""

    def __init__(self, transport: "AsyncTransport") -> None:
        self._transport = transport
        self._queue = MetricsQueue(transport.config)
        self._one_at_a_time = asyncio.Lock()
        self._failure: WhatnextError | None = None
        self._refusal: WhatnextError | None = None
        self._task: asyncio.Task[None] | None = None

    def add(self, run: Ref, step: int, values: Mapping[str, Any]) -> None:
        """Keep a point and return at once; it is on disk."""
        self._queue.add(run, step, values)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def flush(self, timeout_s: float | None = None) -> None:
        """Send everything now; raises why points were refused, and WaitTimeoutError when time is up."""
        try:
            async with asyncio.timeout(timeout_s):
                while not await self._drain():  # noqa: ASYNC110
                    await asyncio.sleep(1.0)
        except TimeoutError:
            raise WaitTimeoutError("points are still unsent; they are kept", self._failure) from None
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            raise refusal

    async def aclose(self, timeout_s: float = EXIT_S) -> None:
        """Flush, as far as that goes within the time, and end the task."""
        try:
            await self.flush(timeout_s)
        except WhatnextError as error:
            LOG.warning("%s", error)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._queue.close()

    async def _run(self) -> None:
        backoff = 0.0
        while True:
            await asyncio.sleep(max(INTERVAL_S, backoff))
            backoff = 0.0 if await self._drain() else min(max(2 * backoff, 1.0), MAX_BACKOFF_S)

    async def _drain(self) -> bool:
        async with self._one_at_a_time:
            while (batch := self._queue.batch()) is not None:
                try:
                    await self._transport.send("POST", f"/v1/runs/{batch.run}/metrics", content=batch.body)
                except WhatnextError as error:
                    if not refused_for_good(error, batch):
                        self._failure = error
                        return False
                    self._refusal = error
                self._queue.acknowledge(batch)
            return True
