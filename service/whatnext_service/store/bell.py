"""Wakes whoever waits for something to move: one LISTEN connection a process, fanned out in memory."""

import asyncio
import contextlib
from collections import defaultdict
from typing import TypeAlias

import asyncpg

CHANNEL = "whatnext"
RECONNECT_S = 1.0
PROBE_S = 10.0
"""How often the connection is tried, and how long it may take to answer: a network that went away says nothing."""
_LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
_Conn: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class Bell:
    """A notification is only a hint: whoever wakes reads again.

    Notifications are lost while the connection is: everyone is woken once it stands again.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen from now on; raises what connecting does."""
        self._task = asyncio.create_task(self._listen(await self._connect()))

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

    def ring_all(self) -> None:
        """Wake everyone."""
        for name in tuple(self._waiting):
            self._ring(name)

    def _ring(self, name: str) -> None:
        for future in self._waiting.get(name, ()):
            if not future.done():
                future.set_result(None)

    def _heard(self, _conn: object, _pid: int, _channel: str, payload: object) -> None:
        for name in str(payload).split(" "):
            self._ring(name)

    async def _listen(self, conn: _Conn) -> None:
        while True:
            try:
                await self._until_lost(conn)
            finally:
                conn.terminate()
            conn = await self._reconnect()
            self.ring_all()

    async def _until_lost(self, conn: _Conn) -> None:
        lost = asyncio.Event()
        conn.add_termination_listener(lambda _conn: lost.set())
        with contextlib.suppress(*_LOST):
            while not conn.is_closed():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), PROBE_S)
                await conn.execute("select", timeout=PROBE_S)

    async def _reconnect(self) -> _Conn:
        while True:
            await asyncio.sleep(RECONNECT_S)
            with contextlib.suppress(*_LOST):
                return await self._connect()

    async def _connect(self) -> _Conn:
        settings = {"application_name": "whatnext-bell"}
        conn = await asyncpg.connect(self._dsn, timeout=PROBE_S, server_settings=settings)
        await conn.add_listener(CHANNEL, self._heard)
        return conn
