"""A provider that refuses the key, denies a job or is gone: the run is kept, says why, and goes on when it can."""

import dataclasses

import httpx
import pytest
from tests.api.driving import Json, ok
from tests.flows.running import get, hurried, start
from tests.flows.working import spent_since, work_off, work_one

from whatnext_service.flows.context import Services
from whatnext_service.sandbox.faults import CallFault, Fault, Faults
from whatnext_service.sandbox.serving import Served
from whatnext_service.sandbox.state import read_ledger
from whatnext_service.store.db import Pool

LOOKS = ("jobs.retrieve", "jobs.events", "jobs.checkpoints", "files.content")
SUBMISSION = ("files.list", "files.create", "files.retrieve", "jobs.create")


async def under_way(
    api: httpx.AsyncClient, services: Services, pool: Pool, version: Json, faults: Faults, *, step_s: float = 0.05
) -> Json:
    """A run whose job the provider has, and that goes on for a while."""
    faults.add(Fault(kind="slow_training", delay_s=step_s))
    run = await start(api, version)
    while (await get(api, run))["status"] in ("pending", "submitting"):
        await work_one(services, pool, "move_run")
    return run


async def provider_warnings(api: httpx.AsyncClient) -> list[str]:
    answer = ok(await api.get("/v1/loops/letters/next"))
    return [each["code"] for each in answer["warnings"] if each["code"].startswith("provider_")]


async def events_of(api: httpx.AsyncClient, run: Json) -> list[str]:
    return [
        each["type"] for each in ok(await api.get("/v1/events?limit=100"))["data"] if each["subject_id"] == run["id"]
    ]


async def test_a_refused_key_is_told_and_waited_out_for_days(
    api: httpx.AsyncClient, services: Services, pool: Pool, trainer: Served, faults: Faults, version: Json
) -> None:
    before = read_ledger(trainer.folder)
    run = await under_way(api, services, pool, version, faults)
    faults.add(Fault(kind="unauthorized", on="jobs.retrieve", times=None))
    await work_one(services, pool, "move_run")
    seen = await get(api, run)
    assert seen["provider_fault"]["fault"] == "unauthorized"
    assert "401 invalid_api_key" in seen["provider_fault"]["detail"]
    assert await provider_warnings(api) == ["provider_refuses_key"]
    slow = hurried(services, 3600)
    for _ in range(60):
        await work_one(slow, pool, "move_run")
    refused = await get(api, run)
    assert (refused["status"], refused["provider_fault"]) == ("queued", seen["provider_fault"])
    faults.clear()
    await work_off(services, pool)
    done = await get(api, run)
    assert (done["status"], done["provider_fault"]) == ("succeeded", None)
    assert await provider_warnings(api) == []
    told = await events_of(api, run)
    assert told.count("run.provider_unreachable") == 1
    assert told.index("run.provider_unreachable") < told.index("run.succeeded")
    assert spent_since(before, trainer).jobs == 1


@pytest.mark.parametrize("kind", ["unauthorized", "not_found", "server_error", "rate_limited"])
async def test_every_call_may_fail_for_a_while(
    api: httpx.AsyncClient,
    services: Services,
    pool: Pool,
    trainer: Served,
    faults: Faults,
    version: Json,
    kind: CallFault,
) -> None:
    before = read_ledger(trainer.folder)
    for on in (*SUBMISSION, *LOOKS):
        faults.add(Fault(kind=kind, on=on, times=4, retry_after_s=0.01))
    run = await start(api, version, n_epochs=1)
    await work_off(hurried(services, 10), pool)
    done = await get(api, run)
    assert (done["status"], done["provider_fault"], done["failure"]) == ("succeeded", None, None)
    assert done["reading"] is not None
    assert ok(await api.get(f"/v1/runs/{run['id']}/checkpoints"))["data"]
    assert faults.planned() == []
    assert spent_since(before, trainer).jobs == 1


async def test_a_job_that_is_denied_for_an_hour_is_lost_and_may_be_repeated(
    api: httpx.AsyncClient, services: Services, pool: Pool, faults: Faults, version: Json
) -> None:
    run = await under_way(api, services, pool, version, faults)
    faults.add(Fault(kind="not_found", on="jobs.retrieve", times=None))
    quick = hurried(services, 60)
    for _ in range(30):
        await work_one(quick, pool, "move_run")
    kept = await get(api, run)
    assert (kept["status"], kept["provider_fault"]["fault"]) == ("queued", "not_found")
    assert await provider_warnings(api) == ["provider_unreachable"]
    await work_off(hurried(services, 3600), pool)
    lost = await get(api, run)
    assert (lost["status"], lost["provider_fault"]) == ("failed", None)
    assert lost["failure"].startswith(f"lost: the provider has denied its job {lost['provider_job_id']} since ")


async def test_a_provider_that_is_not_configured_is_waited_for(
    api: httpx.AsyncClient, services: Services, pool: Pool, faults: Faults, version: Json
) -> None:
    """A restart without the provider's settings loses nothing."""
    run = await under_way(api, services, pool, version, faults)
    bare = dataclasses.replace(services, providers={})
    for _ in range(3):
        await work_one(bare, pool, "move_run")
    seen = await get(api, run)
    assert seen["provider_fault"]["detail"] == "no provider 'sandbox' is configured"
    assert await provider_warnings(api) == ["provider_refuses_key"]
    await work_off(services, pool)
    assert (await get(api, run))["status"] == "succeeded"


async def test_a_run_that_was_never_sent_is_cancelled_without_the_provider(
    api: httpx.AsyncClient, services: Services, pool: Pool, version: Json
) -> None:
    run = await start(api, version)
    bare = dataclasses.replace(services, providers={})
    await work_one(bare, pool, "move_run")
    ok(await api.post(f"/v1/runs/{run['id']}/cancel"))
    await work_one(bare, pool, "move_run")
    assert (await get(api, run))["status"] == "cancelled"


async def test_a_cancellation_that_cannot_be_told_for_a_day_ends_the_run_and_says_so(
    api: httpx.AsyncClient, services: Services, pool: Pool, faults: Faults, version: Json
) -> None:
    run = await under_way(api, services, pool, version, faults)
    faults.add(Fault(kind="unauthorized", on="jobs.retrieve", times=None))
    ok(await api.post(f"/v1/runs/{run['id']}/cancel"))
    await work_off(hurried(services, 3600), pool)
    ended = await get(api, run)
    assert ended["status"] == "cancelled"
    assert "the job may still run there" in ended["failure"]


async def test_a_refused_cancellation_is_asked_for_again(
    api: httpx.AsyncClient, services: Services, pool: Pool, faults: Faults, version: Json
) -> None:
    run = await under_way(api, services, pool, version, faults, step_s=1.0)
    faults.add(Fault(kind="not_found", on="jobs.cancel", times=2))
    ok(await api.post(f"/v1/runs/{run['id']}/cancel"))
    await work_off(services, pool)
    assert (await get(api, run))["status"] == "cancelled"
    assert [each for each in faults.planned() if each.on == "jobs.cancel"] == []


@pytest.mark.parametrize("part", ["jobs.events", "jobs.checkpoints"])
async def test_a_platform_without_a_part_of_the_dialect_still_trains(
    api: httpx.AsyncClient, services: Services, pool: Pool, faults: Faults, version: Json, part: str
) -> None:
    faults.add(Fault(kind="not_found", on=part, times=None))
    run = await start(api, version, n_epochs=1)
    await work_off(hurried(services, 600), pool)
    done = await get(api, run)
    assert done["status"] == "succeeded"
    assert part.removeprefix("jobs.") in done["failure"]
    assert done["model"].startswith("ft:")


async def test_a_file_that_was_deleted_at_the_provider_is_uploaded_again(
    api: httpx.AsyncClient, services: Services, pool: Pool, version: Json
) -> None:
    await pool.execute(
        "insert into provider_file select 'sandbox', workspace_id, sha256, 'file-gone', now() - interval '1 day'"
        " from dataset_version"
    )
    run = await start(api, version, n_epochs=1)
    await work_off(services, pool)
    assert (await get(api, run))["status"] == "succeeded"
    assert await pool.fetchval("select count(*) from provider_file where file_id = 'file-gone'") == 0


async def test_an_answer_about_another_job_is_not_taken(
    api: httpx.AsyncClient, services: Services, pool: Pool, faults: Faults, version: Json
) -> None:
    """A cache in between that mixes answers up: nothing of the other job gets into the run."""
    other = await start(api, version, n_epochs=1)
    await work_off(services, pool)
    run = await under_way(api, services, pool, version, faults)
    other_id = (await get(api, other))["provider_job_id"]
    ours = services.providers["sandbox"]

    class Mixed:
        def __getattr__(self, name: str) -> object:
            return getattr(ours.platform, name)

        async def job(self, _: str) -> object:
            return await ours.platform.job(other_id)

    mixed = dataclasses.replace(ours, platform=Mixed())  # type: ignore[arg-type]
    await work_one(dataclasses.replace(services, providers={"sandbox": mixed}), pool, "move_run")
    assert (await get(api, run))["model"] is None
    await work_off(services, pool)
    assert (await get(api, run))["status"] == "succeeded"
