"""Autopilot: `auto` carries out what is advised, the other settings wait for a decision."""

import asyncio

import httpx
import pytest
from tests.api.driving import (
    OVERFITTING,
    Json,
    finish,
    first_run,
    make_loop,
    make_suite,
    name_baseline,
    ok,
    put_curve,
    refused,
    register,
    rows,
    spread,
    upload,
)
from tests.flows.working import work_off, work_one

from whatnext_service.flows.carry_out import advise
from whatnext_service.flows.context import Services
from whatnext_service.store.db import Pool

N = 60


async def overfitted(api: httpx.AsyncClient, **fields: object) -> Json:
    """A loop with a baseline and an overfitted first run: another run is what comes next."""
    await make_loop(api, **fields)
    version = await upload(api, "training", rows(335), loop="letters")
    suite = await make_suite(api, "letters", n_items=N)
    baseline = await register(api, "letters", suite, spread(6.0, N), subject="base_model", base_model="gpt-4.1-mini")
    await name_baseline(api, "letters", baseline)
    run = await first_run(api, "letters", version)
    await put_curve(api, run, OVERFITTING)
    await finish(api, run)
    await register(api, "letters", suite, spread(7.0, N), subject="run", run_id=run["id"])
    return ok(await api.get(f"/v1/runs/{run['id']}"))


@pytest.mark.parametrize("autopilot", ["off", "propose"])
async def test_without_autopilot_nothing_is_started(
    api: httpx.AsyncClient, services: Services, pool: Pool, autopilot: str
) -> None:
    await overfitted(api, autopilot=autopilot)
    await work_off(services, pool)
    assert ok(await api.get("/v1/loops/letters"))["n_runs"] == 1


async def test_autopilot_starts_what_is_advised_once(api: httpx.AsyncClient, services: Services, pool: Pool) -> None:
    first = await overfitted(api, autopilot="auto", choices={"base_models": ["gpt-4.1-mini"]})
    for _ in range(5):
        await work_one(services, pool, "advise")
    runs = ok(await api.get("/v1/runs?loop_id=letters"))["data"]
    assert [run["number"] for run in runs] == [2, 1]
    assert (runs[0]["parent_run_id"], len(runs[0]["changed"])) == (first["id"], 1)
    rec = ok(await api.get(f"/v1/recommendations/{runs[0]['recommendation_id']}"))
    assert (rec["status"], rec["carried_out_by"]) == ("accepted", runs[0]["id"])
    assert ok(await api.get("/v1/loops/letters/next"))["action"]["kind"] == "wait"


async def test_autopilot_that_may_not_leaves_the_advice_open(
    api: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    """The parent was trained at a provider that is no longer configured: the advice stands, and the log says so."""
    await overfitted(api, autopilot="auto", choices={"base_models": ["gpt-4.1-mini"]})
    await pool.execute("update run set provider = 'openai'")
    await work_off(services, pool, "advise")
    answer = ok(await api.get("/v1/loops/letters/next"))
    assert answer["action"]["kind"] == "start_run"
    rec = ok(await api.get(f"/v1/recommendations/{answer['action']['recommendation_id']}"))
    assert rec["status"] == "open"
    events = ok(await api.get("/v1/events?limit=100&type=autopilot.refused"))["data"]
    assert [event["subject_id"] for event in events] == [rec["id"]]
    response = await api.put(f"/v1/recommendations/{rec['id']}/decision", json={"verdict": "accepted"})
    refused(response, 409, "provider_not_configured")


async def test_autopilot_and_a_person_do_not_start_the_same_twice(
    api: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    await overfitted(api, autopilot="auto", choices={"base_models": ["gpt-4.1-mini"]})
    rec = ok(await api.get("/v1/loops/letters/next"))["action"]["recommendation_id"]
    loop = ok(await api.get("/v1/loops/letters"))["id"]
    await asyncio.gather(
        *(advise(services, loop) for _ in range(3)),
        *(api.put(f"/v1/recommendations/{rec}/decision", json={"verdict": "accepted"}) for _ in range(3)),
    )
    assert ok(await api.get("/v1/loops/letters"))["n_runs"] == 2


async def test_a_plan_over_several_base_models_is_carried_out_when_it_is_accepted(api: httpx.AsyncClient) -> None:
    """It stands beside the single first run, and takes its place when that is declined (method 6.3)."""
    models = ["sandbox-small", "sandbox-base"]
    await make_loop(api, choices={"base_models": models})
    await upload(api, "training", rows(64), loop="letters")
    suite = await make_suite(api, "letters", n_items=N)
    baseline = await register(api, "letters", suite, spread(3.0, N), subject="base_model", base_model=models[0])
    await name_baseline(api, "letters", baseline)
    single = ok(await api.get("/v1/loops/letters/next"))
    assert single["action"]["kind"] == "start_run"
    assert [each["headline"] for each in single["alternatives"]] == [
        "Train v1 (64 ex) through sandbox-small, sandbox-base, all else equal."
    ]
    decision = f"/v1/recommendations/{single['action']['recommendation_id']}/decision"
    ok(await api.put(decision, json={"verdict": "declined"}))
    plan = ok(await api.get("/v1/loops/letters/next"))
    assert plan["headline"] == single["alternatives"][0]["headline"]
    assert plan["action"]["request"]["path"].endswith("/multi-model")
    decision = f"/v1/recommendations/{plan['action']['recommendation_id']}/decision"
    done = ok(await api.put(decision, json={"verdict": "accepted"}))
    started = ok(await api.get("/v1/runs?loop_id=letters"))["data"][::-1]
    assert [run["config"]["base_model"] for run in started] == models
    assert done["carried_out_by"] == started[0]["id"]
    assert ok(await api.get("/v1/loops/letters/next"))["action"]["kind"] == "wait"
