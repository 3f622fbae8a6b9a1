"""Eval suites and their items."""

from collections.abc import Sequence
from typing import Any

import msgspec

from whatnext_service.contract.common import Page
from whatnext_service.contract.evaluations import EvalSuite
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


class SuiteItem(msgspec.Struct, kw_only=True, frozen=True):
    """One held-out item: the prompt, the reference answer, and the fields graders read as `{{item.*}}`."""

    idx: int
    messages: tuple[dict[str, Any], ...]
    reference: str | None
    item: dict[str, Any]
    tags: tuple[str, ...]


class SuitePrompts(msgspec.Struct, kw_only=True, frozen=True):
    """The hashes of a suite's prompts, to find overlaps with training data."""

    id: str
    name: str
    role: str
    prompt_hashes: bytes


async def insert_suite(
    conn: Conn,
    workspace_id: str,
    suite: EvalSuite,
    items: Sequence[SuiteItem],
    *,
    is_binary: bool,
    clusters: Sequence[int] | None,
    prompt_hashes: bytes,
) -> None:
    await conn.execute(
        sql.insert_suite,
        suite.id,
        workspace_id,
        suite.loop_id,
        suite.name,
        suite.role,
        suite.dataset_version_id,
        rows.encode(suite.graders),
        rows.encode(suite.sampling),
        rows.encode(suite.scale),
        suite.fingerprint,
        suite.n_items,
        is_binary,
        clusters,
        prompt_hashes,
        suite.created_at,
    )
    await conn.execute(
        sql.insert_items,
        suite.id,
        [item.idx for item in items],
        [rows.encode(item.messages) for item in items],
        [item.reference for item in items],
        [rows.encode(item.item) for item in items],
        ["\x1f".join(item.tags) for item in items],
    )


async def get_suite(conn: Conn, workspace_id: str, suite_id: str) -> EvalSuite | None:
    row = await conn.fetchrow(sql.get_suite, workspace_id, suite_id)
    return rows.decode(EvalSuite, row) if row else None


async def list_suites(
    conn: Conn, workspace_id: str, cursor: str | None, limit: int, *, loop_ids: Sequence[str] | None
) -> Page[EvalSuite]:
    return rows.page_of(EvalSuite, await conn.fetch(sql.list_suites, workspace_id, cursor, limit, loop_ids), limit)


async def count_look(conn: Conn, suite_id: str) -> None:
    """Count one more evaluation that has seen the suite."""
    await conn.execute(sql.count_look, suite_id)


async def suites_of_loop(conn: Conn, loop_id: str) -> tuple[SuitePrompts, ...]:
    return tuple(rows.decode(SuitePrompts, row) for row in await conn.fetch(sql.suites_of_loop, loop_id))


async def items_of(conn: Conn, suite_id: str) -> tuple[SuiteItem, ...]:
    """The suite's items in order."""
    return tuple(rows.decode(SuiteItem, row) for row in await conn.fetch(sql.items, suite_id))
