"""Recommendations and what was decided about them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from whatnext_service.contract.advice import Decision, Recommendation
from whatnext_service.contract.common import Page
from whatnext_service.core.advice import Answer
from whatnext_service.core.track_record import Prediction
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


async def keep_recommendation(conn: Conn, workspace_id: str, answer: Answer, fingerprint: str, now: datetime) -> None:
    """Make this answer's recommendation the loop's open one; an unchanged one keeps its row."""
    await conn.execute(sql.supersede, answer.loop_id, answer.action.recommendation_id, now)
    await conn.execute(
        sql.insert_recommendation,
        answer.action.recommendation_id,
        workspace_id,
        answer.loop_id,
        fingerprint,
        answer.action.kind,
        answer.state_version,
        answer.rules_version,
        answer.headline,
        rows.encode(answer),
        now,
    )


async def get_recommendation(conn: Conn, workspace_id: str, recommendation_id: str) -> Recommendation | None:
    row = await conn.fetchrow(sql.get_recommendation, workspace_id, recommendation_id)
    return rows.decode(Recommendation, row) if row else None


async def list_recommendations(
    conn: Conn,
    workspace_id: str,
    cursor: str | None,
    limit: int,
    *,
    loop_ids: Sequence[str] | None,
    statuses: Sequence[str] | None,
) -> Page[Recommendation]:
    found = await conn.fetch(sql.list_recommendations, workspace_id, cursor, limit, loop_ids, statuses)
    return rows.page_of(Recommendation, found, limit)


async def decide(conn: Conn, recommendation_id: str, decision: Decision) -> None:
    await conn.execute(sql.decide, recommendation_id, decision.verdict, rows.encode(decision), decision.decided_at)


async def carried_out(conn: Conn, workspace_id: str, recommendation_id: str, by: str, now: datetime) -> None:
    """Note what came of a recommendation first: carrying out the open one accepts it."""
    await conn.execute(sql.carried_out, workspace_id, recommendation_id, by, now)


async def advice_behind(conn: Conn, workspace_id: str, made_id: str) -> Recommendation | None:
    """The recommendation that a run, evaluation or deployment carried out."""
    row = await conn.fetchrow(sql.advice_behind, workspace_id, made_id)
    return rows.decode(Recommendation, row) if row else None


async def set_outcome(conn: Conn, recommendation_id: str, outcome: Prediction) -> None:
    """Keep what came of a recommendation's prediction; a later look replaces an earlier one."""
    await conn.execute(sql.set_outcome, recommendation_id, rows.encode(outcome))


async def outcomes(conn: Conn, workspace_id: str) -> tuple[Prediction, ...]:
    """Every prediction of the workspace whose result is known."""
    found = await conn.fetch(sql.outcomes, workspace_id)
    return tuple(msgspec.json.decode(row["outcome"], type=Prediction) for row in found)
