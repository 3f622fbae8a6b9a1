"""Rows to test queries on: each maker stores one and returns its id."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from whatnext_service.contract.loops import NewLoop
from whatnext_service.core.ids import Prefix, new_id
from whatnext_service.core.runs import RunConfig
from whatnext_service.store import loops, runs, workspaces
from whatnext_service.store.db import Conn

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
_PLACES: Iterator[int] = itertools.count(1)


def an_id(prefix: Prefix, at_ms: int | None = None) -> str:
    """Ids sort in the order they are asked for, unless a millisecond is given."""
    place = next(_PLACES)
    return new_id(prefix, place if at_ms is None else at_ms, place.to_bytes(10))


async def a_workspace(conn: Conn, name: str = "ours") -> str:
    return await workspaces.ensure_workspace(conn, an_id("ws"), name, NOW)


async def a_loop(conn: Conn, workspace_id: str, slug: str = "letters") -> str:
    loop_id = an_id("loop")
    assert await loops.insert_loop(conn, workspace_id, loop_id, NewLoop(slug=slug, task="Sort letters."), NOW)
    return loop_id


async def a_run(conn: Conn, workspace_id: str, loop_id: str, *, at_ms: int | None = None, **fields: Any) -> str:
    """A run of the sandbox that is `pending`, unless told otherwise."""
    new = runs.NewRunRow(
        id=an_id("run", at_ms),
        loop_id=loop_id,
        number=await loops.next_run_number(conn, loop_id),
        parent_id=None,
        provider="sandbox",
        status="pending",
        config=RunConfig(base_model="m", dataset_version_id="dsv_1"),
        effective=None,
        changed=(),
        confounded_by=(),
        validation_version_id=None,
        recommendation_id=None,
        note=None,
        created_at=NOW,
        started_at=None,
        finished_at=None,
    )
    new = msgspec.structs.replace(new, **fields)
    await runs.insert_run(conn, workspace_id, new)
    return new.id
