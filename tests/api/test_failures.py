"""What evaluated models fail on, over HTTP: worked out by the worker, once for each question."""

import httpx
import pytest
from tests.api.dataset_driving import FILLING, chat, jsonl
from tests.api.driving import EXACT, Json, make_loop, ok, refused, register, upload

from whatnext_service.flows import failure_groups as flow
from whatnext_service.flows.context import Services
from whatnext_service.flows.failure_groups import give_up, group_failures
from whatnext_service.store.db import Pool

FAILURES = "/v1/evaluations/{}/failures"
TRAINING = [chat(f"Sort the letters of word {n}", "x") for n in range(40)]
ITEMS = [chat(f"Translate sentence {n} into French", "x", tags=["french"]) for n in range(6)]
ITEMS += [chat(f"Order these letters, please: case {n}", "x", tags=["sorting"]) for n in range(14)]
SCORES = [1.0] * 6 + [10.0] * 13 + [None]


async def suite_of(api: httpx.AsyncClient, loop: str, content: bytes) -> Json:
    held_out = await upload(api, f"{loop} held out", content)
    body = {"loop_id": loop, "name": "choosing", "dataset_version_id": held_out["id"], "graders": [EXACT]}
    return ok(await api.post("/v1/eval-suites", json=body), 201)


async def evaluated(api: httpx.AsyncClient) -> tuple[Json, Json]:
    """A loop, and the evaluation of its untuned model."""
    loop = await make_loop(api)
    await upload(api, "training", jsonl(*TRAINING), loop=loop["id"])
    suite = await suite_of(api, loop["slug"], jsonl(*ITEMS))
    return loop, await register(api, loop["slug"], suite, SCORES)


async def ask(api: httpx.AsyncClient, evaluation: Json, **params: object) -> Json:
    return ok(await api.get(FAILURES.format(evaluation["id"]), params=params))


@pytest.mark.parametrize("large_bytes", [flow.LARGE_BYTES, 1], ids=["here", "elsewhere"])
async def test_failures_are_grouped_and_held_against_the_training_data(
    api: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch, large_bytes: int
) -> None:
    monkeypatch.setattr(flow, "LARGE_BYTES", large_bytes)
    _, evaluation = await evaluated(api)
    await group_failures(services, evaluation["id"])
    found = await ask(api, evaluation)
    assert (found["status"], found["below"], found["n_scored"], found["n_failed"]) == ("ready", 5.5, 19, 6)
    assert found["n_training_rows"] == 40
    (group,) = found["groups"]
    assert (group["tag"], group["n_failed"], group["n_items"], group["n_training_rows"]) == ("french", 6, 6, 0)
    assert {"translate", "french"} <= set(group["terms"])


async def test_another_question_is_answered_once_and_then_known(api: httpx.AsyncClient, services: Services) -> None:
    _, evaluation = await evaluated(api)
    asked = await api.get(FAILURES.format(evaluation["id"]), params={"below": 0.5})
    assert (asked.json()["status"], asked.json()["groups"]) == ("pending", [])
    await group_failures(services, evaluation["id"])
    known = await api.get(
        FAILURES.format(evaluation["id"]),
        params={"below": 0.5, "wait": 1},
        headers={"If-None-Match": asked.headers["etag"]},
    )
    assert (known.status_code, known.json()["status"], known.json()["n_failed"]) == (200, "ready", 0)
    await group_failures(services, evaluation["id"])
    assert await ask(api, evaluation, below=0.5) == known.json()


async def test_coverage_is_counted_in_the_version_that_is_named(api: httpx.AsyncClient, services: Services) -> None:
    _, evaluation = await evaluated(api)
    other = await upload(
        api, "other", jsonl(*(chat(f"Translate word {n} into French, please", "x") for n in range(12)))
    )
    assert (await ask(api, evaluation, dataset_version_id=other["id"]))["status"] == "pending"
    await group_failures(services, evaluation["id"])
    found = await ask(api, evaluation, dataset_version_id=other["id"])
    assert (found["dataset_version_id"], found["n_training_rows"]) == (other["id"], 12)
    assert found["groups"][0]["n_training_rows"] == 12


async def test_the_end_of_an_evaluation_has_its_failures_grouped(api: httpx.AsyncClient, pool: Pool) -> None:
    _, evaluation = await evaluated(api)
    asked = await pool.fetchval(
        "select count(*) from procrastinate_jobs where task_name = 'group_failures' and args ->> 'subject_id' = $1",
        evaluation["id"],
    )
    assert asked == 1


async def test_a_question_that_cannot_be_answered_says_so_and_may_be_asked_again(
    api: httpx.AsyncClient, services: Services
) -> None:
    _, evaluation = await evaluated(api)
    await ask(api, evaluation)
    await give_up(services, evaluation["id"], "the disk is full")
    assert {(await ask(api, evaluation))[name] for name in ("status", "failure")} == {"failed", "the disk is full"}
    await group_failures(services, evaluation["id"])
    assert (await ask(api, evaluation))["status"] == "ready"


async def test_an_evaluation_under_way_has_no_failures_yet(api: httpx.AsyncClient) -> None:
    loop = await make_loop(api)
    suite = await suite_of(api, loop["slug"], jsonl(*FILLING))
    body = {"loop_id": loop["slug"], "suite_id": suite["id"], "subject": "base_model", "base_model": "sandbox-small"}
    evaluation = ok(await api.post("/v1/evaluations", json=body), 201)
    assert (await ask(api, evaluation))["status"] == "pending"


async def test_failures_of_another_workspace_do_not_exist(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, services: Services
) -> None:
    loop = await make_loop(api)
    suite = await suite_of(api, loop["slug"], jsonl(*FILLING))
    evaluation = await register(api, loop["slug"], suite, [5.0] * 20)
    refused(await stranger.get(FAILURES.format(evaluation["id"])), 404, "not_found")
    await group_failures(services, evaluation["id"])
    assert (await ask(api, evaluation))["dataset_version_id"] is None
