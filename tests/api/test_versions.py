"""Versions: every mutable resource has its ETag, and a reader or a writer can name the one they know."""

import httpx
import pytest
from tests.api.driving import HEALTHY, first_run, make_loop, ok, put_curve, refused, rows, upload
from tests.api.test_scopes import Json, ours

__all__ = ["ours"]

PATHS = {
    "/v1/loops/{loop}": "loop",
    "/v1/datasets/{dataset_id}": "dataset",
    "/v1/runs/{run_id}": "run",
    "/v1/evaluations/{evaluation_id}": "evaluation",
    "/v1/recommendations/{recommendation_id}": "recommendation",
    "/v1/deployments/{deployment_id}": "deployment",
    "/v1/webhook-endpoints/{endpoint_id}": "endpoint",
}


@pytest.mark.parametrize("path", PATHS, ids=PATHS.values())
async def test_a_known_version_is_not_sent_again(api: httpx.AsyncClient, ours: Json, path: str) -> None:
    at = path.format_map(ours)
    first = await api.get(at)
    tag = first.headers["etag"]
    assert tag == f'"{ok(first, 200)["version"]}"'
    again = await api.get(at, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await api.get(at, headers={"If-None-Match": '"0"'})).content == first.content


async def test_a_curve_is_replaced_only_if_the_run_is_as_it_was_seen(api: httpx.AsyncClient) -> None:
    await make_loop(api)
    run = await first_run(api, "letters", await upload(api, "train", rows(60), loop="letters"))
    at, seen = f"/v1/runs/{run['id']}/metrics", {"If-Match": f'"{run["version"]}"'}
    ok(await api.put(at, content=HEALTHY, headers=seen), 200)
    curve = (await api.get(at)).content
    refused(await api.put(at, content="step,train_loss\n1,9\n", headers=seen), 412, "version_mismatch")
    assert (await api.get(at)).content == curve
    await put_curve(api, run, HEALTHY)


async def test_a_change_can_be_made_to_one_version_only(api: httpx.AsyncClient, ours: Json) -> None:
    """Whatever has a version can be guarded, and what is refused has changed nothing."""
    rec = ok(await api.get(f"/v1/loops/{ours['loop']}/next"))["action"]["recommendation_id"]
    deployment, endpoint = ours["deployment_id"], ours["endpoint_id"]
    guarded = {
        f"/v1/loops/{ours['loop']}": ("PUT", "/baseline", {"evaluation_id": ours["evaluation_id"]}),
        f"/v1/recommendations/{rec}": ("PUT", "/decision", {"verdict": "declined"}),
        f"/v1/deployments/{deployment}": ("DELETE", "", None),
        f"/v1/webhook-endpoints/{endpoint}": ("DELETE", "", None),
    }
    for path, (method, rest, body) in guarded.items():
        before = await api.get(path)
        version = ok(before)["version"]
        stale = {"If-Match": f'"{version + 7}"'}
        refused(await api.request(method, path + rest, json=body, headers=stale), 412, "version_mismatch")
        assert (await api.get(path)).content == before.content
        ok(await api.request(method, path + rest, json=body, headers={"If-Match": before.headers["etag"]}))
