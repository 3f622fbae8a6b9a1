"""A service that is away for a while: what waits for it goes on, what has only just asked does not."""

from typing import Any

import httpx
import pytest
from tests.sdk.kinds import both_kinds, done, fake_client, listed

import whatnext
from whatnext import models
from whatnext._async import patience as async_patience
from whatnext._sync import patience as sync_patience
from whatnext.testing import FakeService, answer, example, problem

REFUSED = httpx.ConnectError("refused")
START = models.Request(method="POST", path="/v1/runs", body={})


def run(status: str, version: int) -> models.Run:
    return example(models.Run, status=status, version=version)


@both_kinds
async def test_a_wait_outlives_a_restart_of_the_service(kind: str) -> None:
    fake = FakeService()
    fake.on("runs.get", run("running", 1), *[REFUSED] * 4, problem(503, "starting"), run("succeeded", 2))
    made = fake_client(fake, kind, max_retries=1)
    assert (await done(made.client.runs.wait("run_1", timeout_s=600))).status == "succeeded"
    assert made.pauses.count(async_patience.AGAIN_S) == 2


@both_kinds
async def test_following_outlives_a_restart_and_carries_nothing_out_twice(kind: str) -> None:
    fake = FakeService()
    fake.on("loops.next", answer(request=START), *[REFUSED] * 6, answer("stop", state_version=2))
    fake.on("runs.create", *[REFUSED] * 6, example(models.Run))
    made = fake_client(fake, kind, max_retries=1)
    steps = await listed(made.client.follow("support-bot"))
    assert [step.kind for step in steps] == ["start_run", "stop"]
    assert len({request.headers["idempotency-key"] for request in fake.sent("runs.create")}) == 1


@both_kinds
@pytest.mark.parametrize("told", [REFUSED, problem(503, "starting")])
async def test_a_service_that_was_never_there_is_told_at_once(kind: str, told: Any) -> None:
    fake = FakeService()
    fake.on("loops.next", told)
    fake.on("runs.get", told)
    client = fake_client(fake, kind, max_retries=1).client
    with pytest.raises((whatnext.APIConnectionError, whatnext.ServerError)):
        await listed(client.follow("support-bot"))
    with pytest.raises((whatnext.APIConnectionError, whatnext.ServerError)):
        await done(client.runs.wait("run_1"))
    assert len(fake.requests) == 4


@both_kinds
@pytest.mark.parametrize(
    ("told", "retries"), [(problem(500, "internal"), 1), (problem(404, "not_found"), 1), (REFUSED, 0)]
)
async def test_no_patience_with_faults_or_where_no_retries_are_wanted(kind: str, told: Any, retries: int) -> None:
    fake = FakeService()
    fake.on("runs.get", run("running", 1), told)
    client = fake_client(fake, kind, max_retries=retries).client
    with pytest.raises(whatnext.WhatnextError):
        await done(client.runs.wait("run_1"))
    assert len(fake.requests) <= 3


@both_kinds
async def test_patience_has_an_end(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_patience, "OUTAGE_S", 0.0)
    monkeypatch.setattr(async_patience, "OUTAGE_S", 0.0)
    fake = FakeService()
    fake.on("runs.get", run("running", 1), REFUSED)
    with pytest.raises(whatnext.APIConnectionError):
        await done(fake_client(fake, kind, max_retries=1).client.runs.wait("run_1"))


@both_kinds
async def test_patience_ends_at_the_deadline(kind: str) -> None:
    fake = FakeService()
    fake.on("runs.get", run("running", 1), REFUSED)
    client = fake_client(fake, kind, max_retries=1).client
    with pytest.raises(whatnext.WhatnextError):
        await done(client.runs.wait("run_1", timeout_s=0))


@both_kinds
async def test_a_stream_comes_back_after_a_restart(kind: str) -> None:
    event = example(models.Event).to_dict()
    asked: list[str | None] = []

    def told(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("last-event-id"))
        if 1 < len(asked) < 6:
            raise httpx.ConnectError("refused")
        data = httpx.Response(200, json={**event, "seq": len(asked)}).text
        return httpx.Response(200, text=f"id: evt_{len(asked)}\ndata: {data}\n\n")

    transport = httpx.MockTransport(told)
    http: Any = httpx.Client(transport=transport) if kind == "sync" else httpx.AsyncClient(transport=transport)
    made = fake_client(FakeService(), kind)
    chosen: Any = whatnext.Client if kind == "sync" else whatnext.AsyncClient
    client = chosen("wn_x", http_client=http, max_retries=1)
    client.transport.sleep = made.client.transport.sleep
    events = client.events.stream()
    seen: list[int] = []
    if kind == "sync":
        for each in events:
            seen.append(each.seq)
            if len(seen) == 2:
                break
    else:
        async for each in events:
            seen.append(each.seq)
            if len(seen) == 2:
                break
    assert seen == [1, 6]
    assert asked == [None, *["evt_1"] * 5]
