"""The embedded database: a real Postgres that lives and dies with the processes that use it.

Whoever holds the folder's lock owns the server and restarts it when it dies; every other process that names the same
folder attaches, and takes over when the owner leaves.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import threading
from types import TracebackType
from typing import IO

import asyncpg

from whatnext_service.store.postgres_cluster import Cluster, EmbeddedSettings
from whatnext_service.store.postgres_host import EmbeddedPostgresError

_TICK_S = 0.05
_LONGEST_PAUSE_S = 5.0
_START_ATTEMPTS = 5
_log = logging.getLogger(__name__)


class EmbeddedPostgres:
    """`async with EmbeddedPostgres(settings) as dsn:`, or `start` and `stop`."""

    def __init__(self, settings: EmbeddedSettings) -> None:
        self._settings = settings
        self._cluster = Cluster(settings)
        self._lock: IO[bytes] | None = None
        self._owner = False
        self._closed = True
        # Held around every blocking call, so that `stop` waits for a launch whose awaiting task was cancelled.
        self._busy = threading.Lock()
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def owner(self) -> bool:
        """Whether this process runs the server; false while it is attached to another's."""
        return self._owner

    async def start(self) -> str:
        """Return the DSN of a server that answers; raises EmbeddedPostgresError when there cannot be one."""
        if self._supervisor is not None:
            return self._cluster.dsn
        self._closed = False
        try:
            async with asyncio.timeout(self._settings.start_timeout_s):
                await self._until_it_answers()
        except TimeoutError:
            await self.stop()
            raise EmbeddedPostgresError(
                f"Postgres did not answer within {self._settings.start_timeout_s:g} s:\n{self._cluster.log_tail()}"
            ) from None
        except BaseException:
            await self.stop()
            raise
        self._supervisor = asyncio.create_task(self._supervise(), name="embedded-postgres")
        return self._cluster.dsn

    async def stop(self) -> None:
        """Leave; as owner, stop the server first. Processes that stay take over."""
        self._closed = True
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        await asyncio.to_thread(self._leave)

    async def __aenter__(self) -> str:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _until_it_answers(self) -> None:
        launches = 0
        while True:
            launches += await asyncio.to_thread(self._ensure)
            if await self._answers():
                return
            if launches > _START_ATTEMPTS:
                raise EmbeddedPostgresError("Postgres does not start:\n" + self._cluster.log_tail())
            await asyncio.sleep(_TICK_S)

    async def _supervise(self) -> None:
        pause_s = _TICK_S
        while True:
            await asyncio.sleep(pause_s)
            try:
                launched = await asyncio.to_thread(self._ensure)
                if launched:
                    _log.warning("the embedded Postgres had stopped; this process started it again")
            except (EmbeddedPostgresError, OSError) as error:
                launched = True
                _log.error("the embedded Postgres cannot be started: %s", error)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S) if launched else _TICK_S

    def _ensure(self) -> bool:
        """Become the owner if nobody is; as owner, launch the server if it is down; tell whether it was."""
        with self._busy:
            if self._closed or not self._try_to_own() or self._cluster.running:
                return False
            self._cluster.launch()
            return True

    def _try_to_own(self) -> bool:
        if self._owner:
            return True
        if self._lock is None:
            root = self._settings.root.expanduser()
            try:
                root.mkdir(parents=True, exist_ok=True, mode=0o755 if os.geteuid() == 0 else 0o700)
                self._lock = (root / "owner.lock").open("ab")
            except OSError as error:
                raise EmbeddedPostgresError(f"{root} cannot hold a database: {error.strerror}") from error
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._owner = True
        return self._owner

    def _leave(self) -> None:
        with self._busy:
            self._cluster.halt()
            self._owner = False
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    async def _answers(self) -> bool:
        try:
            conn = await asyncpg.connect(self._cluster.dsn, timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await conn.close()
        return True
