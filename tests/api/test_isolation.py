"""Nothing crosses a workspace: another one's ids do not exist, in paths, bodies, filters and headers alike."""

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
    ok,
    put_curve,
    refused,
    register,
    rows,
    upload,
)


@pytest.fixture
async def theirs(stranger: httpx.AsyncClient) -> Json:
    """Everything another workspace can have."""
    loop = await make_loop(stranger, "secret")
    version = await upload(stranger, "training", rows(60), loop="secret")
    suite = await make_suite(stranger, "secret")
    run = await first_run(stranger, "secret", version)
    await put_curve(stranger, run, HEALTHY)
    checkpoint = ok(await stranger.post(f"/v1/runs/{run['id']}/checkpoints", json={"step": 80, "model": "m"}), 201)
    run = await finish(stranger, run)
    evaluation = await register(stranger, "secret", suite, [5.0] * 30)
    diagnosis = ok(await stranger.post("/v1/diagnoses", json={"run_id": run["id"]}))
    answer = ok(await stranger.get("/v1/loops/secret/next"))
    key = ok(await stranger.get("/v1/keys"))["data"][0]
    event = ok(await stranger.get("/v1/events"))["data"][0]
    body = {"loop_id": "secret", "run_id": run["id"], "checkpoint_id": checkpoint["id"], "override_reason": "test"}
    deployment = ok(await stranger.post("/v1/deployments", json=body), 201)
    return {
        "loop": loop["id"],
        "slug": "secret",
        "dataset": version["dataset_id"],
        "version": version["id"],
        "suite": suite["id"],
        "run": run["id"],
        "run_name": "secret~R1",
        "checkpoint": checkpoint["id"],
        "evaluation": evaluation["id"],
        "diagnosis": diagnosis["id"],
        "recommendation": answer["action"]["recommendation_id"],
        "deployment": deployment["id"],
        "key": key["id"],
        "event": event["id"],
    }


PATHS = [
    ("GET", "/v1/loops/{loop}", None),
    ("GET", "/v1/loops/{slug}", None),
    ("PATCH", "/v1/loops/{slug}", {"task": "mine"}),
    ("PUT", "/v1/loops/{loop}/baseline", {"evaluation_id": "x"}),
    ("GET", "/v1/loops/{loop}/next", None),
    ("GET", "/v1/loops/{slug}/history", None),
    ("POST", "/v1/loops/{slug}/multi-model", {"dataset_version_id": "x"}),
    ("GET", "/v1/datasets/{dataset}", None),
    ("GET", "/v1/datasets/{dataset}/versions", None),
    ("GET", "/v1/dataset-versions/{version}", None),
    ("GET", "/v1/dataset-versions/{version}/content", None),
    ("POST", "/v1/dataset-versions/{version}/derive", {"operations": [{"kind": "drop_duplicates"}]}),
    ("GET", "/v1/runs/{run}", None),
    ("GET", "/v1/runs/{run_name}", None),
    ("PATCH", "/v1/runs/{run}", {"note": "mine"}),
    ("POST", "/v1/runs/{run}/cancel", None),
    ("POST", "/v1/runs/{run}/metrics", {"points": [{"step": 1, "values": {"a": 1}}]}),
    ("GET", "/v1/runs/{run}/metrics", None),
    ("POST", "/v1/runs/{run}/checkpoints", {"step": 1}),
    ("GET", "/v1/runs/{run}/checkpoints", None),
    ("GET", "/v1/eval-suites/{suite}", None),
    ("GET", "/v1/evaluations/{evaluation}", None),
    ("GET", "/v1/evaluations/{evaluation}/items", None),
    ("GET", "/v1/evaluations/{evaluation}/comparison?against={evaluation}", None),
    ("GET", "/v1/diagnoses/{diagnosis}", None),
    ("GET", "/v1/recommendations/{recommendation}", None),
    ("PUT", "/v1/recommendations/{recommendation}/decision", {"verdict": "declined"}),
    ("GET", "/v1/deployments/{deployment}", None),
    ("DELETE", "/v1/deployments/{deployment}", None),
    ("GET", "/v1/keys/{key}", None),
    ("DELETE", "/v1/keys/{key}", None),
    ("GET", "/v1/runs?loop_id={slug}", None),
    ("GET", "/v1/evaluations?run_id={run}", None),
    ("GET", "/v1/diagnoses?run_id={run_name}", None),
]


async def test_another_workspaces_things_do_not_exist(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, theirs: Json, counts: Counts
) -> None:
    before = await counts()
    for method, path, body in PATHS:
        response = await api.request(method, path.format(**theirs), **({"json": body} if body else {}))  # type: ignore[arg-type]
        refused(response, 404, "not_found")
    refused(await api.post(f"/v1/datasets/{theirs['dataset']}/versions", content=rows(30, seed=5)), 404, "not_found")
    refused(await api.put(f"/v1/runs/{theirs['run']}/metrics", content=HEALTHY.encode()), 404, "not_found")
    refused(await api.get(f"/v1/events?after={theirs['event']}"), 400, "invalid_cursor")
    assert await counts() == before


async def test_another_workspaces_ids_in_bodies_are_unknown(
    api: httpx.AsyncClient, theirs: Json, counts: Counts
) -> None:
    await make_loop(api, "mine")
    version = await upload(api, "training", rows(60), loop="mine")
    suite = await make_suite(api, "mine")
    run = await finish(api, await first_run(api, "mine", version))
    items = [{"index": 0, "score": 5}]
    config = {"base_model": "m", "dataset_version_id": version["id"]}
    evaluation = {
        "loop_id": "mine",
        "suite_id": suite["id"],
        "subject": "base_model",
        "base_model": "m",
        "items": items,
    }
    deployment = {"loop_id": "mine", "run_id": run["id"], "override_reason": "x"}
    run_body = {"loop_id": "mine", "provider": "external", "config": config}
    graders = [
        {
            "name": "g",
            "grader": {"type": "string_check", "name": "g", "input": "a", "reference": "a", "operation": "eq"},
        }
    ]
    before = await counts()
    for path, body, pointer in [
        ("/v1/loops", {"slug": "a", "task": "x", "dataset_id": theirs["dataset"]}, "/dataset_id"),
        ("/v1/loops", {"slug": "a", "task": "x", "validation_version_id": theirs["version"]}, "/validation_version_id"),
        ("/v1/datasets", {"name": "n", "loop_id": theirs["slug"]}, "/loop_id"),
        ("/v1/runs", run_body | {"loop_id": theirs["loop"]}, "/loop_id"),
        (
            "/v1/runs",
            run_body | {"config": config | {"dataset_version_id": theirs["version"]}},
            "/config/dataset_version_id",
        ),
        ("/v1/runs", run_body | {"recommendation_id": theirs["recommendation"]}, "/recommendation_id"),
        (
            "/v1/runs",
            {"loop_id": "mine", "parent_run_id": theirs["run"], "overrides": {"n_epochs": 3}},
            "/parent_run_id",
        ),
        (
            "/v1/eval-suites",
            {"loop_id": "mine", "name": "n", "dataset_version_id": theirs["version"], "graders": graders},
            "/dataset_version_id",
        ),
        (
            "/v1/eval-suites",
            {"loop_id": theirs["slug"], "name": "n", "dataset_version_id": version["id"], "graders": graders},
            "/loop_id",
        ),
        ("/v1/evaluations", evaluation | {"suite_id": theirs["suite"]}, "/suite_id"),
        ("/v1/evaluations", evaluation | {"subject": "run", "base_model": None, "run_id": theirs["run"]}, "/run_id"),
        (
            "/v1/evaluations",
            evaluation | {"subject": "checkpoint", "base_model": None, "checkpoint_id": theirs["checkpoint"]},
            "/checkpoint_id",
        ),
        ("/v1/evaluations", evaluation | {"recommendation_id": theirs["recommendation"]}, "/recommendation_id"),
        ("/v1/diagnoses", {"run_id": theirs["run"]}, "/run_id"),
        ("/v1/deployments", deployment | {"run_id": theirs["run"]}, "/run_id"),
        ("/v1/deployments", deployment | {"checkpoint_id": theirs["checkpoint"]}, "/checkpoint_id"),
        ("/v1/deployments/cleanup", {"loop_id": theirs["loop"]}, "/loop_id"),
    ]:
        refused(await api.post(path, json=body), 400, "unknown_reference", pointer)
    baseline = {"evaluation_id": theirs["evaluation"]}
    refused(await api.put("/v1/loops/mine/baseline", json=baseline), 400, "unknown_reference", "/evaluation_id")
    assert await counts() == before


async def test_lists_show_the_own_workspace_alone(api: httpx.AsyncClient, theirs: Json) -> None:
    for path in (
        "loops",
        "datasets",
        "runs",
        "eval-suites",
        "evaluations",
        "diagnoses",
        "recommendations",
        "deployments",
        "events",
    ):
        assert ok(await api.get(f"/v1/{path}"))["data"] == [], path
    assert len(ok(await api.get("/v1/keys"))["data"]) == 1


async def test_equal_content_is_kept_for_each_workspace(api: httpx.AsyncClient, theirs: Json) -> None:
    """Uploading what another workspace has tells nothing about it, and gives no access to it."""
    version = await upload(api, "training", rows(60))
    assert (version["number"], version["id"] == theirs["version"]) == (1, False)
    assert (await api.get(f"/v1/dataset-versions/{version['id']}/content")).content == rows(60)
