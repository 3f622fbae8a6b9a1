"""Evaluations."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from whatnext_service.contract.common import Page
from whatnext_service.contract.evaluations import DimensionScore, ErrorCount, Evaluation, Pause
from whatnext_service.core.early_end import Spent, TokenPrices
from whatnext_service.core.loops import Direction
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
    fingerprint: str
    provider: str | None
    model: str | None
    status: str
    cancel_requested: bool
    version: int
    n_items: int
    regrade_of: str | None
    n_gradings: int
    max_tokens: int | None
    max_cost: Decimal | None
    prices: TokenPrices | None
    stop_if_hopeless_against: str | None
    secret: bytes
    """What the judge's nonces are made from: the same request again is the same bytes, and nobody can guess it."""
    started_at: datetime | None


class Progress(msgspec.Struct, kw_only=True, frozen=True):
    """An evaluation under way."""

    version: int
    cancel_requested: bool


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
    ended_early: str | None = None
    cost: Decimal | None = None
    judge_tokens: int = 0
    embedding_tokens: int = 0
    errors: tuple[ErrorCount, ...] = ()
    n_repeated: int = 0


async def insert_evaluation(conn: Conn, workspace_id: str, new: Evaluation, secret: bytes) -> None:
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
        new.instrument,
        new.regrade_of,
        new.n_gradings,
        new.max_tokens,
        new.max_cost,
        rows.encode(new.prices) if new.prices else None,
        new.stop_if_hopeless_against,
        secret,
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


async def hold_open(conn: Conn, evaluation_id: str) -> bool:
    """Whether an evaluation is open; if so nobody closes it until the transaction ends."""
    return await conn.fetchval(sql.hold_open, evaluation_id) is not None


async def count_done(conn: Conn, evaluation_id: str, now: datetime) -> Progress | None:
    """Show progress: count the finished items into the evaluation; null when it is not running."""
    row = await conn.fetchrow(sql.count_done, evaluation_id, now)
    return rows.decode(Progress, row) if row else None


async def put_off(conn: Conn, evaluation_id: str, pause: Pause, now: datetime) -> int | None:
    """Say what a running evaluation waits for; null when it is not running."""
    version: int | None = await conn.fetchval(sql.put_off, evaluation_id, rows.encode(pause), now)
    return version


async def count_canaries(conn: Conn, evaluation_id: str, spent: Spent) -> None:
    """Count what trying the judge took."""
    await conn.execute(sql.count_canaries, evaluation_id, spent.judge_prompt_tokens, spent.judge_completion_tokens)


async def request_cancel(conn: Conn, evaluation_id: str, now: datetime) -> int | None:
    """Ask for an evaluation to be cancelled; null when it has ended."""
    version: int | None = await conn.fetchval(sql.request_cancel, evaluation_id, now)
    return version


async def graded_again(conn: Conn, source_id: str, fingerprint: str) -> tuple[bytes, ...]:
    """Packed scores of every complete grading of the same answers by the same instrument, the source's first."""
    return tuple(row["scores"] for row in await conn.fetch(sql.graded_again, source_id, fingerprint))


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
        result.ended_early,
        result.cost,
        result.judge_tokens,
        rows.encode(result.errors),
        result.n_repeated,
        result.embedding_tokens,
    )
    return version


async def item_scores(conn: Conn, evaluation_id: str) -> bytes:
    """Packed per-item scores (see `core.evaluations.pack_scores`)."""
    packed: bytes = await conn.fetchval(sql.item_scores, evaluation_id)
    return packed


async def neglected(conn: Conn, before: datetime) -> tuple[str, ...]:
    """Evaluations by the service that nobody has worked on since `before`."""
    return tuple(row["id"] for row in await conn.fetch(sql.neglected, before))


async def direction_of(conn: Conn, loop_id: str) -> Direction:
    """Which way the loop's metric improves."""
    direction: Direction = await conn.fetchval(sql.direction_of, loop_id)
    return direction
