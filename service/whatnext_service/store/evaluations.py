"""Evaluations and their items."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from whatnext_service.contract.common import Page
from whatnext_service.contract.evaluations import DimensionScore, Evaluation, EvaluationItem, ItemError
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


class EvaluationWork(msgspec.Struct, kw_only=True, frozen=True):
    """What the worker needs to know of an evaluation."""

    id: str
    workspace_id: str
    loop_id: str
    suite_id: str
    provider: str | None
    model: str | None
    status: str
    cancel_requested: bool
    version: int
    n_items: int


class PendingItem(msgspec.Struct, kw_only=True, frozen=True):
    """An item that has no result yet."""

    idx: int
    messages: tuple[dict[str, Any], ...]
    reference: str | None
    item: dict[str, Any]
    tags: tuple[str, ...]
    attempts: int
    """How often it was sent before."""


class ItemResult(msgspec.Struct, kw_only=True, frozen=True):
    """What became of an item."""

    idx: int
    output: str | None
    finish_reason: str | None = None
    scores: dict[str, float | None]
    combined: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    latency_s: float | None = None
    error: ItemError | None


class StoredItem(msgspec.Struct, kw_only=True, frozen=True):
    """An item's result as it was stored."""

    idx: int
    output: str | None
    scores: dict[str, float | None]
    combined: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    error: ItemError | None


class EvaluationResult(msgspec.Struct, kw_only=True, frozen=True):
    """The whole evaluation's outcome."""

    status: str
    combined: float | None
    n_done: int
    n_scored: int
    scores: bytes
    dimensions: tuple[DimensionScore, ...]
    prompt_tokens: int | None
    completion_tokens: int | None
    completion_tokens_mean: float | None
    failure: str | None


async def insert_evaluation(conn: Conn, workspace_id: str, new: Evaluation) -> None:
    await conn.execute(
        sql.insert_evaluation,
        new.id,
        workspace_id,
        new.loop_id,
        new.suite_id,
        new.fingerprint,
        new.subject,
        new.base_model,
        new.run_id,
        new.checkpoint_id,
        new.origin,
        new.provider,
        new.model,
        new.status,
        new.n_items,
        new.recommendation_id,
        new.created_at,
    )


async def get_evaluation(conn: Conn, workspace_id: str, evaluation_id: str) -> Evaluation | None:
    row = await conn.fetchrow(sql.get_evaluation, workspace_id, evaluation_id)
    return rows.decode(Evaluation, row) if row else None


async def list_evaluations(
    conn: Conn,
    workspace_id: str,
    cursor: str | None,
    limit: int,
    *,
    loop_ids: Sequence[str] | None,
    statuses: Sequence[str] | None,
    run_ids: Sequence[str] | None,
    suite_ids: Sequence[str] | None,
) -> Page[Evaluation]:
    found = await conn.fetch(sql.list_evaluations, workspace_id, cursor, limit, loop_ids, statuses, run_ids, suite_ids)
    return rows.page_of(Evaluation, found, limit)


async def same_subject(conn: Conn, new: Evaluation) -> Evaluation | None:
    """An open evaluation by the service of the same subject with the same suite."""
    row = await conn.fetchrow(
        sql.same_subject, new.loop_id, new.suite_id, new.subject, new.base_model, new.run_id, new.checkpoint_id
    )
    return rows.decode(Evaluation, row) if row else None


async def lock_work(conn: Conn, evaluation_id: str) -> EvaluationWork | None:
    row = await conn.fetchrow(sql.lock_work, evaluation_id)
    return rows.decode(EvaluationWork, row) if row else None


async def start(conn: Conn, evaluation_id: str, now: datetime) -> int | None:
    version: int | None = await conn.fetchval(sql.start, evaluation_id, now)
    return version


async def unfinished_items(conn: Conn, evaluation_id: str, suite_id: str) -> tuple[PendingItem, ...]:
    """The items that still lack a result, in order."""
    found = await conn.fetch(sql.unfinished_items, evaluation_id, suite_id)
    return tuple(rows.decode(PendingItem, row) for row in found)


async def intend_item(conn: Conn, evaluation_id: str, idx: int, now: datetime) -> None:
    """Record that an item is about to be sent."""
    await conn.execute(sql.intend_item, evaluation_id, idx, now)


async def finish_item(conn: Conn, evaluation_id: str, result: ItemResult, now: datetime) -> bool:
    """Store an item's result; false when there was one already, which stays."""
    stored = await conn.fetchval(
        sql.finish_item,
        evaluation_id,
        result.idx,
        now,
        result.output,
        result.finish_reason,
        rows.encode(result.scores),
        result.combined,
        result.prompt_tokens,
        result.completion_tokens,
        result.latency_s,
        rows.encode(result.error) if result.error else None,
    )
    return stored is not None


async def count_done(conn: Conn, evaluation_id: str, now: datetime) -> int | None:
    """Show progress: count the finished items into the evaluation."""
    version: int | None = await conn.fetchval(sql.count_done, evaluation_id, now)
    return version


async def item_results(conn: Conn, evaluation_id: str) -> tuple[StoredItem, ...]:
    return tuple(rows.decode(StoredItem, row) for row in await conn.fetch(sql.item_results, evaluation_id))


async def finish(conn: Conn, evaluation_id: str, result: EvaluationResult, now: datetime) -> int | None:
    """Close an evaluation; null when it was closed already."""
    version: int | None = await conn.fetchval(
        sql.finish,
        evaluation_id,
        result.status,
        result.combined,
        result.n_done,
        result.n_scored,
        result.scores,
        rows.encode(result.dimensions),
        result.prompt_tokens,
        result.completion_tokens,
        result.completion_tokens_mean,
        result.failure,
        now,
    )
    return version


async def list_items(
    conn: Conn, evaluation: Evaluation, after: int, limit: int
) -> tuple[tuple[EvaluationItem, ...], bool]:
    """Items from a place in the suite on, and whether there are more."""
    found = await conn.fetch(sql.list_items, evaluation.id, evaluation.suite_id, after, limit)
    return tuple(rows.decode(EvaluationItem, row) for row in found[:limit]), len(found) > limit


async def item_scores(conn: Conn, evaluation_id: str) -> bytes:
    """Packed per-item scores (see `core.evaluations.pack_scores`)."""
    packed: bytes = await conn.fetchval(sql.item_scores, evaluation_id)
    return packed


async def neglected(conn: Conn, before: datetime) -> tuple[str, ...]:
    """Evaluations by the service that nobody has worked on since `before`."""
    return tuple(row["id"] for row in await conn.fetch(sql.neglected, before))
