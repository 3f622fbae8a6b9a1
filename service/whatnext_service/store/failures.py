"""What evaluated models fail on: questions, and their answers once they are worked out."""

from datetime import datetime

import msgspec

from whatnext_service.contract.datasets import Failures
from whatnext_service.core.diversity import FailureGroup
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


class Question(msgspec.Struct, kw_only=True, frozen=True):
    """What is asked of an evaluation."""

    evaluation_id: str
    workspace_id: str
    dataset_version_id: str | None
    """The training data to hold its failures against."""
    below: float
    is_default: bool
    """Whether it is what is asked without parameters: the advice rests on its answer."""


async def get(conn: Conn, question: Question) -> Failures | None:
    row = await conn.fetchrow(
        sql.get, question.workspace_id, question.evaluation_id, question.dataset_version_id, question.below
    )
    return rows.decode(Failures, row) if row else None


async def ask(conn: Conn, question: Question, now: datetime) -> None:
    """Put a question that was not put before, or whose answer failed."""
    await conn.execute(
        sql.ask,
        question.workspace_id,
        question.evaluation_id,
        question.dataset_version_id,
        question.below,
        question.is_default,
        now,
    )


async def open_questions(conn: Conn, evaluation_id: str) -> tuple[Question, ...]:
    return tuple(rows.decode(Question, row) for row in await conn.fetch(sql.open_questions, evaluation_id))


async def answer(
    conn: Conn,
    question: Question,
    n_scored: int,
    n_failed: int,
    n_training_rows: int,
    groups: tuple[FailureGroup, ...],
    now: datetime,
) -> int | None:
    """Store the answer; null when the question is not open."""
    version: int | None = await conn.fetchval(
        sql.answer,
        question.evaluation_id,
        question.dataset_version_id,
        question.below,
        n_scored,
        n_failed,
        n_training_rows,
        rows.storable(rows.encode(groups)),
        now,
    )
    return version


async def fail(conn: Conn, evaluation_id: str, failure: str, now: datetime) -> None:
    await conn.execute(sql.fail, evaluation_id, failure.replace("\0", " "), now)


async def workspace_of(conn: Conn, evaluation_id: str) -> str:
    found: str = await conn.fetchval(sql.workspace_of, evaluation_id)
    return found


async def neglected(conn: Conn, before: datetime) -> tuple[str, ...]:
    """Evaluations with a question that nobody has worked on since `before`."""
    return tuple(row["evaluation_id"] for row in await conn.fetch(sql.neglected, before))
