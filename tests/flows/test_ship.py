"""Several base models at once, shipping the best, and cleaning up the rest."""

import httpx
from tests.api.counting import Counts
from tests.api.driving import Json, make_loop, make_suite, name_baseline, ok, refused, register, rows, spread, upload
from tests.flows.working import work_off

from whatnext_service.flows.context import Services
from whatnext_service.sandbox.faults import Fault, Faults
from whatnext_service.store.db import Pool

N = 40
MODELS = ["sandbox-small", "sandbox-base"]


async def two_models(api: httpx.AsyncClient, services: Services, pool: Pool) -> tuple[Json, Json]:
    await make_loop(api)
    version = await upload(api, "training", rows(64), loop="letters")
    suite = await make_suite(api, "letters", n_items=N)
    baseline = await register(api, "letters", suite, spread(3.0, N), subject="base_model", base_model="sandbox-small")
    await name_baseline(api, "letters", baseline)
    body = {"dataset_version_id": version["id"], "base_models": MODELS, "provider": "sandbox", "n_epochs": 1}
    planned = ok(await api.post("/v1/loops/letters/multi-model", json=body), 201)
    assert [run["config"]["base_model"] for run in planned["runs"]] == MODELS
    configs = [{**run["config"], "base_model": None} for run in planned["runs"]]
    assert configs[0] == configs[1], "all else is equal"
    assert [run["number"] for run in ok(await api.get("/v1/runs"))["data"]] == [2, 1]
    await work_off(services, pool)
    for run, score in zip(planned["runs"], (5.0, 7.0), strict=True):
        await register(api, "letters", suite, spread(score, N), subject="run", run_id=run["id"])
    first, second = [ok(await api.get(f"/v1/runs/{run['id']}")) for run in planned["runs"]]
    return first, second


async def test_the_rest_is_deleted_at_the_provider_when_one_is_shipped(
    api: httpx.AsyncClient, services: Services, pool: Pool, faults: Faults
) -> None:
    first, second = await two_models(api, services, pool)
    assert first["model"]
    assert second["model"]
    assert ok(await api.post("/v1/deployments/cleanup", json={}))["leftovers"] == []
    body = {"loop_id": "letters", "run_id": second["id"]}
    shipped = ok(await api.post("/v1/deployments", json=body), 201)
    assert (shipped["model"], shipped["status"]) == (second["model"], "live")
    plan = ok(await api.post("/v1/deployments/cleanup", json={"loop_id": "letters"}))
    assert (plan["dry_run"], plan["n_deleting"]) == (True, 0)
    assert [each["run_id"] for each in plan["leftovers"]] == [first["id"]]
    faults.add(Fault(kind="server_error", on="models.delete", times=3))
    done = ok(await api.post("/v1/deployments/cleanup", json={"dry_run": False}))
    assert done["n_deleting"] == 1
    await work_off(services, pool)
    assert ok(await api.get(f"/v1/runs/{first['id']}"))["model"] is None
    assert ok(await api.post("/v1/deployments/cleanup", json={}))["leftovers"] == []
    assert ok(await api.get(f"/v1/runs/{second['id']}"))["model"] == second["model"]


async def test_a_plan_of_one_model_or_four_is_none(api: httpx.AsyncClient, counts: Counts) -> None:
    await make_loop(api)
    version = await upload(api, "training", rows(64), loop="letters")
    before = await counts()
    for models in (MODELS[:1], ["a", "b", "c", "d"]):
        body = {"dataset_version_id": version["id"], "base_models": models}
        refused(await api.post("/v1/loops/letters/multi-model", json=body), 400, "invalid_body", "/base_models")
    body = {"dataset_version_id": "none"}
    response = await api.post("/v1/loops/letters/multi-model", json=body)
    refused(response, 400, "unknown_reference", "/dataset_version_id")
    assert await counts() == before


async def test_a_plan_that_the_budget_does_not_cover_starts_nothing(api: httpx.AsyncClient, counts: Counts) -> None:
    """All of its runs or none."""
    await make_loop(api, budget={"max_runs": 1})
    version = await upload(api, "training", rows(64), loop="letters")
    before = await counts()
    body = {"dataset_version_id": version["id"], "base_models": MODELS, "provider": "sandbox", "n_epochs": 1}
    refused(await api.post("/v1/loops/letters/multi-model", json=body), 409, "budget_exhausted")
    assert await counts() == before
