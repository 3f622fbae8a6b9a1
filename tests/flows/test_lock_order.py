"""Transactions that write to one loop wait for each other's end, and never each for the other: the loop's row is the
first that each of them locks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable

import httpx
import pytest
from tests.api.driving import HEALTHY, Json, first_run, make_loop, make_suite, ok, put_curve, rows, upload
from tests.flows.preparing import make_suite as make_own_suite
from tests.flows.running import get, start
from tests.flows.test_evaluate import judged, outside_the_fences, right
from tests.flows.test_ship import two_models
from tests.flows.wiring import Wire
from tests.flows.working import GIVE_UP_S, work_off, work_one

from whatnext_service.contract.evaluations import NewEvaluation
from whatnext_service.flows.context import Services
from whatnext_service.flows.evaluate import evaluate
from whatnext_service.flows.move_run import move_run
from whatnext_service.flows.ship import delete_model
from whatnext_service.flows.start_evaluation import start_evaluation
from whatnext_service.flows.upload import Spool, add_version, receive
from whatnext_service.sandbox.faults import Fault, Faults
from whatnext_service.store.db import Pool

WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"

CHANGING = WAITING.replace("count(*)", "count(backend_xid)")


async def both_at_once(pool: Pool, table: str, first: Awaitable[object], second: Awaitable[object]) -> None:
    """Do two things, the second one while a table that nobody may write to holds the first one up."""
    async with pool.acquire() as conn, asyncio.timeout(GIVE_UP_S):
        async with conn.transaction():
            await conn.execute(f"lock table {table} in share mode")
            working = asyncio.ensure_future(first)
            await _until_waiting(pool, 1)
            asking = asyncio.ensure_future(second)
            await _until_waiting(pool, 2)
        for done in await asyncio.gather(working, asking, return_exceptions=True):
            assert not isinstance(done, BaseException), done
            if isinstance(done, httpx.Response):
                ok(done)


async def waits_for_the_loop_first(pool: Pool, work: Awaitable[object]) -> None:
    """While another holds the loop the work waits for it, and has neither written nor locked a row before."""
    async with pool.acquire() as conn, asyncio.timeout(GIVE_UP_S):
        async with conn.transaction():
            await conn.execute("select from loop for update")
            working = asyncio.ensure_future(work)
            await _until_waiting(pool, 1)
            changed_before = await pool.fetchval(CHANGING)
        await working
    assert changed_before == 0


async def _until_waiting(pool: Pool, n: int) -> None:
    while await pool.fetchval(WAITING) < n:
        pass


async def _queued(api: httpx.AsyncClient, services: Services, pool: Pool, version: Json) -> Json:
    run = await start(api, version, n_epochs=1)
    while (await get(api, run))["status"] in ("pending", "submitting"):
        await work_one(services, pool, "move_run")
    return run


async def _trained(api: httpx.AsyncClient, services: Services, pool: Pool, version: Json) -> Json:
    """A run whose job has ended at the trainer, and is not imported yet."""
    run = await _queued(api, services, pool, version)
    job_id = await pool.fetchval("select provider_job_id from run")
    async with asyncio.timeout(GIVE_UP_S):
        while (await services.providers["sandbox"].platform.job(job_id)).status != "succeeded":
            pass
    return run


@pytest.mark.parametrize("asked", ["patch", "cancel"])
async def test_a_run_is_changed_while_its_job_is_imported(
    api: httpx.AsyncClient, services: Services, pool: Pool, version: Json, asked: str
) -> None:
    run = await _trained(api, services, pool, version)
    path = f"/v1/runs/{run['id']}"
    request = api.patch(path, json={"note": "odd"}) if asked == "patch" else api.post(f"{path}/cancel")
    await both_at_once(pool, "checkpoint", move_run(services, run["id"]), request)
    await work_off(services, pool)
    done = await get(api, run)
    assert (done["status"], done["note"]) == ("succeeded", "odd" if asked == "patch" else None)


async def test_a_run_is_changed_while_its_job_is_submitted(
    api: httpx.AsyncClient, services: Services, pool: Pool, version: Json
) -> None:
    run = await start(api, version, n_epochs=1)
    request = api.patch(f"/v1/runs/{run['id']}", json={"note": "odd"})
    await both_at_once(pool, "procrastinate_jobs", move_run(services, run["id"]), request)
    assert (await get(api, run))["status"] == "queued"


@pytest.mark.parametrize("heard", [True, False])
async def test_a_run_is_changed_while_a_fault_of_its_provider_is_noted(
    api: httpx.AsyncClient, services: Services, pool: Pool, faults: Faults, version: Json, heard: bool
) -> None:
    """Or the end of one."""
    run = await _queued(api, services, pool, version)
    faults.add(Fault(kind="unauthorized", on="jobs.retrieve", times=1 + (not heard)))
    if heard:
        await move_run(services, run["id"])
    assert ((await get(api, run))["provider_fault"] is not None) == heard
    request = api.patch(f"/v1/runs/{run['id']}", json={"note": "odd"})
    await both_at_once(pool, "procrastinate_jobs", move_run(services, run["id"]), request)
    assert ((await get(api, run))["provider_fault"] is not None) != heard


async def test_a_run_is_changed_while_its_model_is_forgotten(
    api: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    left, shipped = await two_models(api, services, pool)
    ok(await api.post("/v1/deployments", json={"loop_id": "letters", "run_id": shipped["id"]}), 201)
    request = api.patch(f"/v1/runs/{left['id']}", json={"note": "odd"})
    await both_at_once(pool, "checkpoint", delete_model(services, left["id"]), request)
    done = await get(api, left)
    assert (done["model"], done["note"]) == (None, "odd")


async def test_an_evaluation_is_closed_with_its_loop_held(
    api: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    await make_loop(api)
    suite = await make_suite(api, "letters")
    body = {"loop_id": "letters", "suite_id": suite["id"], "subject": "base_model", "base_model": "sandbox-small"}
    started = ok(await api.post("/v1/evaluations", json=body), 201)
    await waits_for_the_loop_first(pool, evaluate(services, started["id"]))
    assert ok(await api.get(f"/v1/evaluations/{started['id']}"))["status"] == "succeeded"


async def test_a_judge_is_tried_with_the_loop_held(wire: Wire, workspace: str, pool: Pool) -> None:
    """What the canaries show is written to the suite, as is each look of a new evaluation."""
    services, _ = wire(right, outside_the_fences)
    suite = await make_own_suite(services, workspace, 12, graders=(judged(),))
    new = NewEvaluation(loop_id=suite.loop_id, suite_id=suite.id, subject="base_model", base_model="base")
    async with services.begin(workspace) as tx:
        started, _ = await start_evaluation(tx, new)
    await waits_for_the_loop_first(pool, evaluate(services, started.id))


async def test_data_is_uploaded_while_the_autopilot_mends_it(
    api: httpx.AsyncClient, services: Services, workspace: str, pool: Pool
) -> None:
    loop = await make_loop(api)
    dataset_id = (await upload(api, "training", rows(64), loop="letters"))["dataset_id"]
    path = f"/v1/datasets/{dataset_id}/versions"

    async def chunks() -> AsyncIterator[bytes]:
        yield rows(65)

    async def mend() -> None:
        async with services.begin(workspace, loop["id"]) as tx:
            with Spool(1 << 20) as spool:
                await add_version(tx, dataset_id, spool, await receive(chunks(), spool))

    await both_at_once(pool, "quality_report", api.post(path, content=rows(66)), mend())
    assert len(ok(await api.get(path))["data"]) == 3


async def test_a_run_is_diagnosed_with_its_loop_held(api: httpx.AsyncClient, pool: Pool) -> None:
    """A diagnosis scores the advice that led to the run, and a decision writes to the advice too."""
    await make_loop(api)
    run = await first_run(api, "letters", await upload(api, "training", rows(64), loop="letters"))
    await put_curve(api, run, HEALTHY)
    await waits_for_the_loop_first(pool, api.post("/v1/diagnoses", json={"run_id": run["id"]}))


async def test_a_checkpoint_is_added_with_the_loop_held(api: httpx.AsyncClient, pool: Pool) -> None:
    await make_loop(api)
    run = await first_run(api, "letters", await upload(api, "training", rows(64), loop="letters"))
    path = f"/v1/runs/{run['id']}/checkpoints"
    await waits_for_the_loop_first(pool, api.post(path, json={"step": 10}))
    assert len(ok(await api.get(path))["data"]) == 1
