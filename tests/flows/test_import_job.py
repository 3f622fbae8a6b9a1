"""What becomes of a job's curve when nothing but its end is new."""

import asyncio

import httpx
import msgspec
from tests.api.driving import Json
from tests.flows.running import get, start
from tests.flows.working import GIVE_UP_S, work_one

from whatnext_service.flows.context import Services
from whatnext_service.flows.import_job import import_job
from whatnext_service.store import runs
from whatnext_service.store.db import Pool


async def test_a_job_that_was_cancelled_is_read_as_it_ended(
    api: httpx.AsyncClient, services: Services, pool: Pool, version: Json
) -> None:
    """Evidence 2: no alarm in the first 30 % of the planned steps; no more are planned now."""
    run = await start(api, version)
    while (await get(api, run))["status"] in ("pending", "submitting"):
        await work_one(services, pool, "move_run")
    sandbox = services.providers["sandbox"]
    job_id = await pool.fetchval("select provider_job_id from run")
    async with asyncio.timeout(GIVE_UP_S):
        while (job := await sandbox.platform.job(job_id)).status != "succeeded":
            pass
    seen = []
    for status in ("running", "cancelled"):
        async with pool.acquire() as conn:
            work = await runs.lock_work(conn, run["id"])
        assert work is not None
        job = msgspec.structs.replace(job, status=status, n_epochs=1000, result_files=())
        await import_job(services, sandbox, work, job)
        reading = (await get(api, run))["reading"]
        seen.append("too_early" in {finding["code"] for finding in reading["findings"]})
    assert seen == [True, False]
