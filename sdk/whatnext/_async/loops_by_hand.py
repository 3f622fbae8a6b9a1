"""What `client.loops` has besides its operations."""

import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from whatnext import models
from whatnext._async.follow import follow
from whatnext._async.waiting import changes
from whatnext._operation import Operation, Ref
from whatnext._progress import Progress, Step
from whatnext.errors import WaitTimeoutError

if TYPE_CHECKING:
    from whatnext.aio import AsyncClient


class AsyncLoopsByHand:
    """Waiting for advice, and following it."""

    _client: "AsyncClient"

    async def wait_next(
        self, loop: Ref, *, after: models.Answer | None = None, timeout_s: float | None = None
    ) -> models.Answer:
        """The next answer that is not `wait`; with `after`, the next one that differs from that answer.

        WaitTimeoutError at `timeout_s`; its `last` is the answer that held until then.

        >>> client.loops.wait_next("support-bot", timeout_s=60).action.kind
        'start_run'
        """
        last = after
        operation = Operation("loops.next", "GET", "/v1/loops/{loop}/next", models.Answer)
        async for answer in changes(self._client.transport, operation, loop, since=after, timeout_s=timeout_s):
            if answer is None:
                continue
            last = answer
            if after is not None or answer.action.kind != "wait":
                return answer
        raise WaitTimeoutError(f"no other advice for {loop} within {timeout_s:g} s", last)

    def follow(
        self,
        loop: Ref,
        *,
        timeout_s: float | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        approve: Callable[[models.Answer], bool] | None = None,
    ) -> AsyncIterator[Step]:
        """Drive a loop: ask what is next, carry it out, again and again, until it ends or a person must act.

        Each step is yielded after it was carried out; the last one (`ship`, `stop`, `review`, or anything without
        a request) is yielded and left to you: `client.carry_out(step.answer)` ships. What is waited for is one step,
        however long it takes; `on_progress` is told how it is doing. `approve` may refuse an answer before it is
        carried out, which ends the iteration. All state is in the service: stop at any time, and follow again, from
        anywhere. A service that goes away for some minutes is waited for, unless the client has `max_retries=0`.
        WaitTimeoutError at `timeout_s`.

        >>> for step in client.loops.follow("support-bot", timeout_s=3600):
        ...     print(step.kind, "-", step.headline)
        start_run - Train again with learning-rate multiplier 0.5.
        ship - Ship R2.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        return follow(self._client, loop, deadline=deadline, on_progress=on_progress, approve=approve)
