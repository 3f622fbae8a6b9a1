"""Send logged points in the background, from a thread. Written by hand: its twin in `_async` uses a task."""

import atexit
import logging
import os
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from whatnext._metrics_queue import EXIT_S, INTERVAL_S, MAX_BACKOFF_S, MetricsQueue, refused_for_good
from whatnext._operation import Ref
from whatnext.errors import WaitTimeoutError, WhatnextError

if TYPE_CHECKING:
    from whatnext._sync.transport import Transport

LOG = logging.getLogger("whatnext")


class MetricsWriter:
    """Sends from a thread, which starts with the first point and ends with the program or `close()`."""

    def __init__(self, transport: "Transport") -> None:
        self._transport = transport
        self._begin()
        atexit.register(self.close)

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._queue = MetricsQueue(self._transport.config)
        self._wake, self._rested = threading.Event(), threading.Condition()
        self._stopping = False
        self._failure: WhatnextError | None = None
        self._refusal: WhatnextError | None = None
        self._thread = threading.Thread(target=self._run, name="whatnext-metrics", daemon=True)
        self._thread.start()

    def add(self, run: Ref, step: int, values: Mapping[str, Any]) -> None:
        """Keep a point and return at once; it is on disk."""
        if self._pid != os.getpid():
            self._begin()
        self._queue.add(run, step, values)

    def flush(self, timeout_s: float | None = None) -> None:
        """Send everything now; raises why points were refused, and WaitTimeoutError when time is up.

        A forked process has nothing to send before it has logged: what its parent logged is its parent's.
        """
        if self._pid != os.getpid():
            return
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._rested:
            while self._queue.pending:
                left = 1.0 if deadline is None else deadline - time.monotonic()
                if left <= 0 or not self._thread.is_alive():
                    raise WaitTimeoutError("points are still unsent; they are kept", self._failure)
                self._wake.set()
                self._rested.wait(min(left, 1.0))
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            raise refusal

    def close(self, timeout_s: float = EXIT_S) -> None:
        """Flush, as far as that goes within the time, and end the thread."""
        atexit.unregister(self.close)
        if self._stopping or self._pid != os.getpid():
            return
        try:
            self.flush(timeout_s)
        except WhatnextError as error:
            LOG.warning("%s", error)
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        backoff = 0.0
        while not self._stopping:
            self._wake.wait(max(INTERVAL_S, backoff))
            self._wake.clear()
            backoff = 0.0 if self._drain() else min(max(2 * backoff, 1.0), MAX_BACKOFF_S)
            with self._rested:
                self._rested.notify_all()
        self._queue.close()

    def _drain(self) -> bool:
        """Send what there is; false when the service could not be reached for it."""
        while not self._stopping and (batch := self._queue.batch()) is not None:
            try:
                self._transport.send("POST", f"/v1/runs/{batch.run}/metrics", content=batch.body)
            except WhatnextError as error:
                if not refused_for_good(error, batch):
                    self._failure = error
                    return False
                self._refusal = error
            self._queue.acknowledge(batch)
        return True
