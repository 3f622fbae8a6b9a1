"""Eval suites and their items."""

from collections.abc import Sequence
from typing import Any

import msgspec

from whatnext_service.contract.common import Page
from whatnext_service.contract.evaluations import EvalSuite
from whatnext_service.contract.judging import HandGrade, JudgeCalibration
from whatnext_service.core.judge_canaries import CanaryReading
from whatnext_service.core.noise_floor import RegradeNoise
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
    tools: bytes | None = None
    """The tools on offer, as the row gave them."""


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
        suite.judged,
        rows.encode(suite.guardrails),
        suite.regrade_sd,
    )
    await conn.execute(
        sql.insert_items,
        suite.id,
        [item.idx for item in items],
        [rows.encode(item.messages) for item in items],
        [item.reference for item in items],
        [rows.encode(item.item) for item in items],
        ["\x1f".join(item.tags) for item in items],
        [item.tools for item in items],
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


async def item_tags(conn: Conn, suite_id: str) -> tuple[tuple[str, ...], ...]:
    """Each item's tags, in order."""
    return tuple(tuple(row["tags"]) for row in await conn.fetch(sql.item_tags, suite_id))


async def clusters_of(conn: Conn, suite_id: str) -> tuple[int, ...] | None:
    """For each item the number of its source; null when all are independent."""
    found = await conn.fetchval(sql.clusters, suite_id)
    return None if found is None else tuple(found)


async def items_differ(conn: Conn, suite_id: str, other_id: str) -> tuple[int, ...]:
    """The first ten places at which two suites do not ask the same."""
    return tuple(row["idx"] for row in await conn.fetch(sql.items_differ, suite_id, other_id))


async def keep_canaries(conn: Conn, suite_id: str, reading: CanaryReading) -> None:
    """Keep how the judge treated the canaries; the first reading stays."""
    await conn.execute(sql.keep_canaries, suite_id, rows.encode(reading))


async def keep_regrade(conn: Conn, suite_id: str, noise: RegradeNoise) -> None:
    """Keep what grading again changes, unless more gradings were measured before."""
    n_graded = noise.n_items * noise.n_gradings
    await conn.execute(sql.keep_regrade, suite_id, noise.item_sd, rows.encode(noise), n_graded)


async def insert_calibration(conn: Conn, workspace_id: str, new: JudgeCalibration, grades: Sequence[HandGrade]) -> None:
    await conn.execute(
        sql.insert_calibration,
        new.id,
        workspace_id,
        new.suite_id,
        new.dimension,
        rows.encode(grades),
        new.n_grades,
        rows.encode(new.reading),
        new.created_at,
    )


async def list_calibrations(conn: Conn, suite_id: str, cursor: str | None, limit: int) -> Page[JudgeCalibration]:
    return rows.page_of(JudgeCalibration, await conn.fetch(sql.list_calibrations, suite_id, cursor, limit), limit)
