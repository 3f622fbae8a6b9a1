"""Deployments: taken out of service once, and what is left over beside them."""

from datetime import timedelta

import pytest
from tests.store.making import NOW, a_loop, a_run, a_workspace, an_id

from whatnext_service.contract.deployments import Deployment
from whatnext_service.store import deployments
from whatnext_service.store.db import Conn


@pytest.fixture
async def ours(conn: Conn) -> str:
    return await a_workspace(conn)


async def a_model(conn: Conn, workspace_id: str, loop_id: str, provider: str = "sandbox") -> str:
    run = await a_run(conn, workspace_id, loop_id, provider=provider, status="succeeded")
    await conn.execute("update run set provider_model = 'ft:' || id where id = $1", run)
    return run


async def ship(conn: Conn, workspace_id: str, loop_id: str, run_id: str) -> str:
    new = Deployment(
        id=an_id("dep"),
        loop_id=loop_id,
        run_id=run_id,
        checkpoint_id=None,
        provider="sandbox",
        model=f"ft:{run_id}",
        status="live",
        override_reason=None,
        recommendation_id=None,
        version=1,
        created_at=NOW,
        deleted_at=None,
        updated_at=NOW,
    )
    await deployments.insert_deployment(conn, workspace_id, new)
    return new.id


async def left_over(conn: Conn, workspace_id: str, loop_id: str | None = None) -> list[str]:
    return [each.run_id for each in await deployments.leftovers(conn, workspace_id, loop_id)]


async def test_a_model_is_left_over_once_its_loop_has_shipped_another(conn: Conn, ours: str) -> None:
    loop, other = await a_loop(conn, ours), await a_loop(conn, ours, "other")
    shipped, old = await a_model(conn, ours, loop), await a_model(conn, ours, loop)
    await a_model(conn, ours, loop, provider="external")
    await a_model(conn, ours, other)
    assert await left_over(conn, ours) == []
    deployment = await ship(conn, ours, loop, shipped)
    assert await left_over(conn, ours) == await left_over(conn, ours, loop) == [old]
    assert await left_over(conn, ours, other) == []
    assert await left_over(conn, await a_workspace(conn, "theirs")) == []
    await deployments.forget_model(conn, old, NOW)
    assert await left_over(conn, ours) == []
    await deployments.delete_deployment(conn, ours, deployment, NOW)
    assert await left_over(conn, ours) == [], "nothing is served: nobody knows which one is wanted"


async def test_a_deployment_is_taken_out_of_service_once_and_by_its_owner(conn: Conn, ours: str) -> None:
    loop = await a_loop(conn, ours)
    deployment = await ship(conn, ours, loop, await a_model(conn, ours, loop))
    await deployments.delete_deployment(conn, await a_workspace(conn, "theirs"), deployment, NOW)
    for hours in (1, 2):
        await deployments.delete_deployment(conn, ours, deployment, NOW + timedelta(hours=hours))
    found = await deployments.get_deployment(conn, ours, deployment)
    assert found is not None
    assert (found.status, found.deleted_at, found.version) == ("deleted", NOW + timedelta(hours=1), 2)
