"""Wakes whoever waits for something to move: one LISTEN connection a process, fanned out in memory."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable

import asyncpg

CHANNEL = "whatnext"
RECONNECT_S = 1.0


class Bell:
    """A notification is only a hint: whoever wakes reads again."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self.ring_all()

    @property
    def n_waiting(self) -> int:
        """How many are waiting now."""
        return sum(len(futures) for futures in self._waiting.values())

    def listen(self, subject_id: str) -> asyncio.Future[None]:
        """A future that is done when the subject, or the loop of that id, moves; give it back with `forget`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[subject_id].add(future)
        return future

    def forget(self, subject_id: str, future: asyncio.Future[None]) -> None:
        self._waiting[subject_id].discard(future)
        if not self._waiting[subject_id]:
            del self._waiting[subject_id]

    def _heard(self, _conn: object, _pid: int, _channel: str, payload: object) -> None:
        workspace_id, subject_id, loop_id = str(payload).split(" ")
        for name in (workspace_id, subject_id, loop_id):
            self._ring(name)

    def _ring(self, name: str) -> None:
        for future in self._waiting.get(name, ()):
            if not future.done():
                future.set_result(None)

    def ring_all(self) -> None:
        """Wake everyone."""
        for name in tuple(self._waiting):
            self._ring(name)

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                conn = await asyncpg.connect(self._dsn, server_settings={"application_name": "whatnext-bell"})
                lost = asyncio.Event()
                conn.add_termination_listener(_on_loss(lost))
                await conn.add_listener(CHANNEL, self._heard)
                self.ring_all()
                try:
                    await lost.wait()
                finally:
                    await conn.close()
            await asyncio.sleep(RECONNECT_S)


def _on_loss(lost: asyncio.Event) -> Callable[[object], None]:
    def tell(_conn: object) -> None:
        lost.set()

    return tell
