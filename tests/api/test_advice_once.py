"""What is advised is carried out once, though two that do not know of each other send its request without a key."""

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

N = 60


@pytest.fixture
async def run(api: httpx.AsyncClient) -> Json:
    """An overfitted run, evaluated: another learning rate is advised."""
    await make_loop(api)
    version = await upload(api, "training", rows(335), loop="letters")
    suite = await make_suite(api, "letters", n_items=N)
    await name_baseline(api, "letters", await register(api, "letters", suite, spread(6.0, N)))
    made = await first_run(api, "letters", version)
    await put_curve(api, made, OVERFITTING)
    made = await finish(api, made)
    await register(api, "letters", suite, spread(7.0, N), subject="run", run_id=made["id"])
    return made


async def advice(api: httpx.AsyncClient) -> Json:
    return ok(await api.get("/v1/loops/letters/next"))


async def test_twins_at_once_start_one_run(api: httpx.AsyncClient, run: Json) -> None:
    request = (await advice(api))["action"]["request"]
    answers = await asyncio.gather(*(api.post(request["path"], json=request["body"]) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(ok(await api.get("/v1/runs"))["data"]) == 2


async def test_sent_again_later_it_is_the_same_run_whatever_became_of_it(api: httpx.AsyncClient, run: Json) -> None:
    request = (await advice(api))["action"]["request"]
    made = ok(await api.post(request["path"], json=request["body"]), 201)
    ok(await api.post(f"/v1/runs/{made['id']}/cancel"))
    again = ok(await api.post(request["path"], json=request["body"]), 200)
    assert (again["id"], again["status"]) == (made["id"], "cancelled")


async def test_accepting_beside_sending_the_request_starts_one_run(api: httpx.AsyncClient, run: Json) -> None:
    action = (await advice(api))["action"]
    decision = f"/v1/recommendations/{action['recommendation_id']}/decision"
    send = (api.post(action["request"]["path"], json=action["request"]["body"]) for _ in range(3))
    accept = (api.put(decision, json={"verdict": "accepted"}) for _ in range(3))
    answers = await asyncio.gather(*send, *accept)
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len(ok(await api.get("/v1/runs"))["data"]) == 2


async def test_something_else_under_the_same_recommendation_is_refused_with_what_came_of_it(
    api: httpx.AsyncClient, run: Json
) -> None:
    body = (await advice(api))["action"]["request"]["body"]
    made = ok(await api.post("/v1/runs", json=body), 201)
    other = body | {"overrides": {"n_epochs": 9}}
    problem = refused(await api.post("/v1/runs", json=other), 409, "carried_out_already", "/recommendation_id")
    assert made["id"] in problem["detail"]
    del other["recommendation_id"]
    ok(await api.post("/v1/runs", json=other), 201)


async def test_what_was_declined_is_not_carried_out(api: httpx.AsyncClient, run: Json) -> None:
    action = (await advice(api))["action"]
    ok(await api.put(f"/v1/recommendations/{action['recommendation_id']}/decision", json={"verdict": "declined"}))
    response = await api.post("/v1/runs", json=action["request"]["body"])
    refused(response, 409, "decision_conflict", "/recommendation_id")
    assert len(ok(await api.get("/v1/runs"))["data"]) == 1


async def test_advice_that_is_no_longer_given_is_carried_out_once_too(api: httpx.AsyncClient, run: Json) -> None:
    action = (await advice(api))["action"]
    ok(await api.patch("/v1/loops/letters", json={"choices": {"learning_rate_multiplier": {"min": 1.0, "max": 1.0}}}))
    assert (await advice(api))["action"]["recommendation_id"] != action["recommendation_id"]
    answers = await asyncio.gather(*(api.post("/v1/runs", json=action["request"]["body"]) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 201]
    old = ok(await api.get(f"/v1/recommendations/{action['recommendation_id']}"))
    assert (old["status"], old["carried_out_by"]) == ("superseded", answers[0].json()["id"])


async def test_a_result_measured_for_advice_is_registered_once(api: httpx.AsyncClient, run: Json) -> None:
    """A second result might differ: it is not taken for the first one."""
    rec = (await advice(api))["action"]["recommendation_id"]
    suite = ok(await api.get("/v1/eval-suites"))["data"][0]
    items = [{"index": place, "score": 7.0} for place in range(N)]
    body = {"loop_id": "letters", "suite_id": suite["id"], "subject": "run", "run_id": run["id"], "items": items}
    body["recommendation_id"] = rec
    made = ok(await api.post("/v1/evaluations", json=body), 201)
    problem = refused(await api.post("/v1/evaluations", json=body), 409, "carried_out_already", "/recommendation_id")
    assert made["id"] in problem["detail"]


async def test_twins_at_once_ship_one_model(api: httpx.AsyncClient, run: Json) -> None:
    saved = {"step": 80, "model": "ft:x", "final": True}
    checkpoint = ok(await api.post(f"/v1/runs/{run['id']}/checkpoints", json=saved), 201)
    body = {"loop_id": "letters", "run_id": run["id"], "checkpoint_id": checkpoint["id"], "override_reason": "cheaper"}
    body["recommendation_id"] = (await advice(api))["action"]["recommendation_id"]
    answers = await asyncio.gather(*(api.post("/v1/deployments", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    (deployed,) = ok(await api.get("/v1/deployments"))["data"]
    ok(await api.delete(f"/v1/deployments/{deployed['id']}"))
    refused(await api.post("/v1/deployments", json=body), 409, "carried_out_already", "/recommendation_id")


async def test_what_the_service_evaluates_for_advice_is_evaluated_once(api: httpx.AsyncClient, run: Json) -> None:
    suite = ok(await api.get("/v1/eval-suites"))["data"][0]
    body = {"loop_id": "letters", "suite_id": suite["id"], "subject": "base_model", "base_model": "gpt-4.1-nano"}
    body |= {"provider": "sandbox", "recommendation_id": (await advice(api))["action"]["recommendation_id"]}
    answers = await asyncio.gather(*(api.post("/v1/evaluations", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = body | {"base_model": "gpt-4.1-mini"}
    problem = refused(await api.post("/v1/evaluations", json=other), 409, "carried_out_already", "/recommendation_id")
    assert answers[0].json()["id"] in problem["detail"]
