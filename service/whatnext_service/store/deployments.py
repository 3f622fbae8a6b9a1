"""Deployments, and what is left over beside them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from whatnext_service.contract.common import Page
from whatnext_service.contract.deployments import Deployment
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


class LeftoverModel(msgspec.Struct, kw_only=True, frozen=True):
    """A fine-tuned model of a loop that has shipped another one."""

    loop_id: str
    run_id: str
    run_name: str
    provider: str
    model: str


async def insert_deployment(conn: Conn, workspace_id: str, new: Deployment) -> None:
    await conn.execute(
        sql.insert_deployment,
        new.id,
        workspace_id,
        new.loop_id,
        new.run_id,
        new.checkpoint_id,
        new.provider,
        new.model,
        new.status,
        new.override_reason,
        new.recommendation_id,
        new.created_at,
    )


async def shipped_of(conn: Conn, workspace_id: str, run_id: str) -> frozenset[str | None]:
    """The checkpoints of a run that are in service; null for its final model."""
    found = await conn.fetch(sql.shipped_of, workspace_id, run_id)
    return frozenset(row["checkpoint_id"] for row in found)


async def get_deployment(conn: Conn, workspace_id: str, deployment_id: str) -> Deployment | None:
    row = await conn.fetchrow(sql.get_deployment, workspace_id, deployment_id)
    return rows.decode(Deployment, row) if row else None


async def list_deployments(
    conn: Conn,
    workspace_id: str,
    cursor: str | None,
    limit: int,
    *,
    loop_ids: Sequence[str] | None,
    statuses: Sequence[str] | None,
) -> Page[Deployment]:
    found = await conn.fetch(sql.list_deployments, workspace_id, cursor, limit, loop_ids, statuses)
    return rows.page_of(Deployment, found, limit)


async def delete_deployment(conn: Conn, workspace_id: str, deployment_id: str, now: datetime) -> None:
    await conn.execute(sql.delete_deployment, workspace_id, deployment_id, now)


async def leftovers(conn: Conn, workspace_id: str, loop_id: str | None) -> tuple[LeftoverModel, ...]:
    """Models this service had trained that a shipped loop no longer uses."""
    found = await conn.fetch(sql.leftovers, workspace_id, loop_id)
    return tuple(rows.decode(LeftoverModel, row) for row in found)


async def forget_model(conn: Conn, run_id: str, now: datetime) -> None:
    """Note that a run's model was deleted at the provider."""
    await conn.execute(sql.forget_model, run_id, now)
    await conn.execute(sql.expire_checkpoints, run_id)
