"""The ordered log as server-sent events, over a real socket."""

import asyncio

import httpx
import pytest
from tests.api.driving import make_loop, ok, refused
from tests.api.streaming import STREAM, reading, served

from whatnext_service.config import Settings
from whatnext_service.contract.workspace import NewKey
from whatnext_service.flows.context import Services
from whatnext_service.flows.keys import create_key, open_workspace


async def secret_of(services: Services, workspace_id: str) -> str:
    async with services.begin(workspace_id) as tx:
        return (await create_key(tx, NewKey(name="reader", scopes=("admin",)))).secret


@pytest.fixture
async def secret(services: Services, workspace: str) -> str:
    return await secret_of(services, workspace)


async def test_a_stream_gives_the_log_and_goes_on(
    api: httpx.AsyncClient, settings: Settings, dsn: str, secret: str
) -> None:
    await make_loop(api)
    async with served(settings, dsn, secret) as client, reading(client) as reader:
        assert reader.response.headers["content-type"].startswith("text/event-stream")
        assert reader.response.headers["x-request-id"]
        log = ok(await api.get("/v1/events"))["data"]
        assert await reader.events(len(log)) == log
        await make_loop(api, "second")
        assert await reader.events(1) == ok(await api.get("/v1/events", params={"after": log[-1]["id"]}))["data"][:1]


@pytest.mark.parametrize("by", ["after", "last"])
async def test_a_stream_is_taken_up_where_it_was_cut(
    api: httpx.AsyncClient, settings: Settings, dsn: str, secret: str, by: str
) -> None:
    for slug in ("a", "b", "c"):
        await make_loop(api, slug)
    log = ok(await api.get("/v1/events"))["data"]
    async with served(settings, dsn, secret) as client:
        async with reading(client) as reader:
            seen = await reader.event()
        async with reading(client, **{by: seen["id"]}) as reader:
            assert await reader.events(len(log) - 1) == log[1:]
        async with reading(client, last=log[-2]["id"], after=log[0]["id"]) as reader:
            assert await reader.event() == log[-1]


async def test_a_stream_is_filtered(api: httpx.AsyncClient, settings: Settings, dsn: str, secret: str) -> None:
    loops = [await make_loop(api, slug) for slug in ("a", "b")]
    async with served(settings, dsn, secret) as client:
        async with reading(client, loop_id="b") as reader:
            assert (await reader.event())["subject_id"] == loops[1]["id"]
        async with reading(client, type="dataset.created") as reader:
            dataset = ok(await api.post("/v1/datasets", json={"name": "letters"}))
            assert (await reader.event())["subject_id"] == dataset["id"]


async def test_a_stream_tells_nothing_of_another_workspace(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, settings: Settings, dsn: str, secret: str
) -> None:
    theirs = await make_loop(stranger)
    async with served(settings, dsn, secret) as client:
        async with reading(client) as reader:
            ours = await make_loop(api)
            assert (await reader.event())["subject_id"] == ours["id"]
        event = ok(await stranger.get("/v1/events"))["data"][0]
        refused(await client.get("/v1/events", headers=STREAM | {"Last-Event-ID": event["id"]}), 400, "invalid_cursor")
        refused(await client.get(f"/v1/events?loop_id={theirs['id']}", headers=STREAM), 404, "not_found")


async def test_a_silent_stream_says_that_it_is_still_there(settings: Settings, dsn: str, secret: str) -> None:
    async with served(settings, dsn, secret, heartbeat_s=0.05) as client, reading(client) as reader:
        assert [list(await reader.block()) for _ in range(3)] == [["retry"], [""], [""]]


async def test_a_revoked_key_ends_its_stream(
    api: httpx.AsyncClient, services: Services, settings: Settings, dsn: str, workspace: str
) -> None:
    async with services.begin(workspace) as tx:
        made = await create_key(tx, NewKey(name="reader", scopes=("read",)))
    async with served(settings, dsn, made.secret) as client, reading(client) as reader:
        ok(await api.delete(f"/v1/keys/{made.key.id}"))
        await make_loop(api)
        assert await reader.ended()


async def test_a_stopping_service_ends_its_streams_and_answers_who_waits(
    api: httpx.AsyncClient, settings: Settings, dsn: str, secret: str, services: Services, workspace: str
) -> None:
    """Well within the ten seconds after which the server would cut them off."""
    loop = await make_loop(api)
    asked: asyncio.Task[httpx.Response]
    async with asyncio.timeout(8):
        async with served(settings, dsn, secret) as client:
            stack = reading(client)
            reader = await stack.__aenter__()
            assert (await reader.event())["type"] == "loop.created"
            etag = (await client.get("/v1/loops/letters/next")).headers["etag"]
            asked = asyncio.create_task(
                client.get("/v1/loops/letters/next", params={"wait": 30}, headers={"If-None-Match": etag})
            )
            text = ""
            while "whatnext_waiting_readers 2.0" not in text:
                text = (await client.get("/metrics")).text
            served_until = asyncio.gather(reader.ended(), asked)
            await _stop(client)
            ended, answer = await served_until
            await stack.__aexit__(None, None, None)
    assert ended
    assert answer.status_code == 304
    assert loop["version"] == 1


async def test_places_for_waiting_are_limited(settings: Settings, dsn: str, secret: str, api: httpx.AsyncClient) -> None:
    run = await make_loop(api)
    async with served(settings, dsn, secret, max_waiting=1) as client:
        etag = (await client.get("/v1/loops/letters/next")).headers["etag"]
        wait = {"params": {"wait": 1}, "headers": {"If-None-Match": etag}}
        async with reading(client) as reader:
            assert (await reader.event())["subject_id"] == run["id"]
            for response in (
                await client.get("/v1/events", headers=STREAM),
                await client.get("/v1/loops/letters/next", **wait),  # type: ignore[arg-type]
            ):
                refused(response, 429, "too_many_requests")
                assert int(response.headers["retry-after"]) >= 1
            assert (await client.get("/v1/loops/letters/next")).status_code == 200
        while (response := await client.get("/v1/loops/letters/next", **wait)).status_code == 429:  # type: ignore[arg-type]
            pass
        assert response.status_code == 304


async def test_a_reader_who_accepts_neither_is_told(api: httpx.AsyncClient) -> None:
    refused(await api.get("/v1/events", headers={"Accept": "image/png"}), 406, "not_acceptable")
