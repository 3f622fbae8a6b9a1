"""What nearly every test does first: a loop, its data, suites, runs and evaluations, through the API alone."""

from collections.abc import Sequence
from typing import Any

import httpx
from tests.sandbox.synthetic import make_rows, to_jsonl

Json = dict[str, Any]

EXACT = {
    "name": "exact",
    "grader": {
        "type": "string_check",
        "name": "exact",
        "input": "{{sample.output_text}}",
        "reference": "{{item.reference_answer}}",
        "operation": "eq",
    },
}
HELD_OUT_SEED = 999


def ok(response: httpx.Response, *statuses: int) -> Json:
    """The body of an answer that had to succeed."""
    assert response.status_code in (statuses or (200, 201)), f"{response.status_code}: {response.text[:2000]}"
    body: Json = response.json()
    return body


def refused(response: httpx.Response, status: int, code: str, *pointers: str) -> Json:
    """The problem document of an answer that had to be a refusal, checked in all its parts."""
    assert response.status_code == status, f"{response.status_code}: {response.text[:2000]}"
    assert response.headers["content-type"] == "application/problem+json"
    problem: Json = response.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["type"] == f"/problems/{code}"
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]
    assert [each["pointer"] for each in problem["errors"]] == list(pointers) or not pointers, problem["errors"]
    return problem


async def make_loop(api: httpx.AsyncClient, slug: str = "letters", **fields: Any) -> Json:
    return ok(await api.post("/v1/loops", json={"slug": slug, "task": "Sort letters.", **fields}), 201)


async def upload(api: httpx.AsyncClient, name: str, content: bytes, *, loop: str | None = None) -> Json:
    """A dataset with one version; returns the version."""
    dataset = ok(await api.post("/v1/datasets", json={"name": name} | ({"loop_id": loop} if loop else {})), 201)
    return ok(await api.post(f"/v1/datasets/{dataset['id']}/versions", content=content), 201)


def rows(n: int, *, seed: int = 1) -> bytes:
    return to_jsonl(make_rows(n, seed=seed))


async def make_suite(
    api: httpx.AsyncClient,
    loop: str,
    *,
    n_items: int = 30,
    name: str = "selection",
    role: str = "selection",
    seed: int = HELD_OUT_SEED,
    content: bytes | None = None,
    graders: Sequence[Json] = (EXACT,),
) -> Json:
    version = await upload(api, f"{loop}-{name}", content if content is not None else rows(n_items, seed=seed))
    body = {
        "loop_id": loop,
        "name": name,
        "role": role,
        "dataset_version_id": version["id"],
        "graders": list(graders),
    }
    return ok(await api.post("/v1/eval-suites", json=body), 201)


def spread(mean: float, n: int, *, width: float = 0.4) -> list[float]:
    """Scores of this exact mean, alternating around it."""
    scores = [mean + (width if place % 2 else -width) for place in range(n - n % 2)]
    return scores + [mean] * (n % 2)


async def register(
    api: httpx.AsyncClient, loop: str, suite: Json, scores: Sequence[float | None], **subject: Any
) -> Json:
    """An evaluation measured elsewhere."""
    subject = subject or {"subject": "base_model", "base_model": "gpt-4.1-mini"}
    items = [{"index": place, "score": score, "completion_tokens": 5} for place, score in enumerate(scores)]
    body = {"loop_id": loop, "suite_id": suite["id"], "items": items, **subject}
    return ok(await api.post("/v1/evaluations", json=body), 201)


async def name_baseline(api: httpx.AsyncClient, loop: str, evaluation: Json) -> Json:
    return ok(await api.put(f"/v1/loops/{loop}/baseline", json={"evaluation_id": evaluation["id"]}), 200)


async def first_run(api: httpx.AsyncClient, loop: str, version: Json, **fields: Any) -> Json:
    """An external first run with a full configuration."""
    config = {
        "base_model": "gpt-4.1-mini",
        "dataset_version_id": version["id"],
        "n_epochs": 2,
        "learning_rate_multiplier": 1.0,
    } | fields.pop("config", {})
    body = {"loop_id": loop, "provider": "external", "config": config, **fields}
    return ok(await api.post("/v1/runs", json=body), 201)


async def next_run(api: httpx.AsyncClient, loop: str, parent: Json, **overrides: Any) -> Json:
    body = {"loop_id": loop, "parent_run_id": parent["id"], "overrides": overrides}
    return ok(await api.post("/v1/runs", json=body), 201)


async def put_curve(api: httpx.AsyncClient, run: Json, content: bytes | str) -> Json:
    headers = {"Content-Type": "text/csv"}
    body = content.encode() if isinstance(content, str) else content
    return ok(await api.put(f"/v1/runs/{run['id']}/metrics", content=body, headers=headers), 200)


async def finish(api: httpx.AsyncClient, run: Json, **fields: Any) -> Json:
    return ok(await api.patch(f"/v1/runs/{run['id']}", json={"status": "succeeded", **fields}), 200)


def curve(train: Sequence[float], valid: Sequence[float | None], *, steps_apart: int = 10) -> str:
    """A result file: training and full validation loss at equal distances."""
    lines = ["step,train_loss,full_valid_loss"]
    for place, (loss, held) in enumerate(zip(train, valid, strict=True), start=1):
        lines.append(f"{place * steps_apart},{loss},{'' if held is None else held}")
    return "\n".join(lines) + "\n"


PACE = [place / 39 for place in range(40)]
HEALTHY = curve([0.3 + 1.7 * (1 - x) ** 3 for x in PACE], [0.34 + 1.7 * (1 - x) ** 3 for x in PACE])
OVERFITTING = curve([0.1 + 1.9 * (1 - x) ** 3 for x in PACE], [0.5 + 1.5 * (x - 0.4) ** 2 * 2.5 for x in PACE])
