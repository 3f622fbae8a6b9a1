import asyncio

import httpx
import pytest
from tests.api.counting import Counts
from tests.api.driving import (
    HEALTHY,
    Json,
    finish,
    first_run,
    make_loop,
    make_suite,
    next_run,
    ok,
    put_curve,
    refused,
    rows,
    upload,
)

from whatnext_service.store.db import Pool


@pytest.fixture
async def version(api: httpx.AsyncClient) -> Json:
    await make_loop(api)
    return await upload(api, "training", rows(60), loop="letters")


async def test_runs_are_numbered_within_their_loop(api: httpx.AsyncClient, version: Json) -> None:
    first = await first_run(api, "letters", version)
    second = await next_run(api, "letters", first, n_epochs=3)
    await make_loop(api, "other")
    elsewhere = await first_run(api, "other", version)
    assert [run["name"] for run in (first, second, elsewhere)] == ["R1", "R2", "R1"]
    assert (second["parent_run_id"], second["changed"]) == (first["id"], ["n_epochs"])
    assert second["config"] == first["config"] | {"n_epochs": 3}


async def test_twenty_runs_at_once_get_twenty_numbers(api: httpx.AsyncClient, version: Json) -> None:
    made = await asyncio.gather(*(first_run(api, "letters", version, config={"seed": seed}) for seed in range(20)))
    assert sorted(run["number"] for run in made) == list(range(1, 21))


@pytest.mark.parametrize("ref", ["letters%2FR2", "letters~R2", "letters/R2"])
@pytest.mark.parametrize("rest", ["", "/metrics", "/checkpoints"])
async def test_a_run_is_found_by_its_name(api: httpx.AsyncClient, version: Json, ref: str, rest: str) -> None:
    await first_run(api, "letters", version)
    second = await first_run(api, "letters", version, config={"seed": 2})
    by_name = ok(await api.get(f"/v1/runs/{ref}{rest}"), 200)
    assert by_name == ok(await api.get(f"/v1/runs/{second['id']}{rest}"), 200)


@pytest.mark.parametrize(
    "ref", ["letters~R0", "letters~R03", "letters~R3", "nothing~R1", "letters~r1", "letters~R9999999999"]
)
async def test_a_name_of_no_run_is_not_found(api: httpx.AsyncClient, version: Json, ref: str) -> None:
    await first_run(api, "letters", version)
    refused(await api.get(f"/v1/runs/{ref}"), 404, "not_found")


async def test_a_name_also_serves_in_bodies(api: httpx.AsyncClient, version: Json) -> None:
    first = await first_run(api, "letters", version)
    body = {"loop_id": "letters", "parent_run_id": "letters/R1", "overrides": {"n_epochs": 4}}
    assert ok(await api.post("/v1/runs", json=body), 201)["parent_run_id"] == first["id"]


async def test_more_than_one_change_is_confounded(api: httpx.AsyncClient, version: Json, counts: Counts) -> None:
    """Method 1: one variable changes per experiment; more only when the caller insists, and then it is marked."""
    first = await first_run(api, "letters", version)
    before = await counts()
    body = {
        "loop_id": "letters",
        "parent_run_id": first["id"],
        "overrides": {"n_epochs": 3, "learning_rate_multiplier": 0.5},
    }
    problem = refused(
        await api.post("/v1/runs", json=body),
        409,
        "confounded_change",
        "/overrides/n_epochs",
        "/overrides/learning_rate_multiplier",
    )
    assert "n_epochs (2 to 3)" in problem["detail"]
    assert await counts() == before
    run = ok(await api.post("/v1/runs", json=body | {"allow_confounded": True}), 201)
    assert run["confounded_by"] == ["n_epochs", "learning_rate_multiplier"]
    history = await api.get("/v1/loops/letters/history", headers={"Accept": "text/markdown"})
    assert "confounded" in history.text


async def test_a_whole_config_beside_a_parent_is_held_to_one_change_too(api: httpx.AsyncClient, version: Json) -> None:
    first = await first_run(api, "letters", version)
    config = first["config"] | {"n_epochs": 5, "batch_size": 16}
    body = {"loop_id": "letters", "parent_run_id": first["id"], "config": config}
    refused(await api.post("/v1/runs", json=body), 409, "confounded_change")


async def test_the_seed_alone_is_a_repeat(api: httpx.AsyncClient, version: Json) -> None:
    first = await first_run(api, "letters", version)
    repeat = await next_run(api, "letters", first, seed=7)
    assert (repeat["changed"], repeat["confounded_by"]) == ([], [])


async def test_training_data_must_not_be_in_a_suite(api: httpx.AsyncClient, version: Json, counts: Counts) -> None:
    """Method 4: never on training or validation examples; detected by content."""
    await make_suite(api, "letters", content=rows(30, seed=77))
    leaky = await upload(api, "leaky", rows(60, seed=5) + rows(3, seed=77))
    before = await counts()
    body = {"loop_id": "letters", "provider": "external"}
    config = {"base_model": "m", "dataset_version_id": leaky["id"]}
    response = await api.post("/v1/runs", json=body | {"config": config})
    problem = refused(response, 409, "data_overlap", "/config/dataset_version_id")
    assert "3 of the items" in problem["detail"]
    first = await first_run(api, "letters", version)
    before = await counts()
    overrides = {"parent_run_id": first["id"], "overrides": {"dataset_version_id": leaky["id"]}}
    response = await api.post("/v1/runs", json={"loop_id": "letters"} | overrides)
    refused(response, 409, "data_overlap", "/overrides/dataset_version_id")
    assert await counts() == before


async def test_a_suite_must_not_hold_training_data(api: httpx.AsyncClient, version: Json, counts: Counts) -> None:
    held_out = await upload(api, "held-out", rows(20, seed=5) + rows(10))
    before = await counts()
    grader = {
        "type": "string_check",
        "name": "g",
        "input": "{{sample.output_text}}",
        "reference": "a",
        "operation": "eq",
    }
    body = {
        "loop_id": "letters",
        "name": "s",
        "dataset_version_id": held_out["id"],
        "graders": [{"name": "g", "grader": grader}],
    }
    refused(await api.post("/v1/eval-suites", json=body), 409, "data_overlap", "/dataset_version_id")
    assert await counts() == before


async def test_an_ended_run_stays_as_it_is(api: httpx.AsyncClient, version: Json) -> None:
    run = await finish(api, await first_run(api, "letters", version))
    path = f"/v1/runs/{run['id']}"
    refused(await api.patch(path, json={"status": "running"}), 409, "run_ended")
    assert ok(await api.post(f"{path}/cancel"), 200) == run
    noted = ok(await api.patch(path, json={"note": "good"}), 200)
    assert (noted["note"], noted["status"], noted["version"]) == ("good", "succeeded", run["version"] + 1)


async def test_an_external_run_is_reported_by_hand(api: httpx.AsyncClient, version: Json) -> None:
    run = await first_run(api, "letters", version)
    assert (run["status"], run["started_at"] is not None) == ("running", True)
    effective = {
        "base_model_snapshot": "gpt-4.1-mini-2025-04-14",
        "dataset_sha256": None,
        "validation_sha256": None,
        "n_examples": 60,
        "n_epochs": 2,
        "learning_rate_multiplier": 1.0,
        "batch_size": 4,
        "n_steps": 30,
        "seed": 1,
    }
    failed = ok(
        await api.patch(
            f"/v1/runs/{run['id']}",
            json={"status": "failed", "failure": "out of memory", "cost": "1.20", "effective": effective},
        ),
        200,
    )
    assert (failed["status"], failed["failure"], failed["cost"]) == ("failed", "out of memory", "1.20")
    assert failed["effective"] == effective
    assert failed["finished_at"] is not None


async def test_what_is_known_of_an_external_run_may_be_told_bit_by_bit(api: httpx.AsyncClient, version: Json) -> None:
    names = ("base_model_snapshot", "dataset_sha256", "validation_sha256", "n_examples", "n_epochs", "batch_size")
    unknown: Json = dict.fromkeys((*names, "learning_rate_multiplier", "n_steps", "seed"))
    run = await first_run(api, "letters", version, effective={"batch_size": 8})
    assert run["effective"] == unknown | {"batch_size": 8}
    at = f"/v1/runs/{run['id']}"
    told = ok(await api.patch(at, json={"effective": {"n_epochs": 2, "seed": 7}}))
    assert told["effective"] == unknown | {"batch_size": 8, "n_epochs": 2, "seed": 7}
    taken_back = ok(await api.patch(at, json={"effective": {"seed": None}}))
    assert taken_back["effective"] == unknown | {"batch_size": 8, "n_epochs": 2}
    assert ok(await api.patch(at, json={"effective": {}})) == taken_back
    refused(await api.patch(at, json={"effective": {"epochs": 2}}), 400, "invalid_body", "/effective/epochs")
    refused(await api.patch(at, json={"effective": {"n_epochs": 0}}), 400, "invalid_body", "/effective/n_epochs")
    assert ok(await api.patch(at, json={"effective": None}))["effective"] is None


async def test_if_match_guards_a_run(api: httpx.AsyncClient, version: Json) -> None:
    run = await first_run(api, "letters", version)
    path = f"/v1/runs/{run['id']}"
    refused(await api.patch(path, json={"note": "x"}, headers={"If-Match": '"9"'}), 412, "version_mismatch")
    patched = await api.patch(path, json={"note": "x"}, headers={"If-Match": f'"{run["version"]}"'})
    assert patched.headers["etag"] == f'"{ok(patched)["version"]}"'


async def test_a_version_in_the_etag_never_names_two_states(api: httpx.AsyncClient, version: Json) -> None:
    run = await first_run(api, "letters", version)
    path = f"/v1/runs/{run['id']}"
    seen = {run["version"]: run}
    for change in (
        {"note": "a"},
        {"cost": "1.00"},
        {"status": "queued"},
        {"status": "running"},
        {"status": "succeeded"},
    ):
        body = ok(await api.patch(path, json=change))
        assert body["version"] not in seen
        seen[body["version"]] = body
        assert ok(await api.get(path)) == body


async def test_a_providers_run_is_not_reported_by_hand(api: httpx.AsyncClient, version: Json, counts: Counts) -> None:
    config = {"base_model": "sandbox-small", "dataset_version_id": version["id"], "n_epochs": 1}
    run = ok(await api.post("/v1/runs", json={"loop_id": "letters", "provider": "sandbox", "config": config}), 201)
    assert run["status"] == "pending"
    path = f"/v1/runs/{run['id']}"
    before = await counts()
    refused(await api.patch(path, json={"status": "succeeded"}), 409, "not_external", "/status")
    refused(await api.post(f"{path}/metrics", json={"points": [{"step": 1, "values": {"a": 1}}]}), 409, "not_external")
    refused(await api.put(f"{path}/metrics", content=HEALTHY.encode()), 409, "not_external")
    refused(await api.post(f"{path}/checkpoints", json={"step": 1}), 409, "not_external")
    assert await counts() == before
    assert ok(await api.patch(path, json={"note": "ours"}))["note"] == "ours"


@pytest.mark.parametrize(
    ("provider", "config", "status", "code", "pointer"),
    [
        ("openai", {}, 409, "provider_not_configured", "/provider"),
        ("sandbox", {"base_model": "sandbox-small", "method": "dpo"}, 400, "invalid_run", "/config/method"),
    ],
)
async def test_a_run_no_provider_would_take(
    api: httpx.AsyncClient,
    version: Json,
    counts: Counts,
    provider: str,
    config: Json,
    status: int,
    code: str,
    pointer: str,
) -> None:
    before = await counts()
    config = {"base_model": "gpt-4.1-mini", "dataset_version_id": version["id"]} | config
    response = await api.post("/v1/runs", json={"loop_id": "letters", "provider": provider, "config": config})
    refused(response, status, code, pointer)
    assert await counts() == before


async def test_a_reported_status_is_for_external_runs(api: httpx.AsyncClient, version: Json) -> None:
    config = {"base_model": "sandbox-small", "dataset_version_id": version["id"]}
    body = {"loop_id": "letters", "provider": "sandbox", "config": config, "status": "succeeded"}
    refused(await api.post("/v1/runs", json=body), 400, "invalid_run", "/status")


async def test_the_budget_of_runs_is_kept(api: httpx.AsyncClient, version: Json, counts: Counts) -> None:
    """Method 7.4."""
    ok(await api.patch("/v1/loops/letters", json={"budget": {"max_runs": 1}}))
    config = {"base_model": "sandbox-small", "dataset_version_id": version["id"], "n_epochs": 1}
    body = {"loop_id": "letters", "provider": "sandbox", "config": config}
    ok(await api.post("/v1/runs", json=body), 201)
    before = await counts()
    refused(await api.post("/v1/runs", json=body), 409, "budget_exhausted")
    assert await counts() == before


async def test_twins_do_not_overdraw_the_budget(api: httpx.AsyncClient, version: Json) -> None:
    ok(await api.patch("/v1/loops/letters", json={"budget": {"max_runs": 2}}))
    config = {"base_model": "sandbox-small", "dataset_version_id": version["id"], "n_epochs": 1}
    body = {"loop_id": "letters", "provider": "sandbox", "config": config}
    answers = await asyncio.gather(*(api.post("/v1/runs", json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409, 409]


async def test_a_checkpoint_is_refreshed_at_its_step(api: httpx.AsyncClient, version: Json) -> None:
    run = await first_run(api, "letters", version)
    path = f"/v1/runs/{run['id']}/checkpoints"
    first = ok(await api.post(path, json={"step": 40, "epoch": 1, "model": "ft:1", "full_valid_loss": 0.4}), 201)
    again = ok(await api.post(path, json={"step": 40, "epoch": 1, "model": "ft:1", "full_valid_loss": 0.3}))
    assert (again["id"], again["full_valid_loss"]) == (first["id"], 0.3)
    assert [each["id"] for each in ok(await api.get(path))["data"]] == [first["id"]]


async def test_curves_are_downsampled_and_filtered(api: httpx.AsyncClient, version: Json) -> None:
    run = await first_run(api, "letters", version)
    lines = ["step,train_loss,valid_loss", *(f"{step},{2 / step},{3 / step}" for step in range(1, 501))]
    await put_curve(api, run, "\n".join(lines) + "\n")
    path = f"/v1/runs/{run['id']}/metrics"
    whole = ok(await api.get(path))
    assert whole["n_points"] == 1000
    small = ok(await api.get(path, params={"max_points": 50, "name": "train_loss"}))
    assert [series["name"] for series in small["series"]] == ["train_loss"]
    assert len(small["series"][0]["steps"]) <= 50
    assert small["series"][0]["steps"][0] == 1
    assert small["series"][0]["steps"][-1] == 500


async def test_a_file_again_replaces_the_curve(api: httpx.AsyncClient, version: Json, pool: Pool) -> None:
    run = await first_run(api, "letters", version)
    await put_curve(api, run, "step,train_loss\n" + "".join(f"{step},{1 / step}\n" for step in range(1, 1000)))
    receipt = await put_curve(api, run, HEALTHY)
    assert receipt["last_step"] == 400
    assert await pool.fetchval("select max(step) from metric") == 400
    assert ok(await api.get(f"/v1/runs/{run['id']}"))["last_step"] == 400


async def test_recommendations_of_another_loop_are_not_carried_out(api: httpx.AsyncClient, version: Json) -> None:
    await make_loop(api, "other")
    foreign = ok(await api.get("/v1/loops/other/next"))["action"]["recommendation_id"]
    config = {"base_model": "m", "dataset_version_id": version["id"]}
    body = {"loop_id": "letters", "provider": "external", "config": config, "recommendation_id": foreign}
    refused(await api.post("/v1/runs", json=body), 400, "unknown_reference", "/recommendation_id")
    assert ok(await api.get(f"/v1/recommendations/{foreign}"))["status"] == "open"
