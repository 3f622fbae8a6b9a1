"""What every flow is given: the services, built once, and the transaction of one request or job."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from whatnext_service.contract.webhooks import WebhookMessage, WebhookSubject
from whatnext_service.core.ids import Prefix, new_id
from whatnext_service.core.state import BaseModel
from whatnext_service.providers.port import EmbeddingModels, Poster, ServedModels, TrainingPlatform
from whatnext_service.store import events, loops, webhooks
from whatnext_service.store.bell import Bell
from whatnext_service.store.db import Conn, Pool
from whatnext_service.store.transaction import transaction

Task = Literal[
    "move_run", "evaluate", "advise", "delete_model", "deliver", "report_quality", "judge_rows", "group_failures"
]


class Defer(Protocol):
    """Enqueue a job in the caller's transaction; a job already waiting for the same subject is enough."""

    def __call__(self, conn: Conn, task: Task, subject_id: str, *, delay_s: float = 0.0) -> Awaitable[None]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Judge:
    """The model that grades where a grader needs one."""

    models: ServedModels
    model: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Embeddings:
    """The model whose vectors tell how alike texts are, where a grader names no other."""

    models: EmbeddingModels
    model: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """A training platform, the models it serves, and how often a running job is looked at."""

    platform: TrainingPlatform
    models: ServedModels
    poll_interval_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """Everything with a connection or a clock behind it."""

    pool: Pool
    bell: Bell
    clock: Callable[[], datetime]
    randomness: Callable[[int], bytes]
    defer: Defer
    providers: Mapping[str, Provider]
    default_provider: str
    judge: Judge | None
    embeddings: Embeddings | None
    poster: Poster
    catalogue: tuple[BaseModel, ...]
    evaluation_concurrency: int

    @asynccontextmanager
    async def begin(self, workspace_id: str, loop_id: str | None = None) -> AsyncIterator["Tx"]:
        """One transaction for one workspace: what it changed and what it tells is written at its end, or not at all.

        Rows are locked in one order, so that no two transactions wait for each other: a loop, then what belongs to it,
        the workspace last. Who writes to what belongs to a loop and moves the loop by it names the loop here.
        """
        async with transaction(self.pool) as conn:
            if loop_id is not None:
                await loops.lock_loop(conn, workspace_id, loop_id)
            places = itertools.count(int.from_bytes(self.randomness(10)) >> 1)
            tx = Tx(services=self, conn=conn, workspace_id=workspace_id, now=self.clock(), _places=places)
            yield tx
            await tx.close()

    def id_at(self, prefix: Prefix, now: datetime) -> str:
        return new_id(prefix, int(now.timestamp() * 1000), self.randomness(10))


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """An event about to be appended."""

    type: str
    loop_id: str | None
    subject_id: str
    version: int

    def payload(self, now: datetime) -> bytes:
        """What a webhook is told."""
        subject = WebhookSubject(id=self.subject_id, loop_id=self.loop_id, version=self.version)
        return msgspec.json.encode(WebhookMessage(type=self.type, timestamp=now, data=subject))


@dataclass(frozen=True, kw_only=True, slots=True)
class Tx:
    """A transaction in the name of one workspace."""

    services: Services
    conn: Conn
    workspace_id: str
    now: datetime
    _places: Iterator[int]
    _notices: list[Notice] = field(default_factory=list)
    _moved_loops: dict[str, None] = field(default_factory=dict)

    def new_id(self, prefix: Prefix) -> str:
        """An id; those of one transaction, which are of one moment, sort in the order they were made."""
        return new_id(prefix, int(self.now.timestamp() * 1000), next(self._places).to_bytes(10))

    def tell(self, type: str, subject_id: str, version: int, *, loop_id: str | None = None) -> None:
        """Append an event to the workspace's log when the transaction ends."""
        self._notices.append(Notice(type=type, loop_id=loop_id, subject_id=subject_id, version=version))

    def loop_moved(self, loop_id: str) -> None:
        """Something the loop's advice rests on changed: its state version is counted once when the transaction ends."""
        self._moved_loops[loop_id] = None

    async def defer(self, task: Task, subject_id: str, *, delay_s: float = 0.0) -> None:
        await self.services.defer(self.conn, task, subject_id, delay_s=delay_s)

    async def close(self) -> None:
        """Write what is due at the end, once: loops in order of id, and the workspace's row last. A flow may call it
        before its last reading, to answer with what it wrote."""
        for loop_id in sorted(self._moved_loops):
            version = await loops.bump_state(self.conn, loop_id, self.now)
            await self.services.defer(self.conn, "advise", loop_id)
            self.tell("loop.moved", loop_id, version, loop_id=loop_id)
        for notice in self._notices:
            event_id = self.new_id("evt")
            await events.append(
                self.conn,
                id=event_id,
                workspace_id=self.workspace_id,
                type=notice.type,
                loop_id=notice.loop_id,
                subject_id=notice.subject_id,
                version=notice.version,
                now=self.now,
            )
            for endpoint_id in await webhooks.endpoints_for(self.conn, self.workspace_id, notice.type):
                delivery_id = self.new_id("whd")
                await webhooks.insert_delivery(
                    self.conn,
                    self.workspace_id,
                    delivery_id,
                    endpoint_id,
                    event_id,
                    notice.type,
                    notice.payload(self.now),
                    self.now,
                )
                await self.services.defer(self.conn, "deliver", delivery_id)
        self._moved_loops.clear()
        self._notices.clear()
