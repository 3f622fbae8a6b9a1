"""Judgings of training rows, and the judgements, which belong to a row's content and the judge."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from whatnext_service.contract.datasets import RowJudgement
from whatnext_service.contract.evaluations import ErrorCount, ItemError, Judgement, Pause
from whatnext_service.contract.row_judging import JudgePrices, RowJudging
from whatnext_service.core.early_end import EndedEarly, Spent, TokenPrices
from whatnext_service.core.judge_canaries import CanaryReading
from whatnext_service.core.quality import JudgeScores
from whatnext_service.core.row_judge import JudgingStatus, RowDimension, scores_by_row
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


class JudgingStart(msgspec.Struct, kw_only=True, frozen=True):
    """What a judging is started with."""

    version_id: str
    secret: bytes
    instrument: str
    model: str
    dimensions: tuple[RowDimension, ...]
    n_rows: int
    threshold: float
    max_tokens: int | None
    max_cost: Decimal | None
    prices: JudgePrices | None


class JudgingWork(msgspec.Struct, kw_only=True, frozen=True):
    """What the worker needs to know of a judging."""

    version_id: str
    workspace_id: str
    round: int
    secret: bytes
    instrument: str
    model: str
    dimensions: tuple[RowDimension, ...]
    n_rows: int
    max_tokens: int | None
    max_cost: Decimal | None
    prices: JudgePrices | None
    judge_prompt_tokens: int
    judge_completion_tokens: int
    canaries: CanaryReading | None
    cancel_requested: bool
    started_at: datetime | None
    sha256: bytes
    row_hashes: bytes

    @property
    def spent(self) -> Spent:
        """Tokens since it was last started."""
        return Spent(judge_prompt_tokens=self.judge_prompt_tokens, judge_completion_tokens=self.judge_completion_tokens)

    @property
    def token_prices(self) -> TokenPrices | None:
        """The prices, as the caps read them."""
        if self.prices is None:
            return None
        return TokenPrices(
            prompt=Decimal(0),
            completion=Decimal(0),
            judge_prompt=Decimal(self.prices.prompt),
            judge_completion=Decimal(self.prices.completion),
        )


class KnownRow(msgspec.Struct, kw_only=True, frozen=True):
    """What is stored of a row under an instrument."""

    row_hash: bytes
    score: float | None
    error: ItemError | None
    asked_now: bool
    """Whether it was asked about in the present round."""


class NewJudgement(msgspec.Struct, kw_only=True, frozen=True):
    """What became of one row."""

    row_hash: bytes
    score: float | None
    judgements: tuple[Judgement, ...]
    error: ItemError | None
    spent: Spent


class JudgingResult(msgspec.Struct, kw_only=True, frozen=True):
    """A judging's outcome."""

    status: JudgingStatus
    n_done: int
    n_scored: int
    mean_score: float | None
    cost: Decimal | None
    ended_early: EndedEarly | None
    errors: tuple[ErrorCount, ...]
    failure: str | None


async def get_judging(conn: Conn, workspace_id: str, version_id: str) -> RowJudging | None:
    row = await conn.fetchrow(sql.get_judging, workspace_id, version_id)
    return rows.decode(RowJudging, row) if row else None


async def start(conn: Conn, workspace_id: str, new: JudgingStart, now: datetime) -> int | None:
    """Start a judging, or start it again; null when one of the version is open."""
    version: int | None = await conn.fetchval(
        sql.start,
        new.version_id,
        workspace_id,
        new.secret,
        new.instrument,
        new.model,
        rows.encode(new.dimensions),
        new.n_rows,
        new.threshold,
        new.max_tokens,
        new.max_cost,
        rows.encode(new.prices) if new.prices else None,
        now,
    )
    return version


async def request_cancel(conn: Conn, version_id: str, now: datetime) -> int | None:
    """Ask for a judging to be cancelled; null when it has ended."""
    version: int | None = await conn.fetchval(sql.request_cancel, version_id, now)
    return version


async def open_work(conn: Conn, version_id: str) -> JudgingWork | None:
    """The judging, unless it has ended."""
    row = await conn.fetchrow(sql.open_work, version_id)
    return rows.decode(JudgingWork, row) if row else None


async def begin(conn: Conn, version_id: str, n_rows: int, now: datetime) -> None:
    await conn.execute(sql.begin, version_id, n_rows, now)


async def put_off(conn: Conn, version_id: str, pause: Pause, now: datetime) -> None:
    """Say what a running judging waits for."""
    await conn.execute(sql.put_off, version_id, rows.encode(pause), now)


async def keep_canaries(conn: Conn, version_id: str, reading: CanaryReading, spent: Spent, now: datetime) -> None:
    await conn.execute(
        sql.keep_canaries,
        version_id,
        rows.encode(reading),
        spent.judge_prompt_tokens,
        spent.judge_completion_tokens,
        now,
    )


async def known_rows(conn: Conn, work: JudgingWork) -> tuple[KnownRow, ...]:
    """Every row that this judge was ever asked about."""
    found = await conn.fetch(sql.known_rows, work.workspace_id, work.instrument, work.version_id, work.round)
    return tuple(rows.decode(KnownRow, row) for row in found)


async def keep(
    conn: Conn, work: JudgingWork, new: Sequence[NewJudgement], n_done: int, n_scored: int, now: datetime
) -> bool:
    """Store judgements with what they cost; tells whether the judging is to be cancelled."""
    await conn.execute(
        sql.keep_judgements,
        work.workspace_id,
        work.instrument,
        work.version_id,
        work.round,
        now,
        [each.row_hash for each in new],
        [each.score for each in new],
        [rows.encode(each.judgements) for each in new],
        [rows.encode(each.error) if each.error else None for each in new],
        [each.spent.judge_prompt_tokens for each in new],
        [each.spent.judge_completion_tokens for each in new],
    )
    cancel = await conn.fetchval(
        sql.show_progress,
        work.version_id,
        n_done,
        n_scored,
        sum(each.spent.judge_prompt_tokens for each in new),
        sum(each.spent.judge_completion_tokens for each in new),
        now,
    )
    return bool(cancel)


async def finish(conn: Conn, version_id: str, result: JudgingResult, now: datetime) -> int | None:
    """Close a judging; null when it was closed already."""
    version: int | None = await conn.fetchval(
        sql.finish,
        version_id,
        result.status,
        result.n_done,
        result.n_scored,
        result.mean_score,
        result.cost,
        result.ended_early,
        rows.encode(result.errors),
        result.failure,
        now,
    )
    return version


async def spent(conn: Conn, version_id: str) -> Spent:
    """Tokens since it was last started."""
    row = await conn.fetchrow(sql.spent, version_id)
    return rows.decode(Spent, row) if row else Spent()


async def judge_scores(conn: Conn, version_id: str) -> JudgeScores | None:
    """The scores of a version's rows by its judge; null where none was ever asked."""
    judge = await conn.fetchrow(sql.judge_of, version_id)
    if judge is None:
        return None
    found = await conn.fetch(sql.scores, judge["workspace_id"], judge["instrument"])
    known = {row["row_hash"]: row["score"] for row in found}
    return JudgeScores(
        scores=scores_by_row(judge["row_hashes"], known), threshold=judge["threshold"], resists=judge["resists"]
    )


async def judgements(conn: Conn, workspace_id: str, version_id: str, row_ids: Sequence[str]) -> dict[str, RowJudgement]:
    """What the version's judge made of the rows of these names."""
    found = await conn.fetch(sql.judgements, workspace_id, version_id, row_ids)
    return {row["row_id"]: rows.decode(RowJudgement, row) for row in found}


async def neglected(conn: Conn, before: datetime) -> tuple[str, ...]:
    """Versions whose judging nobody has worked on since `before`."""
    return tuple(row["version_id"] for row in await conn.fetch(sql.neglected, before))
