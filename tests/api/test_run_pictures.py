"""A run's curves as a picture, by the media type that is accepted."""

import asyncio

import httpx
import pytest
from tests.api.driving import OVERFITTING, Json, first_run, make_loop, ok, put_curve, refused, rows, upload

SVG, PNG = "image/svg+xml", "image/png"
BEGINNINGS = {SVG: b"<?xml", PNG: b"\x89PNG\r\n"}


@pytest.fixture
async def run(api: httpx.AsyncClient) -> Json:
    await make_loop(api)
    version = await upload(api, "training", rows(60), loop="letters")
    return await first_run(api, "letters", version)


async def picture(api: httpx.AsyncClient, run: Json, media: str = SVG, query: str = "") -> httpx.Response:
    response = await api.get(f"/v1/runs/{run['id']}/metrics{query}", headers={"Accept": media})
    assert response.status_code == 200
    return response


@pytest.mark.parametrize("media", [SVG, PNG])
async def test_the_curves_as_a_picture(api: httpx.AsyncClient, run: Json, media: str) -> None:
    await put_curve(api, run, OVERFITTING)
    found = await picture(api, run, media)
    assert found.headers["content-type"].partition(";")[0] == media
    assert found.content.startswith(BEGINNINGS[media])
    assert found.headers["vary"] == "Accept"
    by_name = await api.get("/v1/runs/letters/R1/metrics", headers={"Accept": media})
    assert by_name.content == found.content


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("text/html,image/avif,image/webp,*/*;q=0.8", "application/json"),
        ("image/*", SVG),
        ("image/png, application/json;q=0.5", PNG),
    ],
)
async def test_json_unless_a_picture_is_asked_for(api: httpx.AsyncClient, run: Json, accept: str, media: str) -> None:
    found = await api.get(f"/v1/runs/{run['id']}/metrics", headers={"Accept": accept})
    assert found.headers["content-type"].partition(";")[0] == media


async def test_a_picture_in_another_format_is_not_offered(api: httpx.AsyncClient, run: Json) -> None:
    response = await api.get(f"/v1/runs/{run['id']}/metrics", headers={"Accept": "image/webp"})
    problem = refused(response, 406, "not_acceptable")
    assert SVG in problem["detail"]


async def test_a_run_without_points_has_a_picture_too(api: httpx.AsyncClient, run: Json) -> None:
    assert "No points yet" in (await picture(api, run)).text


@pytest.mark.parametrize("media", ["application/json", SVG, PNG])
async def test_what_is_known_is_not_sent_again(api: httpx.AsyncClient, run: Json, media: str) -> None:
    await put_curve(api, run, OVERFITTING)
    path = f"/v1/runs/{run['id']}/metrics"
    first = await api.get(path, headers={"Accept": media})
    known = {"Accept": media, "If-None-Match": first.headers["etag"]}
    again = await api.get(path, headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    point = {"step": 10_000, "values": {"train_loss": 0.9}}
    ok(await api.post(path, json={"points": [point]}))
    moved = await api.get(path, headers=known)
    assert moved.status_code == 200
    assert moved.headers["etag"] != first.headers["etag"]


async def test_each_format_has_a_tag_of_its_own(api: httpx.AsyncClient, run: Json) -> None:
    path = f"/v1/runs/{run['id']}/metrics"
    tags = {(await api.get(path, headers={"Accept": each})).headers["etag"] for each in ("application/json", SVG, PNG)}
    assert len(tags) == 3


async def test_checkpoints_and_what_is_shipped_are_in_the_picture(api: httpx.AsyncClient, run: Json) -> None:
    await put_curve(api, run, OVERFITTING)
    assert "checkpoint" not in (await picture(api, run)).text
    saved = {"step": 20, "model": "ft:x"}
    checkpoint = ok(await api.post(f"/v1/runs/{run['id']}/checkpoints", json=saved), 201)
    assert "<!-- checkpoint" in (await picture(api, run)).text
    body = {"loop_id": "letters", "run_id": run["id"], "checkpoint_id": checkpoint["id"], "override_reason": "cheaper"}
    deployed = ok(await api.post("/v1/deployments", json=body), 201)
    assert "<!-- checkpoint, shipped -->" in (await picture(api, run)).text
    ok(await api.delete(f"/v1/deployments/{deployed['id']}"))
    assert "shipped" not in (await picture(api, run)).text


async def test_a_metric_can_be_chosen_by_any_of_its_names(api: httpx.AsyncClient, run: Json) -> None:
    points = [{"step": step, "values": {"train_loss": 1.0, "grad_norm": 2.0}} for step in (1, 2)]
    ok(await api.post(f"/v1/runs/{run['id']}/metrics", json={"points": points}))
    assert "grad_norm" not in (await picture(api, run)).text
    chosen = (await picture(api, run, query="?name=train/grad_norm")).text
    assert "<!-- grad_norm -->" in chosen
    assert "<!-- loss -->" not in chosen


async def test_pictures_asked_for_at_once_are_all_drawn(api: httpx.AsyncClient, run: Json) -> None:
    await put_curve(api, run, OVERFITTING)
    found = await asyncio.gather(*(picture(api, run, media) for media in (SVG, PNG) * 3))
    assert len({each.content for each in found}) == 2


async def test_no_picture_of_what_is_not_there(api: httpx.AsyncClient, stranger: httpx.AsyncClient, run: Json) -> None:
    refused(await api.get("/v1/runs/run_none/metrics", headers={"Accept": PNG}), 404, "not_found")
    refused(await stranger.get(f"/v1/runs/{run['id']}/metrics", headers={"Accept": PNG}), 404, "not_found")
