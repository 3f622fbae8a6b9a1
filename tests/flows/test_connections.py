"""Nobody who holds a connection waits for a second one: a small pool is slow, and never stuck."""

import asyncio
import dataclasses

import httpx
from tests.api.driving import EXACT, make_loop, rows, upload

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
