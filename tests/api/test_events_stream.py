"""The ordered log as server-sent events, over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
from tests.api.driving import make_loop, ok, refused
from tests.api.streaming import PATIENCE_S, STREAM, client_with, reading, served

from whatnext_service.config import Settings
from whatnext_service.contract.workspace import NewKey
from whatnext_service.flows.context import Services
from whatnext_service.flows.keys import create_key
from whatnext_service.serving import GRACEFUL_S


async def secret_of(services: Services, workspace_id: str) -> str:
    async with services.begin(workspace_id) as tx:
        return (await create_key(tx, NewKey(name="reader", scopes=("admin",)))).secret


@pytest.fixture
async def client(services: Services, workspace: str) -> AsyncIterator[httpx.AsyncClient]:
    async with asyncio.timeout(PATIENCE_S), client_with(await secret_of(services, workspace)) as opened:
        yield opened


async def test_a_stream_gives_the_log_and_goes_on(
    api: httpx.AsyncClient, settings: Settings, dsn: str, client: httpx.AsyncClient
) -> None:
    await make_loop(api)
    async with served(settings, dsn, client), reading(client) as reader:
        assert reader.response.headers["content-type"].startswith("text/event-stream")
        assert reader.response.headers["x-request-id"]
        log = ok(await api.get("/v1/events"))["data"]
        assert await reader.events(len(log)) == log
        await make_loop(api, "second")
        assert await reader.events(1) == ok(await api.get("/v1/events", params={"after": log[-1]["id"]}))["data"][:1]


@pytest.mark.parametrize("by", ["after", "last"])
async def test_a_stream_is_taken_up_where_it_was_cut(
    api: httpx.AsyncClient, settings: Settings, dsn: str, client: httpx.AsyncClient, by: str
) -> None:
    for slug in ("a", "b", "c"):
        await make_loop(api, slug)
    log = ok(await api.get("/v1/events"))["data"]
    async with served(settings, dsn, client):
        async with reading(client) as reader:
            seen = await reader.event()
        async with reading(client, **{by: seen["id"]}) as reader:
            assert await reader.events(len(log) - 1) == log[1:]
        async with reading(client, last=log[-2]["id"], after=log[0]["id"]) as reader:
            assert await reader.event() == log[-1]


async def test_a_stream_is_filtered(
    api: httpx.AsyncClient, settings: Settings, dsn: str, client: httpx.AsyncClient
) -> None:
    loops = [await make_loop(api, slug) for slug in ("a", "b")]
    async with served(settings, dsn, client):
        async with reading(client, loop_id="b") as reader:
            assert (await reader.event())["subject_id"] == loops[1]["id"]
        async with reading(client, type="dataset.created") as reader:
            dataset = ok(await api.post("/v1/datasets", json={"name": "letters"}))
            assert (await reader.event())["subject_id"] == dataset["id"]


async def test_a_stream_tells_nothing_of_another_workspace(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, settings: Settings, dsn: str, client: httpx.AsyncClient
) -> None:
    theirs = await make_loop(stranger)
    async with served(settings, dsn, client):
        async with reading(client) as reader:
            ours = await make_loop(api)
            assert (await reader.event())["subject_id"] == ours["id"]
        event = ok(await stranger.get("/v1/events"))["data"][0]
        refused(await client.get("/v1/events", headers=STREAM | {"Last-Event-ID": event["id"]}), 400, "invalid_cursor")
        refused(await client.get(f"/v1/events?loop_id={theirs['id']}", headers=STREAM), 404, "not_found")


async def test_a_silent_stream_says_that_it_is_still_there(
    settings: Settings, dsn: str, client: httpx.AsyncClient
) -> None:
    async with served(settings, dsn, client, heartbeat_s=0.05), reading(client) as reader:
        assert [list(await reader.block()) for _ in range(3)] == [["retry"], [""], [""]]


async def test_a_revoked_key_ends_its_stream(
    api: httpx.AsyncClient, services: Services, settings: Settings, dsn: str, workspace: str
) -> None:
    async with services.begin(workspace) as tx:
        made = await create_key(tx, NewKey(name="reader", scopes=("read",)))
    async with client_with(made.secret) as client, served(settings, dsn, client), reading(client) as reader:
        ok(await api.delete(f"/v1/keys/{made.key.id}"))
        await make_loop(api)
        assert await reader.ended()


async def test_a_stopping_service_ends_its_streams_and_answers_who_waits(
    api: httpx.AsyncClient, settings: Settings, dsn: str, client: httpx.AsyncClient
) -> None:
    """The server would cut them off after ten seconds."""
    await make_loop(api)
    async with asyncio.timeout(GRACEFUL_S - 2), AsyncExitStack() as still_open:
        async with served(settings, dsn, client):
            reader = await still_open.enter_async_context(reading(client))
            etag = (await client.get("/v1/loops/letters/next")).headers["etag"]
            wait = client.get("/v1/loops/letters/next", params={"wait": 30}, headers={"If-None-Match": etag})
            answer = asyncio.create_task(wait)
            while "whatnext_waiting_readers 2.0" not in (await client.get("/metrics")).text:
                pass
        assert await reader.ended()
        assert (await answer).status_code == 304


async def test_places_for_waiting_are_limited(
    settings: Settings, dsn: str, client: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    run = await make_loop(api)
    async with served(settings, dsn, client, max_waiting=1):
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
