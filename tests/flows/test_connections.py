"""Nobody who holds a connection waits for a second one: a small pool is slow, and never stuck."""

import asyncio
import dataclasses

import httpx
from tests.api.driving import EXACT, make_loop, make_suite, ok, rows, upload
from tests.flows.working import work_off

from whatnext_service.contract.evaluations import NewEvalSuite, WeightedGrader
from whatnext_service.flows.context import Services
from whatnext_service.flows.create_suite import create_suite
from whatnext_service.store.db import create_pool


async def test_suites_are_created_on_one_connection(
    api: httpx.AsyncClient, services: Services, workspace: str, dsn: str
) -> None:
    await make_loop(api)
    version = await upload(api, "held-out", rows(30))

    async def create(number: int) -> None:
        grader = WeightedGrader(name="exact", grader=EXACT["grader"])
        new = NewEvalSuite(loop_id="letters", name=f"s{number}", dataset_version_id=version["id"], graders=(grader,))
        async with small.begin(workspace) as tx:
            await create_suite(tx, new)

    async with await create_pool(dsn, min_size=1, max_size=1) as pool, asyncio.timeout(20):
        small = dataclasses.replace(services, pool=pool)
        await asyncio.gather(*(create(number) for number in range(3)))
        assert await pool.fetchval("select count(*) from eval_suite") == 3


async def test_runs_and_evaluations_are_worked_on_side_by_side_on_one_connection(
    api: httpx.AsyncClient, services: Services, dsn: str
) -> None:
    await make_loop(api)
    version = await upload(api, "training", rows(48))
    suite = await make_suite(api, "letters")
    config = {"base_model": "sandbox-small", "dataset_version_id": version["id"], "n_epochs": 1}
    for seed in range(3):
        body = {"loop_id": "letters", "provider": "sandbox", "config": config | {"seed": seed}}
        ok(await api.post("/v1/runs", json=body), 201)
    body = {"loop_id": "letters", "suite_id": suite["id"], "subject": "base_model", "base_model": "sandbox-small"}
    ok(await api.post("/v1/evaluations", json=body), 201)
    async with await create_pool(dsn, min_size=1, max_size=1) as pool, asyncio.timeout(30):
        small = dataclasses.replace(services, pool=pool)
        await asyncio.gather(*(work_off(small, pool) for _ in range(4)))
        done = await pool.fetch("select status from run union all select status from evaluation")
    assert [row["status"] for row in done] == ["succeeded"] * 4
