"""A provider's run from its record to its end, through faults of the provider and deaths of the worker."""

import asyncio

import httpx
import pytest
from tests.api.driving import Json, ok
from tests.flows.running import get, hurried, later, start
from tests.flows.working import spent_since, until, work_off, work_one

from whatnext_service.flows import move_run
from whatnext_service.flows.context import Services
from whatnext_service.flows.sweep import sweep
from whatnext_service.sandbox.faults import CallFault, Fault, Faults
from whatnext_service.sandbox.serving import Served
from whatnext_service.sandbox.state import read_ledger
from whatnext_service.store.db import Pool

CALLS = (
    "files.list",
    "files.create",
    "files.retrieve",
    "jobs.create",
    "jobs.retrieve",
    "jobs.events",
    "jobs.checkpoints",
    "files.content",
)


async def test_a_run_trains_to_its_end(
    api: httpx.AsyncClient, services: Services, pool: Pool, trainer: Served, version: Json
) -> None:
    before = read_ledger(trainer.folder)
    run = await start(api, version)
    await work_off(services, pool)
    done = await get(api, run)
    assert done["status"] == "succeeded", done["failure"]
    assert (done["effective"]["n_epochs"], done["effective"]["n_examples"]) == (2, 64)
    assert done["reading"]["verdict"]
    assert done["reading"]["best_valid_loss"] is not None
    assert done["model"].startswith("ft:")
    assert done["trained_tokens"] > 0
    checkpoints = ok(await api.get(f"/v1/runs/{run['id']}/checkpoints"))["data"]
    assert [(each["epoch"], each["final"]) for each in checkpoints[::-1]] == [(1, False), (2, True)]
    assert spent_since(before, trainer).jobs == 1
    diagnoses = ok(await api.get("/v1/diagnoses?loop_id=letters"))["data"]
    assert diagnoses[0]["run_id"] == run["id"]
    types = [
        event["type"] for event in ok(await api.get("/v1/events?limit=100"))["data"] if event["subject_id"] == run["id"]
    ]
    assert types[0] == "run.created"
    assert types.index("run.queued") < types.index("run.succeeded")
    await work_off(services, pool)
    assert await get(api, run) == done


async def test_a_providers_curve_is_read_with_the_loops_thresholds(
    api: httpx.AsyncClient, services: Services, pool: Pool, version: Json
) -> None:
    loop = ok(await api.patch("/v1/loops/letters", json={"thresholds": {"barely_falls": 0.0}}), 200)
    run = await start(api, version)
    await work_off(services, pool)
    reading = (await get(api, run))["reading"]
    assert {each["code"]: each["threshold"] for each in reading["findings"]}["underfit"] == 0.0
    answer = ok(await api.get("/v1/loops/letters/next"))
    assert reading["thresholds_version"] == answer["thresholds_version"] != "2026.11"
    (diagnosis,) = ok(await api.get(f"/v1/diagnoses?loop_id={loop['id']}"))["data"]
    assert diagnosis["thresholds_version"] == reading["thresholds_version"]


@pytest.mark.parametrize("kind", ["rate_limited", "server_error", "cut"])
async def test_faults_of_the_moment_are_waited_out(
    api: httpx.AsyncClient,
    services: Services,
    pool: Pool,
    trainer: Served,
    faults: Faults,
    version: Json,
    kind: CallFault,
) -> None:
    """Two in a row at every call that a run needs."""
    before = read_ledger(trainer.folder)
    for on in CALLS:
        faults.add(Fault(kind=kind, on=on, times=2, retry_after_s=0.01))
    run = await start(api, version, n_epochs=1)
    await work_off(hurried(services, 10), pool)
    assert (await get(api, run))["status"] == "succeeded"
    assert faults.planned() == []
    assert spent_since(before, trainer).jobs == 1


async def test_a_job_whose_answer_was_lost_is_found_again(
    api: httpx.AsyncClient, services: Services, pool: Pool, trainer: Served, faults: Faults, version: Json
) -> None:
    """The call was carried out and the connection broke: there is one paid job, not two."""
    before = read_ledger(trainer.folder)
    faults.add(Fault(kind="cut_after", on="jobs.create"))
    run = await start(api, version)
    while (await get(api, run))["status"] == "pending":
        await work_one(services, pool, "move_run")
    assert (await get(api, run))["status"] == "submitting"
    await work_one(services, pool, "move_run")
    assert (await get(api, run))["status"] == "queued"
    await work_off(services, pool)
    assert (await get(api, run))["status"] == "succeeded"
    assert spent_since(before, trainer).jobs == 1


async def test_a_job_that_the_list_shows_late_is_waited_for(
    api: httpx.AsyncClient, services: Services, pool: Pool, trainer: Served, faults: Faults, version: Json
) -> None:
    """The answer was lost, and a replica that lags behind does not list the job for almost a minute."""
    before = read_ledger(trainer.folder)
    faults.add(Fault(kind="cut_after", on="jobs.create"))
    faults.add(Fault(kind="empty", on="jobs.list", times=8))
    run = await start(api, version)
    await work_off(hurried(services, 4), pool)
    assert faults.planned() == []
    assert (await get(api, run))["status"] == "succeeded"
    assert spent_since(before, trainer).jobs == 1


async def test_a_submission_that_never_arrived_is_made_again_after_a_minute(
    api: httpx.AsyncClient, services: Services, pool: Pool, trainer: Served, faults: Faults, version: Json
) -> None:
    before = read_ledger(trainer.folder)
    faults.add(Fault(kind="cut", on="jobs.create"))
    run = await start(api, version)
    while (await get(api, run))["status"] == "pending":
        await work_one(services, pool, "move_run")
    for _ in range(5):
        await work_one(later(services, move_run.SETTLE_S - 10), pool, "move_run")
    assert (await get(api, run))["status"] == "submitting"
    await work_off(later(services, move_run.SETTLE_S), pool)
    assert (await get(api, run))["status"] == "succeeded"
    assert spent_since(before, trainer).jobs == 1


async def test_a_worker_that_died_after_the_paid_call_pays_once(
    api: httpx.AsyncClient,
    services: Services,
    pool: Pool,
    trainer: Served,
    version: Json,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = read_ledger(trainer.folder)
    run = await start(api, version, n_epochs=1)

    class Killed(BaseException):
        pass

    async def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(move_run, "_submitted", die)
        with pytest.raises(Killed):
            await work_off(services, pool, "move_run")
    assert spent_since(before, trainer).jobs == 1
    assert await pool.fetchval("select count(*) from lease") == 0
    await work_off(services, pool)
    await move_run.move_run(services, run["id"])
    await work_off(services, pool)
    assert (await get(api, run))["status"] == "succeeded"
    assert spent_since(before, trainer).jobs == 1


async def test_two_workers_on_one_run_make_one_job(
    api: httpx.AsyncClient, services: Services, pool: Pool, trainer: Served, faults: Faults, version: Json
) -> None:
    before = read_ledger(trainer.folder)
    faults.add(Fault(kind="slow", on="jobs.create", delay_s=0.2))
    run = await start(api, version, n_epochs=1)
    for _ in range(10):
        await asyncio.gather(*(move_run.move_run(services, run["id"]) for _ in range(5)))
        if (await get(api, run))["status"] not in ("pending", "submitting"):
            break
    await work_off(services, pool)
    assert (await get(api, run))["status"] == "succeeded"
    assert spent_since(before, trainer).jobs == 1


async def test_a_run_cancelled_before_it_was_sent_costs_nothing(
    api: httpx.AsyncClient, services: Services, pool: Pool, trainer: Served, version: Json
) -> None:
    before = read_ledger(trainer.folder)
    run = await start(api, version)
    ok(await api.post(f"/v1/runs/{run['id']}/cancel"))
    await work_off(services, pool)
    assert (await get(api, run))["status"] == "cancelled"
    assert spent_since(before, trainer).jobs == 0


async def test_a_run_cancelled_while_its_submission_failed_is_not_sent_again(
    api: httpx.AsyncClient, services: Services, pool: Pool, trainer: Served, faults: Faults, version: Json
) -> None:
    before = read_ledger(trainer.folder)
    faults.add(Fault(kind="cut", on="jobs.create"))
    run = await start(api, version)
    while (await get(api, run))["status"] == "pending":
        await work_one(services, pool, "move_run")
    ok(await api.post(f"/v1/runs/{run['id']}/cancel"))
    await work_off(later(services, move_run.SETTLE_S), pool)
    assert (await get(api, run))["status"] == "cancelled"
    assert spent_since(before, trainer).jobs == 0


async def test_a_run_cancelled_while_it_trains(
    api: httpx.AsyncClient, services: Services, pool: Pool, faults: Faults, version: Json
) -> None:
    faults.add(Fault(kind="slow_training", delay_s=0.2))
    run = await start(api, version)
    while (await get(api, run))["status"] not in ("running", "succeeded"):
        await work_one(services, pool, "move_run")
    ok(await api.post(f"/v1/runs/{run['id']}/cancel"))
    await work_off(services, pool)
    assert (await get(api, run))["status"] == "cancelled"


async def test_a_job_that_fails_ends_the_run_with_the_providers_words(
    api: httpx.AsyncClient, services: Services, pool: Pool, faults: Faults, version: Json
) -> None:
    faults.add(Fault(kind="job_fails"))
    run = await start(api, version)
    await work_off(services, pool)
    failed = await get(api, run)
    assert failed["status"] == "failed"
    assert failed["failure"]
    answer = ok(await api.get("/v1/loops/letters/next"))
    assert answer["action"]["kind"] != "wait"


async def test_an_unknown_status_keeps_the_run_under_way(
    api: httpx.AsyncClient, services: Services, pool: Pool, faults: Faults, version: Json
) -> None:
    """Hazards 13: a new word is kept and shown, and is no error."""
    faults.add(Fault(kind="job_status", status="rebalancing", times=3))
    run = await start(api, version)
    seen = set()
    while (now := await get(api, run))["status"] not in ("succeeded", "failed"):
        seen.add((now["status"], now["provider_status"]))
        assert await work_one(services, pool, "move_run") is not None
    assert ("queued", "rebalancing") in seen or ("running", "rebalancing") in seen
    assert now["status"] == "succeeded"


async def test_a_malformed_result_file_does_not_lose_the_run(
    api: httpx.AsyncClient, services: Services, pool: Pool, faults: Faults, version: Json
) -> None:
    faults.add(Fault(kind="malformed_result_file", times=None))
    run = await start(api, version)
    await work_off(services, pool)
    done = await get(api, run)
    assert done["status"] == "succeeded"
    assert "result file" in done["failure"]
    assert done["reading"] is not None, "the points that the events carried are the curve"
    assert ok(await api.get(f"/v1/runs/{run['id']}/metrics"))["n_points"] > 0


async def test_a_job_that_ended_just_before_its_cancellation_counts_as_what_it_is(
    api: httpx.AsyncClient, services: Services, pool: Pool, faults: Faults, version: Json
) -> None:
    run = await start(api, version, n_epochs=1)
    faults.add(Fault(kind="job_status", status="running", times=400))
    while (await get(api, run))["model"] is None:
        if await work_one(services, pool, "move_run") is None:
            break
        if (await get(api, run))["provider_status"] == "running" and (await get(api, run))["last_step"]:
            break
    ok(await api.post(f"/v1/runs/{run['id']}/cancel"))
    faults.clear()
    await work_off(services, pool)
    assert (await get(api, run))["status"] in ("succeeded", "cancelled")


async def test_a_refusal_ends_the_run(
    api: httpx.AsyncClient, services: Services, pool: Pool, version: Json, trainer: Served
) -> None:
    before = read_ledger(trainer.folder)
    run = await start(api, version, base_model="no-such-model")
    await work_off(services, pool)
    failed = await get(api, run)
    assert failed["status"] == "failed"
    assert "no-such-model" in failed["failure"]
    assert spent_since(before, trainer).jobs == 0


async def test_giving_up_ends_a_run_with_the_reason(api: httpx.AsyncClient, services: Services, version: Json) -> None:
    run = await start(api, version)
    await move_run.give_up(services, run["id"], "it crashed five times")
    failed = await get(api, run)
    assert (failed["status"], failed["failure"]) == ("failed", "it crashed five times")
    await move_run.give_up(services, run["id"], "again")
    assert await get(api, run) == failed


async def test_a_wait_on_a_run_ends_when_it_moves(
    api: httpx.AsyncClient, services: Services, pool: Pool, version: Json
) -> None:
    run = await start(api, version)
    tag = {"If-None-Match": f'"{run["version"]}"'}
    watching = asyncio.create_task(api.get("/v1/runs/letters~R1?wait=20", headers=tag))
    await until(lambda: services.bell.n_waiting > 0)
    while not watching.done():
        await work_one(services, pool, "move_run")
        await asyncio.sleep(0.01)
    moved = ok(await watching, 200)
    assert moved["version"] > run["version"]


async def test_the_provider_is_not_asked_more_often_than_it_allows(
    api: httpx.AsyncClient, services: Services, pool: Pool, trainer: Served, faults: Faults, version: Json
) -> None:
    """Retry-After is left to the queue, kept also by the sweep, and holds up no worker."""
    faults.add(Fault(kind="rate_limited", times=None, retry_after_s=120))
    await start(api, version)
    calls = sum(read_ledger(trainer.folder).calls.values())
    async with asyncio.timeout(10):
        await work_one(services, pool, "move_run")
    assert sum(read_ledger(trainer.folder).calls.values()) == calls + 1
    await sweep(later(services, 60))
    (due_in_s,) = await pool.fetchrow(  # type: ignore[misc]
        "select extract(epoch from scheduled_at - now())::float from procrastinate_jobs where task_name = 'move_run'"
    )
    assert 100 < due_in_s <= 120
