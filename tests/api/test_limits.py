"""How much may be asked at once: keys, bodies, waiting readers, twins."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import asyncpg
import httpx
import msgspec
import pytest
from tests.api.conftest import MAX_BODY_BYTES, connect, make_key
from tests.api.driving import make_loop, ok, refused

from whatnext_service.api.application import Application
from whatnext_service.api.limits import BURST_S, RateLimit, WaitingRoom
from whatnext_service.app import create_app
from whatnext_service.config import Settings
from whatnext_service.errors import DomainError
from whatnext_service.flows.context import Services
from whatnext_service.store.db import Pool

N_READERS = 1_000


async def test_a_key_that_asks_too_often_is_told_when_to_come_back(
    settings: Settings, dsn: str, services: Services, workspace: str
) -> None:
    """Once at once, and then once in five seconds."""
    slow = create_app(msgspec.structs.replace(settings, rate_limit_per_s=1 / BURST_S), dsn, with_worker=False)
    async with (
        slow.lifespan(),
        connect(slow, await make_key(services, workspace, "read")) as client,
        connect(slow, await make_key(services, workspace, "read")) as other,
    ):
        ok(await client.get("/v1/loops"), 200)
        response = await client.get("/v1/loops")
        refused(response, 429, "too_many_requests")
        assert 1 <= int(response.headers["retry-after"]) <= BURST_S
        ok(await other.get("/v1/loops"), 200)
        assert (await client.get("/livez")).status_code == 200


def test_tokens_come_back_at_a_steady_rate() -> None:
    now = 0.0
    limit = RateLimit(2.0, lambda: now)

    def taken() -> int:
        for n in itertools.count():
            try:
                limit.take("key")
            except DomainError:
                return n
        raise AssertionError

    assert taken() == 2 * BURST_S
    with pytest.raises(DomainError) as refusal:
        limit.take("key")
    assert (refusal.value.code, refusal.value.retry_after_s) == ("too_many_requests", 1)
    now = 1.5
    assert taken() == 3
    now = 1_000.0
    assert taken() == 2 * BURST_S


def test_without_a_rate_there_is_no_limit() -> None:
    limit = RateLimit(None, lambda: 0.0)
    for _ in range(10_000):
        limit.take("key")


def test_a_place_is_given_back() -> None:
    room = WaitingRoom(1)
    for _ in range(3):
        with room.place(), pytest.raises(DomainError):
            room.check()
        room.check()


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_that_is_too_large_is_refused(api: httpx.AsyncClient, declared: bool) -> None:
    """Also one whose length is not announced."""
    body = b'{"slug": "letters", "task": "' + b"x" * MAX_BODY_BYTES + b'"}'

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    headers = {"Content-Type": "application/json"}
    response = await api.post("/v1/loops", content=body if declared else chunks(), headers=headers)
    refused(response, 413, "too_large")


async def test_a_hundred_twins_make_one_row(api: httpx.AsyncClient, pool: Pool) -> None:
    body = {"slug": "letters", "task": "Sort letters."}
    headers = {"Idempotency-Key": "once"}
    answers = await asyncio.gather(*(api.post("/v1/loops", json=body, headers=headers) for _ in range(100)))
    assert [answer.status_code for answer in answers] == [201] * 100
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 99
    assert await pool.fetchval("select count(*) from loop") == 1


@pytest.mark.slow
async def test_a_thousand_waiting_readers_hold_no_connection(
    api: httpx.AsyncClient, app: Application, settings: Settings, dsn: str
) -> None:
    await make_loop(api)
    etag = (await api.get("/v1/loops/letters/next")).headers["etag"]
    get = {"params": {"wait": 30}, "headers": {"If-None-Match": etag}}
    readers = [asyncio.create_task(api.get("/v1/loops/letters/next", **get)) for _ in range(N_READERS)]  # type: ignore[arg-type]
    bell = app.state.services.bell
    while bell.n_waiting < N_READERS or app.state.services.pool.get_idle_size() < app.state.services.pool.get_size():
        assert not any(reader.done() for reader in readers)
        await asyncio.sleep(0)
    conn = await asyncpg.connect(dsn, server_settings={"application_name": "the test"})
    try:
        rows = await conn.fetch(
            "select application_name as name, state from pg_stat_activity where application_name like 'whatnext%'"
            " and datname = current_database()"
        )
    finally:
        await conn.close()
    assert sum(row["name"] == "whatnext-bell" for row in rows) == 1
    assert len(rows) <= settings.pool_size + 1
    assert {row["state"] for row in rows} == {"idle"}
    ok(await api.patch("/v1/loops/letters", json={"rules": {"patience": 2}}), 200)
    answers = await asyncio.gather(*readers)
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["etag"] for answer in answers}.isdisjoint({etag})


async def test_metrics_name_routes_by_their_template(api: httpx.AsyncClient) -> None:
    loop = await make_loop(api)
    await api.get(f"/v1/loops/{loop['id']}")
    await api.get("/v1/nothing-here")
    await api.request("INVENTED", "/v1/loops")
    endpoint = ok(await api.post("/v1/webhook-endpoints", json={"url": "https://example.com/"}))["endpoint"]["id"]
    ok(await api.post(f"/v1/webhook-endpoints/{endpoint}/test"), 201)
    response = await api.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = response.text
    assert 'whatnext_http_requests_total{method="GET",route="/v1/loops/{loop}",status="200"}' in text
    assert 'route="unmatched",status="404"' in text
    assert 'whatnext_http_request_duration_seconds_count{method="POST",route="/v1/loops"}' in text
    assert 'whatnext_jobs{status="todo",task="deliver"} 1.0' in text
    assert 'whatnext_database_connections{state="busy"}' in text
    assert loop["id"] not in text
    assert "INVENTED" not in text
