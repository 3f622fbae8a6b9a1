"""Who may do what, read from the document itself: for every operation no key, too small a key, a stranger's key."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.api.driving import HEALTHY, first_run, make_loop, make_suite, ok, put_curve, refused, register, rows, upload
from tests.api.test_openapi import OPERATIONS

Json = dict[str, Any]
KEYED = [each for each in OPERATIONS if "x-required-scope" in each[2]]
OPEN = [each for each in OPERATIONS if "x-required-scope" not in each[2]]
LESSER = {"write": "reader", "admin": "writer"}
EXAMPLES = json.loads((Path(__file__).resolve().parents[2] / "openapi" / "openapi.json").read_text(encoding="utf-8"))[
    "components"
]["examples"]


def named(operations: list[tuple[str, str, Json]]) -> pytest.MarkDecorator:
    ids = [operation["operationId"] for _, _, operation in operations]
    return pytest.mark.parametrize(("method", "path", "operation"), operations, ids=ids)


def sendable(operation: Json, required: Json) -> Json:
    """A valid request: the recorded body, a file, and the parameters that must be there."""
    body = operation.get("requestBody", {}).get("content", {})
    sent: Json = {"params": {name: required.get(name, "1") for name in must(operation)}}
    if media := body.get("application/json"):
        name = media["examples"]["recorded"]["$ref"].rsplit("/", 1)[1]
        sent["json"] = EXAMPLES[name]["value"]
    elif body:
        sent["content"] = rows(12)
    return sent


def must(operation: Json) -> list[str]:
    return [each["name"] for each in operation["parameters"] if each["in"] == "query" and each["required"]]


def filled(path: str, values: Json) -> str:
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", value)
    return path


@named(KEYED)
async def test_without_a_key_nothing_is_said(
    anonymous: httpx.AsyncClient, method: str, path: str, operation: Json
) -> None:
    response = await anonymous.request(method, path, **sendable(operation, {}))
    refused(response, 401, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"


@named([each for each in KEYED if each[2]["x-required-scope"] != "read"])
async def test_a_lesser_key_is_not_enough(
    reader: httpx.AsyncClient, writer: httpx.AsyncClient, method: str, path: str, operation: Json
) -> None:
    scope = operation["x-required-scope"]
    client = {"reader": reader, "writer": writer}[LESSER[scope]]
    refused(await client.request(method, path, **sendable(operation, {})), 403, "forbidden")
    if scope == "admin":
        refused(await reader.request(method, path, **sendable(operation, {})), 403, "forbidden")


@named(KEYED)
async def test_the_declared_scope_is_enough(
    reader: httpx.AsyncClient,
    writer: httpx.AsyncClient,
    api: httpx.AsyncClient,
    method: str,
    path: str,
    operation: Json,
) -> None:
    client = {"read": reader, "write": writer, "admin": api}[operation["x-required-scope"]]
    response = await client.request(method, path, **sendable(operation, {}))
    assert response.status_code not in (401, 403), response.text


@named(OPEN)
async def test_what_is_open_needs_no_key(anonymous: httpx.AsyncClient, method: str, path: str, operation: Json) -> None:
    response = await anonymous.request(method, filled(path, {"code": "not_found"}))
    assert response.status_code == 200


@pytest.fixture
async def ours(api: httpx.AsyncClient) -> Json:
    """One of everything, by the name of the parameter that takes its id."""
    loop = await make_loop(api)
    version = await upload(api, "train", rows(60), loop="letters")
    suite = await make_suite(api, "letters")
    baseline = await register(api, "letters", suite, [5.0, 6.0] * 15)
    ok(await api.put("/v1/loops/letters/baseline", json={"evaluation_id": baseline["id"]}))
    run = await first_run(api, "letters", version)
    await put_curve(api, run, HEALTHY)
    checkpoint = ok(await api.post(f"/v1/runs/{run['id']}/checkpoints", json={"step": 80, "model": "ft:x"}))
    diagnosis = ok(await api.post("/v1/diagnoses", json={"run_id": run["id"]}))
    answer = ok(await api.get("/v1/loops/letters/next"))
    shipped = {"loop_id": "letters", "run_id": run["id"], "checkpoint_id": checkpoint["id"], "override_reason": "x"}
    deployment = ok(await api.post("/v1/deployments", json=shipped))
    endpoint = ok(await api.post("/v1/webhook-endpoints", json={"url": "https://example.com/"}))["endpoint"]
    key = ok(await api.post("/v1/keys", json={"name": "x"}))["key"]
    return {
        "loop": loop["id"],
        "loop_id": loop["id"],
        "dataset_id": version["dataset_id"],
        "version_id": version["id"],
        "dataset_version_id": version["id"],
        "validation_version_id": version["id"],
        "suite_id": suite["id"],
        "evaluation_id": baseline["id"],
        "regrade_of": baseline["id"],
        "against": baseline["id"],
        "run_id": run["id"],
        "parent_run_id": run["id"],
        "checkpoint_id": checkpoint["id"],
        "diagnosis_id": diagnosis["id"],
        "recommendation_id": answer["action"]["recommendation_id"],
        "deployment_id": deployment["id"],
        "endpoint_id": endpoint["id"],
        "key_id": key["id"],
    }


@pytest.fixture
async def unchanged(api: httpx.AsyncClient, ours: Json) -> AsyncIterator[None]:
    """Our log is the same afterwards."""
    before = (await api.get("/v1/events", params={"limit": 100})).content
    yield
    assert (await api.get("/v1/events", params={"limit": 100})).content == before


@pytest.mark.usefixtures("unchanged")
@named([each for each in KEYED if "{" in each[1]])
async def test_a_stranger_finds_nothing_of_ours(
    stranger: httpx.AsyncClient, ours: Json, method: str, path: str, operation: Json
) -> None:
    """Not even with the scope `admin`, and in the same words as for what never was."""
    assert "404" in operation["responses"]
    problem = refused(await stranger.request(method, filled(path, ours), **sendable(operation, ours)), 404, "not_found")
    never = {name: value[:-1] + ("0" if value[-1] != "0" else "1") for name, value in ours.items()}
    other = await stranger.request(method, filled(path, never), **sendable(operation, ours))
    changed = {never[name]: value for name, value in ours.items()}
    detail = refused(other, 404, "not_found")["detail"]
    for name, value in changed.items():
        detail = detail.replace(name, value)
    assert detail == problem["detail"]


def references(body: Json, ours: Json) -> list[str]:
    return sorted(set(body) & set(ours))


BODIES = [each for each in KEYED if each[0] == "post" and "{" not in each[1] and "application/json" in
          each[2].get("requestBody", {}).get("content", {})]  # fmt: skip


@pytest.mark.usefixtures("unchanged")
@named([each for each in BODIES if references(sendable(each[2], {})["json"], dict.fromkeys(("loop_id", "run_id")))])
async def test_a_stranger_cannot_name_what_is_ours_in_a_body(
    stranger: httpx.AsyncClient, ours: Json, method: str, path: str, operation: Json
) -> None:
    body = sendable(operation, ours)["json"]
    body = body | {name: ours[name] for name in references(body, ours)}
    problem = refused(await stranger.request(method, path, json=body), 400, "unknown_reference")
    assert problem["errors"][0]["pointer"].removeprefix("/") in body


@pytest.mark.usefixtures("unchanged")
@named(
    [
        each
        for each in KEYED
        if each[0] == "get" and {"loop_id", "run_id"} & {p["name"] for p in each[2]["parameters"] if p["in"] == "query"}
    ]
)
async def test_a_stranger_cannot_filter_by_what_is_ours(
    stranger: httpx.AsyncClient, ours: Json, method: str, path: str, operation: Json
) -> None:
    for parameter in operation["parameters"]:
        if parameter["in"] == "query" and (value := ours.get(parameter["name"])):
            response = await stranger.get(path, params={parameter["name"]: value})
            if response.status_code == 200:
                assert response.json()["data"] == []
            else:
                refused(response, 404, "not_found")
