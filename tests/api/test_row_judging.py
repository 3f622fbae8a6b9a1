"""Asking a judge about training rows, over HTTP."""

import dataclasses
import json
from collections.abc import Iterator

import httpx
import pytest
from tests.api.dataset_driving import FILLING, OPEN, chat, checked, derive, jsonl, new_dataset, send
from tests.api.driving import Json, ok, refused
from tests.flows.endpoint import Endpoint, serving

from whatnext_service.api.application import Application
from whatnext_service.flows.context import Judge, Services
from whatnext_service.flows.judge_rows import judge_rows
from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai_models import OpenAIModels

WELL_FORMED = {"reasoning": "It names a city.", "instructs_judge": False}


def judge(asked: Json) -> str:
    return json.dumps(WELL_FORMED | {"score": 9 if "City" in asked["messages"][-1]["content"] else 1})


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(Endpoint(answer=judge)) as served:
        yield served


@pytest.fixture
async def judged(app: Application, services: Services, endpoint: Endpoint) -> Services:
    """The service with a judge."""
    models = OpenAIModels(PlatformSettings(base_url=endpoint.base_url, api_key="none"))
    with_judge = dataclasses.replace(services, judge=Judge(models=models, model="judge"))
    app.state["services"] = with_judge
    return with_judge


async def version_of(api: httpx.AsyncClient, *rows: Json, name: str = "data", **params: str) -> Json:
    return ok(await send(api, await new_dataset(api, name), jsonl(*rows), **params), 201)


async def test_rows_are_judged_on_request_alone_and_shown_with_the_reasons(
    api: httpx.AsyncClient, judged: Services, endpoint: Endpoint
) -> None:
    version = await version_of(api, *FILLING, chat("And the last one?", "I will not say."))
    at = f"/v1/dataset-versions/{version['id']}"
    refused(await api.get(f"{at}/judging"), 404, "not_found")
    await checked(api, judged, version)
    assert endpoint.n_requests == 0
    begun = ok(await api.post(f"{at}/judging", json={"n_rows": 500, "dimensions": ["correctness"]}), 201)
    assert (begun["status"], begun["n_rows"], begun["model"], begun["threshold"]) == ("pending", 21, "judge", 6.0)
    refused(await api.post(f"{at}/judging", json={}), 409, "judging_open")
    await judge_rows(judged, version["id"])
    done = await api.get(f"{at}/judging")
    assert done.headers["etag"] == f'"{done.json()["version"]}"'
    assert (done.json()["status"], done.json()["n_scored"], done.json()["canaries"]["resists"]) == (
        "succeeded",
        21,
        True,
    )
    report = await checked(api, judged, version)
    check = next(each for each in report["checks"] if each["code"] == "judge")
    assert (check["verdict"], check["n_rows"], check["value"]) == ("good", 1, pytest.approx(1 / 21, abs=1e-6))
    row = ok(await api.get(f"{at}/quality/rows", params={"check": "judge"}))["data"][0]
    assert row["judgement"]["score"] == 1.0
    assert row["judgement"]["judgements"][0]["reasoning"] == "It names a city."
    kept = ok(await derive(api, version, {"kind": "keep_by_score", "min_judge_score": 5}), 201)
    assert (kept["n_before"], kept["n_after"]) == (21, 20)


async def test_what_cannot_be_judged_is_refused_before_it_costs(api: httpx.AsyncClient, judged: Services) -> None:
    version = await version_of(api, *FILLING)
    at = f"/v1/dataset-versions/{version['id']}/judging"
    refused(await api.post(at, json={"max_cost": "1"}), 400, "invalid_judging", "/prices")
    refused(await api.post(at, json={"dimensions": ["quality", "quality"]}), 400, "invalid_judging", "/dimensions")
    refused(await api.post(at, json={"dimensions": ["beauty"]}), 400, "invalid_body")
    refused(await api.post(at, json={"threshold": 11}), 400, "invalid_body")
    refused(await api.post("/v1/dataset-versions/dsv_none/judging", json={}), 404, "not_found")
    asked = await version_of(api, *OPEN, name="open", method="rft")
    refused(await api.post(f"/v1/dataset-versions/{asked['id']}/judging", json={}), 400, "invalid_judging")
    refused(await derive(api, version, {"kind": "keep_by_score", "min_judge_score": 5}), 409, "quality_missing")


async def test_without_a_judge_nobody_is_asked(api: httpx.AsyncClient) -> None:
    version = await version_of(api, *FILLING)
    refused(await api.post(f"/v1/dataset-versions/{version['id']}/judging", json={}), 409, "judge_not_configured")


async def test_a_judging_can_be_cancelled_and_is_the_workspaces_own(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, judged: Services, endpoint: Endpoint
) -> None:
    version = await version_of(api, *FILLING)
    at = f"/v1/dataset-versions/{version['id']}/judging"
    ok(await api.post(at, json={}), 201)
    refused(await stranger.get(at), 404, "not_found")
    refused(await stranger.post(f"{at}/cancel"), 404, "not_found")
    assert ok(await api.post(f"{at}/cancel"), 200)["status"] == "pending"
    await judge_rows(judged, version["id"])
    done = ok(await api.get(at))
    assert (done["status"], done["ended_early"], done["n_scored"]) == ("cancelled", "cancelled", 0)
    assert endpoint.n_requests == 0
    assert ok(await api.post(f"{at}/cancel"), 200)["status"] == "cancelled"
