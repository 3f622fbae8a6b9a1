"""Evaluations through the API: logs from outside, cancelling, calibration, comparison."""

import json

import httpx
from tests.api.counting import Counts
from tests.api.driving import make_loop, make_suite, ok, refused, register, spread

SUMS = [f"How much is {n} and {n}?" for n in range(30)]
BASE = {"subject": "base_model", "base_model": "gpt-4.1-mini"}


def content(n_items: int = 30) -> bytes:
    lines = [
        {"messages": [{"role": "user", "content": SUMS[n]}, {"role": "assistant", "content": str(2 * n)}]}
        for n in range(n_items)
    ]
    return "\n".join(json.dumps(each) for each in lines).encode()


def inspect_log(*values: object) -> bytes:
    samples = [
        {"id": n + 1, "epoch": 1, "input": SUMS[n], "target": "", "scores": {"match": {"value": value}}}
        for n, value in enumerate(values)
    ]
    return json.dumps({"version": 2, "status": "success", "eval": {"task": "sums"}, "samples": samples}).encode()


async def test_an_inspect_log_is_taken_over_once_under_one_key(api: httpx.AsyncClient) -> None:
    loop = await make_loop(api)
    suite = await make_suite(api, loop["slug"], content=content())
    query = {"loop_id": loop["id"], "suite_id": suite["id"], **BASE}
    headers = {"Idempotency-Key": "once"}
    body = inspect_log(*"CI" * 15)
    first = ok(await api.post("/v1/evaluations/import", params=query, content=body, headers=headers), 201)
    assert (first["status"], first["combined"], first["n_scored"]) == ("succeeded", 5.5, 30)
    assert (first["origin"], first["instrument"]) == ("registered", "inspect_ai: match")
    again = await api.post("/v1/evaluations/import", params=query, content=body, headers=headers)
    assert (again.json()["id"], again.headers["idempotent-replayed"]) == (first["id"], "true")
    items = ok(await api.get(f"/v1/evaluations/{first['id']}/items", params={"limit": 2}))["data"]
    assert [item["combined"] for item in items] == [10.0, 1.0]


async def test_a_log_that_does_not_fit_leaves_nothing_behind(api: httpx.AsyncClient, counts: Counts) -> None:
    loop = await make_loop(api)
    suite = await make_suite(api, loop["slug"], content=content(10))
    query = {"loop_id": loop["id"], "suite_id": suite["id"], **BASE}
    before = await counts()
    too_many = await api.post("/v1/evaluations/import", params=query, content=inspect_log(*"C" * 11))
    refused(too_many, 400, "invalid_evaluation_log", "/11")
    refused(await api.post("/v1/evaluations/import", params=query, content=b"%PDF-1.4"), 400, "invalid_evaluation_log")
    refused(
        await api.post("/v1/evaluations/import", params=query | {"subject": "run"}, content=b"x"),
        400,
        "invalid_evaluation",
    )
    assert await counts() == before


async def test_another_instruments_scores_compare_only_with_their_like(api: httpx.AsyncClient) -> None:
    loop = await make_loop(api)
    suite = await make_suite(api, loop["slug"], content=content())
    ours = await register(api, loop["id"], suite, spread(6.0, 30))
    query = {"loop_id": loop["id"], "suite_id": suite["id"], **BASE, "same_instrument": "false"}
    theirs = [
        ok(await api.post("/v1/evaluations/import", params=query, content=inspect_log(*values)), 201)
        for values in ("C" * 15 + "I" * 15, "C" * 30)
    ]
    crossed = ok(await api.get(f"/v1/evaluations/{theirs[1]['id']}/comparison", params={"against": ours["id"]}))
    assert (crossed["verdict"], crossed["slices"], crossed["missing"]) == ("not_comparable", [], [])
    alike = ok(await api.get(f"/v1/evaluations/{theirs[1]['id']}/comparison", params={"against": theirs[0]["id"]}))
    assert alike["verdict"] == "improved"


async def test_a_waiting_evaluation_is_cancelled_and_an_ended_one_stays(api: httpx.AsyncClient) -> None:
    loop = await make_loop(api)
    suite = await make_suite(api, loop["slug"], content=content())
    body = {"loop_id": loop["id"], "suite_id": suite["id"], "subject": "base_model", "base_model": "sandbox-base"}
    waiting = ok(await api.post("/v1/evaluations", json=body), 201)
    asked = ok(await api.post(f"/v1/evaluations/{waiting['id']}/cancel"))
    assert asked["version"] > waiting["version"]
    ended = await register(api, loop["id"], suite, spread(6.0, 30))
    assert ok(await api.post(f"/v1/evaluations/{ended['id']}/cancel"))["status"] == "succeeded"
    refused(await api.post("/v1/evaluations/eval_none/cancel"), 404, "not_found")


async def test_options_that_can_have_no_effect_are_refused(api: httpx.AsyncClient) -> None:
    loop = await make_loop(api)
    suite = await make_suite(api, loop["slug"], content=content())
    ended = await register(api, loop["id"], suite, spread(6.0, 30))
    body = {"loop_id": loop["id"], "suite_id": suite["id"], "subject": "base_model", "base_model": "sandbox-base"}
    for options, pointer in (
        ({"max_cost": "1"}, "/prices"),
        ({"n_gradings": 2}, "/n_gradings"),
        ({"indexes": [1]}, "/indexes"),
        ({"regrade_of": ended["id"]}, "/subject"),
        ({"subject": None}, "/subject"),
    ):
        refused(await api.post("/v1/evaluations", json=body | options), 400, "invalid_evaluation", pointer)
    unanswered = {"loop_id": loop["id"], "suite_id": suite["id"], "regrade_of": ended["id"]}
    refused(await api.post("/v1/evaluations", json=unanswered), 409, "nothing_to_grade")


async def test_hand_grades_are_kept_and_listed(api: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    loop = await make_loop(api)
    suite = await make_suite(api, loop["slug"], content=content())
    ended = await register(api, loop["id"], suite, [1.0 + n * 0.3 for n in range(30)])
    path = f"/v1/eval-suites/{suite['id']}/calibrations"
    grades = [{"evaluation_id": ended["id"], "index": n, "score": 1.0 + n * 0.3} for n in range(12)]
    made = ok(await api.post(path, json={"grades": grades}), 201)
    assert made["reading"]["verdict"] == "sound"
    assert [each["id"] for each in ok(await api.get(path))["data"]] == [made["id"]]
    refused(await api.post(path, json={"grades": grades[:9]}), 400, "invalid_body")
    wrong = [*grades, {"evaluation_id": ended["id"], "index": 20, "score": 11}]
    refused(await api.post(path, json={"grades": wrong}), 400, "invalid_calibration", "/grades/12/score")
    refused(await stranger.get(path), 404, "not_found")
    reading = ok(await api.get(f"/v1/evaluations/{ended['id']}/pass-threshold", params={"threshold": 4.0}))
    assert reading["verdict"] == "good"


async def test_a_guardrail_is_a_grader_or_what_an_answer_costs(api: httpx.AsyncClient) -> None:
    loop = await make_loop(api)
    suite = await make_suite(api, loop["slug"], content=content())
    body = {
        "loop_id": loop["id"],
        "name": "guarded",
        "dataset_version_id": suite["dataset_version_id"],
        "graders": suite["graders"],
        "guardrails": [{"name": "completion_tokens", "tolerance": 5}, {"name": "tone"}],
    }
    refused(await api.post("/v1/eval-suites", json=body), 400, "invalid_suite", "/guardrails/1/name")
    guarded = ok(await api.post("/v1/eval-suites", json=body | {"guardrails": body["guardrails"][:1]}), 201)
    assert guarded["guardrails"] == [{"name": "completion_tokens", "tolerance": 5.0}]
    assert (guarded["judged"], guarded["regrade_sd"], guarded["canaries"]) == (False, 0.0, None)
