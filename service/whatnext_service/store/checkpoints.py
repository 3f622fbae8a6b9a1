"""Checkpoints of runs."""

from collections.abc import Sequence
from datetime import datetime

from whatnext_service.contract.common import Page
from whatnext_service.contract.runs import Checkpoint, NewCheckpoint
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


async def upsert_checkpoint(
    conn: Conn,
    workspace_id: str,
    run_id: str,
    checkpoint_id: str,
    new: NewCheckpoint,
    provider_id: str | None,
    now: datetime,
) -> str:
    """Store a checkpoint, or refresh the one known at its step; returns its id."""
    stored: str = await conn.fetchval(
        sql.upsert_checkpoint,
        checkpoint_id,
        workspace_id,
        run_id,
        new.step,
        new.epoch,
        new.model,
        provider_id,
        new.deployable,
        new.final,
        new.train_loss,
        new.valid_loss,
        new.full_valid_loss,
        new.full_valid_mean_token_accuracy,
        now,
    )
    return stored


async def expire(conn: Conn, run_id: str, kept_steps: Sequence[int]) -> None:
    """Mark every checkpoint the provider no longer keeps as not deployable."""
    await conn.execute(sql.expire, run_id, kept_steps)


async def get_checkpoint(conn: Conn, workspace_id: str, checkpoint_id: str) -> Checkpoint | None:
    row = await conn.fetchrow(sql.get_checkpoint, workspace_id, checkpoint_id)
    return rows.decode(Checkpoint, row) if row else None


async def list_checkpoints(conn: Conn, run_id: str, cursor: str | None, limit: int) -> Page[Checkpoint]:
    return rows.page_of(Checkpoint, await conn.fetch(sql.list_checkpoints, run_id, cursor, limit), limit)
