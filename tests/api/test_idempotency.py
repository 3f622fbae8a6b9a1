"""An Idempotency-Key makes a POST safe to repeat."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from tests.api.counting import Counts
from tests.api.driving import make_loop, ok, refused, rows

from whatnext_service.store.db import Pool

KEY = {"Idempotency-Key": "once"}
LOOP = {"slug": "letters", "task": "Sort letters."}


async def test_a_repeat_is_answered_with_the_first_answer(api: httpx.AsyncClient, counts: Counts) -> None:
    first = await api.post("/v1/loops", json=LOOP, headers=KEY)
    before = await counts()
    second = await api.post("/v1/loops", json=LOOP, headers=KEY)
    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert second.headers["etag"] == first.headers["etag"]
    assert await counts() == before


async def test_a_key_with_another_body_or_path_is_refused(api: httpx.AsyncClient, counts: Counts) -> None:
    ok(await api.post("/v1/loops", json=LOOP, headers=KEY), 201)
    before = await counts()
    refused(await api.post("/v1/loops", json=LOOP | {"slug": "b"}, headers=KEY), 422, "idempotency_mismatch")
    refused(await api.post("/v1/datasets", json={"name": "a"}, headers=KEY), 422, "idempotency_mismatch")
    assert await counts() == before


async def test_a_refusal_frees_the_key(api: httpx.AsyncClient, counts: Counts) -> None:
    """Only successes are stored: a first attempt that was rolled back leaves no trace."""
    before = await counts()
    refused(await api.post("/v1/loops", json=LOOP | {"dataset_id": "ds_x"}, headers=KEY), 400, "unknown_reference")
    assert await counts() == before
    ok(await api.post("/v1/loops", json=LOOP, headers=KEY), 201)


async def test_twenty_twins_make_one_loop(api: httpx.AsyncClient, pool: Pool) -> None:
    answers = await asyncio.gather(*(api.post("/v1/loops", json=LOOP, headers=KEY) for _ in range(20)))
    assert [answer.status_code for answer in answers] == [201] * 20
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 19
    assert await pool.fetchval("select count(*) from loop") == 1


async def test_workspaces_do_not_share_keys(api: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    ours = ok(await api.post("/v1/loops", json=LOOP, headers=KEY), 201)
    theirs = await stranger.post("/v1/loops", json=LOOP, headers=KEY)
    assert ok(theirs, 201)["id"] != ours["id"]
    assert "idempotent-replayed" not in theirs.headers


async def test_a_key_is_forgotten_after_a_day(api: httpx.AsyncClient, pool: Pool) -> None:
    ok(await api.post("/v1/loops", json=LOOP, headers=KEY), 201)
    await pool.execute("update idempotency_key set created_at = created_at - $1::interval", timedelta(hours=25))
    answer = await api.post("/v1/loops", json=LOOP | {"slug": "b"}, headers=KEY)
    assert ok(answer, 201)["slug"] == "b"
    assert "idempotent-replayed" not in answer.headers


async def test_an_upload_is_repeated_by_its_content(api: httpx.AsyncClient) -> None:
    dataset = ok(await api.post("/v1/datasets", json={"name": "d"}), 201)
    path = f"/v1/datasets/{dataset['id']}/versions"
    first = await api.post(path, content=rows(20), headers=KEY)
    second = await api.post(path, content=rows(20), headers=KEY)
    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["idempotent-replayed"] == "true"
    refused(await api.post(path, content=rows(21), headers=KEY), 422, "idempotency_mismatch")


async def test_a_key_of_no_use_is_refused(api: httpx.AsyncClient) -> None:
    for key in ("x" * 256, "tab\there"):
        answer = await api.post("/v1/loops", json=LOOP, headers={"Idempotency-Key": key})
        refused(answer, 400, "invalid_parameter")


async def test_every_post_knows_the_key(api: httpx.AsyncClient) -> None:
    document = ok(await api.get("/openapi.json"))
    posts = {path: item["post"] for path, item in document["paths"].items() if "post" in item}
    assert len(posts) > 10
    lacking = [
        path
        for path, operation in posts.items()
        if not any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", ()))
    ]
    assert lacking == []


async def test_a_twin_does_not_wait_for_ever(api: httpx.AsyncClient, pool: Pool) -> None:
    """A first request that is still open after the lock timeout: 409 with Retry-After, and nothing done."""
    await make_loop(api)
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("select 1 from loop for update")
        answer = await api.patch("/v1/loops/letters", json={"task": "new"})
    refused(answer, 409, "busy")
    assert answer.headers["retry-after"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/keys", {"name": "once"}),
        ("/v1/webhook-endpoints", {"url": "https://example.com/hook"}),
    ],
)
async def test_a_secret_is_shown_once_and_stored_nowhere(
    api: httpx.AsyncClient, pool: Pool, path: str, body: dict[str, str]
) -> None:
    headers = {"Idempotency-Key": "only-once"}
    first = await api.post(path, json=body, headers=headers)
    again = await api.post(path, json=body, headers=headers)
    assert first.status_code == again.status_code == 201
    secret = first.json()["secret"]
    assert secret
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json() | {"secret": None}
    kept = await pool.fetchval("select string_agg(convert_from(body, 'UTF8'), '') from idempotency_key")
    assert secret not in kept
