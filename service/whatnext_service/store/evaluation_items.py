"""The items of evaluations: intended, answered, graded; always many in one statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from whatnext_service.contract.evaluations import Evaluation, EvaluationItem, ItemError, Judgement
from whatnext_service.contract.judging import MissingItem
from whatnext_service.core.early_end import Spent
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


class PendingItem(msgspec.Struct, kw_only=True, frozen=True):
    """An item that has no result yet."""

    idx: int
    messages: tuple[dict[str, Any], ...]
    reference: str | None
    item: dict[str, Any]
    tools: bytes | None
    attempts: int
    """How often it was sent before."""
    answered: bool
    """Whether the answer below is stored already, so that only the grading is left."""
    output: str | None
    finish_reason: str | None
    tool_calls: bytes | None
    prompt_tokens: int | None
    completion_tokens: int | None
    latency_s: float | None


class ItemAnswer(msgspec.Struct, kw_only=True, frozen=True):
    """What the model under test answered."""

    idx: int
    output: str
    finish_reason: str | None
    tool_calls: bytes | None
    prompt_tokens: int | None
    completion_tokens: int | None
    latency_s: float | None
    n_repeats: int
    """How often it was asked again before it answered."""


class ItemResult(msgspec.Struct, kw_only=True, frozen=True):
    """What became of an item's grading, or why there was nothing to grade."""

    idx: int
    scores: dict[str, float | None]
    combined: float | None
    gradings: tuple[float, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    judge_prompt_tokens: int = 0
    judge_completion_tokens: int = 0
    embedding_tokens: int = 0
    n_repeats: int = 0
    error: ItemError | None = None


class StoredItem(msgspec.Struct, kw_only=True, frozen=True):
    """An item's figures as they were stored."""

    idx: int
    scores: dict[str, float | None]
    combined: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    latency_s: float | None
    error: ItemError | None
    attempts: int
    gradings: tuple[float, ...]


class RegisteredRow(msgspec.Struct, kw_only=True, frozen=True):
    """An item measured elsewhere."""

    idx: int
    output: str | None
    score: float | None
    completion_tokens: int | None
    error: ItemError | None = None


async def without_waiting(conn: Conn) -> None:
    """Let the present transaction commit without waiting for the disk.

    A killed worker loses nothing by it. A crash of the database may lose the last half second, and those items are
    asked again, under the same keys; closing the evaluation waits for the disk, and with that for all before it.
    """
    await conn.fetchval(sql.without_waiting)


async def unfinished_items(conn: Conn, evaluation_id: str, suite_id: str, *, regraded: bool) -> tuple[PendingItem, ...]:
    """The items that still lack a result, in order; of a regraded evaluation only those whose answer was taken over."""
    found = await conn.fetch(sql.unfinished_items, evaluation_id, suite_id, regraded)
    return tuple(rows.decode(PendingItem, row) for row in found)


async def intend(conn: Conn, evaluation_id: str, places: Sequence[int], now: datetime) -> None:
    """Record that items are about to be sent."""
    await conn.execute(sql.intend_items, evaluation_id, places, now)


async def keep_answers(conn: Conn, evaluation_id: str, answers: Sequence[ItemAnswer], now: datetime) -> None:
    """Store answers; one that is stored already stays."""
    await conn.execute(
        sql.keep_answers,
        evaluation_id,
        now,
        [each.idx for each in answers],
        [each.output for each in answers],
        [each.finish_reason for each in answers],
        [each.tool_calls for each in answers],
        [each.prompt_tokens for each in answers],
        [each.completion_tokens for each in answers],
        [each.latency_s for each in answers],
        [each.n_repeats for each in answers],
    )


async def finish(conn: Conn, evaluation_id: str, results: Sequence[ItemResult], now: datetime) -> None:
    """Store results; one that is stored already stays."""
    await conn.execute(
        sql.finish_items,
        evaluation_id,
        now,
        [each.idx for each in results],
        [rows.encode(each.scores) for each in results],
        [each.combined for each in results],
        [rows.encode(each.error) if each.error else None for each in results],
        [rows.encode(each.gradings) for each in results],
        [rows.encode(each.judgements) for each in results],
        [each.judge_prompt_tokens for each in results],
        [each.judge_completion_tokens for each in results],
        [each.embedding_tokens for each in results],
        [each.n_repeats for each in results],
    )


async def register(conn: Conn, evaluation_id: str, items: Sequence[RegisteredRow], now: datetime) -> None:
    """Store items measured elsewhere."""
    await conn.execute(
        sql.register_items,
        evaluation_id,
        now,
        [each.idx for each in items],
        [each.output for each in items],
        [each.score for each in items],
        [each.completion_tokens for each in items],
        [rows.encode(each.error) if each.error else None for each in items],
    )


async def take_answers(
    conn: Conn, evaluation_id: str, source_id: str, places: Sequence[int] | None, now: datetime
) -> int:
    """Take another evaluation's answers over to be graded; returns how many there are."""
    taken = await conn.fetch(sql.take_answers, evaluation_id, source_id, now, places)
    return sum(row["answered"] for row in taken)


async def spent(conn: Conn, evaluation_id: str) -> Spent:
    """The tokens of every answer and grading stored so far."""
    row = await conn.fetchrow(sql.spent, evaluation_id)
    return rows.decode(Spent, row) if row else Spent()


async def item_results(conn: Conn, evaluation_id: str) -> tuple[StoredItem, ...]:
    return tuple(rows.decode(StoredItem, row) for row in await conn.fetch(sql.item_results, evaluation_id))


async def dimension_scores(conn: Conn, evaluation_id: str, dimension: str) -> dict[int, float | None]:
    """One dimension's scores by item."""
    found = await conn.fetch(sql.dimension_scores, evaluation_id, dimension)
    return {row["idx"]: row["score"] for row in found}


async def lacking(conn: Conn, places: Sequence[int], candidate_id: str, reference_id: str) -> tuple[MissingItem, ...]:
    """Why these items lack a score on either side."""
    return tuple(
        MissingItem(index=row["idx"], candidate_error=row["candidate_error"], reference_error=row["reference_error"])
        for row in await conn.fetch(sql.lacking, places, candidate_id, reference_id)
    )


async def list_items(
    conn: Conn, evaluation: Evaluation, after: int, limit: int
) -> tuple[tuple[EvaluationItem, ...], bool]:
    """Items from a place in the suite on, and whether there are more."""
    found = await conn.fetch(sql.list_items, evaluation.id, evaluation.suite_id, after, limit)
    return tuple(rows.decode(EvaluationItem, row) for row in found[:limit]), len(found) > limit
