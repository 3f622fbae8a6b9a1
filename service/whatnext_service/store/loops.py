"""Loops."""

from datetime import datetime

from whatnext_service.contract.common import Page
from whatnext_service.contract.loops import Loop, NewLoop
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


async def insert_loop(conn: Conn, workspace_id: str, loop_id: str, new: NewLoop, now: datetime) -> bool:
    """Store a new loop; false when the slug is taken."""
    inserted = await conn.fetchval(
        sql.insert_loop,
        loop_id,
        workspace_id,
        new.slug,
        new.task,
        rows.encode(new.metric),
        rows.encode(new.rules),
        rows.encode(new.budget),
        rows.encode(new.choices),
        new.autopilot,
        new.dataset_id,
        new.validation_version_id,
        now,
        rows.encode(new.thresholds.overrides),
    )
    return inserted is not None


async def get_loop(conn: Conn, workspace_id: str, ref: str) -> Loop | None:
    """A loop by id or slug."""
    row = await conn.fetchrow(sql.get_loop, workspace_id, ref)
    return rows.decode(Loop, row) if row else None


async def lock_loop(conn: Conn, workspace_id: str, ref: str) -> Loop | None:
    """A loop by id or slug, held against other writers until the transaction ends."""
    row = await conn.fetchrow(sql.lock_loop, workspace_id, ref)
    return rows.decode(Loop, row) if row else None


async def list_loops(conn: Conn, workspace_id: str, cursor: str | None, limit: int) -> Page[Loop]:
    return rows.page_of(Loop, await conn.fetch(sql.list_loops, workspace_id, cursor, limit), limit)


async def update_loop(conn: Conn, workspace_id: str, loop: Loop, now: datetime) -> None:
    """Write a loop's mutable fields and count its version."""
    await conn.execute(
        sql.update_loop,
        workspace_id,
        loop.id,
        loop.task,
        rows.encode(loop.rules),
        rows.encode(loop.budget),
        rows.encode(loop.choices),
        loop.autopilot,
        loop.dataset_id,
        loop.validation_version_id,
        now,
        rows.encode(loop.thresholds.overrides),
    )


async def set_baseline(conn: Conn, workspace_id: str, loop_id: str, evaluation_id: str, now: datetime) -> None:
    await conn.execute(sql.set_baseline, workspace_id, loop_id, evaluation_id, now)


async def attach_dataset(conn: Conn, workspace_id: str, loop_id: str, dataset_id: str, now: datetime) -> None:
    """Make a dataset the loop's training dataset, unless it has one."""
    await conn.execute(sql.attach_dataset, workspace_id, loop_id, dataset_id, now)


async def next_run_number(conn: Conn, loop_id: str) -> int:
    """The number of the run about to be stored; the loop's row lock keeps numbers without gaps."""
    number: int = await conn.fetchval(sql.next_run_number, loop_id)
    return number


async def bump_state(conn: Conn, loop_id: str, now: datetime) -> int:
    """Count a change that may alter the advice; returns the new state version."""
    version: int = await conn.fetchval(sql.bump_state, loop_id, now)
    return version


async def loops_of_dataset(conn: Conn, dataset_id: str) -> tuple[str, ...]:
    """Ids of the loops that train on a dataset."""
    return tuple(row["id"] for row in await conn.fetch(sql.loops_of_dataset, dataset_id))


async def lock_loops_of_dataset(conn: Conn, dataset_id: str) -> None:
    """Hold the loops that train on a dataset against other writers until the transaction ends."""
    await conn.fetch(sql.lock_loops_of_dataset, dataset_id)


async def stored_answer(conn: Conn, loop_id: str, rules_version: str) -> bytes | None:
    """The answer to "what next?" computed for the loop's present state, if it was."""
    body: bytes | None = await conn.fetchval(sql.stored_answer, loop_id, rules_version)
    return body


async def keep_answer(conn: Conn, loop_id: str, state_version: int, rules_version: str, body: bytes) -> None:
    """Keep the answer, unless the state has moved on."""
    await conn.execute(sql.keep_answer, loop_id, state_version, rules_version, body)


async def workspace_of(conn: Conn, loop_id: str) -> str:
    workspace_id: str = await conn.fetchval(sql.workspace_of, loop_id)
    return workspace_id


async def past_deadline(conn: Conn, now: datetime) -> tuple[tuple[str, str], ...]:
    """Loops (id, workspace) whose deadline has passed since their state last changed."""
    return tuple((row["id"], row["workspace_id"]) for row in await conn.fetch(sql.past_deadline, now))
