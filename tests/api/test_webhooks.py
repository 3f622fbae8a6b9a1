"""Webhooks, to a real receiver: signed, retried, visible, and never into our own network."""

import asyncio
import base64
import dataclasses
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from tests.api.driving import make_loop, ok, refused
from tests.api.receiver import Receiver, receiving

from whatnext_service.core.webhook_schedule import RETRY_AFTER_S
from whatnext_service.errors import ProviderError
from whatnext_service.flows.context import Services
from whatnext_service.flows.webhooks import deliver
from whatnext_service.providers.webhook import WebhookPoster, is_public
from whatnext_service.store.db import Pool

Json = dict[str, Any]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as opened:
        yield opened


@pytest.fixture
async def sending(services: Services) -> AsyncIterator[Services]:
    """Services that may post to loopback."""
    poster = WebhookPoster(allow_private=True)
    yield dataclasses.replace(services, poster=poster)
    await poster.close()


async def make_endpoint(api: httpx.AsyncClient, url: str, **fields: Any) -> Json:
    return ok(await api.post("/v1/webhook-endpoints", json={"url": url, **fields}), 201)


async def deliveries(api: httpx.AsyncClient, made: Json) -> list[Json]:
    found: list[Json] = ok(await api.get(f"/v1/webhook-endpoints/{made['endpoint']['id']}/deliveries"))["data"]
    return found


async def test_an_event_is_told_signed_and_thin(api: httpx.AsyncClient, sending: Services, receiver: Receiver) -> None:
    made = await make_endpoint(api, receiver.url, event_types=["loop.created"])
    loop = await make_loop(api)
    (delivery,) = await deliveries(api, made)
    await deliver(sending, delivery["id"])
    (request,) = receiver.received
    event = ok(await api.get("/v1/events"))["data"][0]
    told = Webhook(made["secret"]).verify(request.body, request.headers)
    assert told == {
        "type": "loop.created",
        "timestamp": event["created_at"],
        "data": {"id": loop["id"], "loop_id": event["loop_id"], "version": 1},
    }
    assert request.headers["webhook-id"] == delivery["id"]
    assert request.headers["content-type"] == "application/json"
    (delivery,) = await deliveries(api, made)
    assert (delivery["status"], delivery["attempts"], delivery["last_status_code"]) == ("delivered", 1, 200)
    assert delivery["event_id"] == event["id"]
    assert delivery["next_attempt_at"] is None
    assert delivery["finished_at"] is not None


async def test_a_signature_holds_for_its_body_and_secret_alone(
    api: httpx.AsyncClient, sending: Services, receiver: Receiver
) -> None:
    made = await make_endpoint(api, receiver.url)
    await make_loop(api)
    await deliver(sending, (await deliveries(api, made))[0]["id"])
    (request,) = receiver.received
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(request.body + b" ", request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(bytes(24)).decode()).verify(request.body, request.headers)


async def test_a_delivery_that_is_asked_for_twice_is_made_once(
    api: httpx.AsyncClient, sending: Services, receiver: Receiver
) -> None:
    made = await make_endpoint(api, receiver.url, event_types=["loop.created"])
    await make_loop(api)
    (delivery,) = await deliveries(api, made)
    await deliver(sending, delivery["id"])
    await deliver(sending, delivery["id"])
    assert len(receiver.received) == 1


async def test_a_failure_is_tried_again_by_the_schedule_and_then_given_up(
    api: httpx.AsyncClient, sending: Services, receiver: Receiver, pool: Pool
) -> None:
    """About three days, with the same id and a fresh signature each time."""
    made = await make_endpoint(api, receiver.url, event_types=["loop.created"])
    await make_loop(api)
    (delivery,) = await deliveries(api, made)
    receiver.planned = [500] * 99
    assert timedelta(days=2.5) < timedelta(seconds=sum(RETRY_AFTER_S)) < timedelta(days=3.5)
    for failures, wait_s in enumerate(RETRY_AFTER_S, start=1):
        before = sending.clock()
        await deliver(sending, delivery["id"])
        (delivery,) = await deliveries(api, made)
        assert (delivery["status"], delivery["attempts"], delivery["last_status_code"]) == ("pending", failures, 500)
        due = datetime.fromisoformat(delivery["next_attempt_at"])
        assert before <= due - timedelta(seconds=wait_s) <= sending.clock()
    queued = await pool.fetch("select scheduled_at from procrastinate_jobs where task_name = 'deliver'")
    assert len(queued) == 1, "one waiting job is enough"
    await deliver(sending, delivery["id"])
    (delivery,) = await deliveries(api, made)
    assert (delivery["status"], delivery["attempts"]) == ("failed", len(RETRY_AFTER_S) + 1)
    assert delivery["last_error"] == "answered 500"
    assert {request.headers["webhook-id"] for request in receiver.received} == {delivery["id"]}
    for request in receiver.received:
        Webhook(made["secret"]).verify(request.body, request.headers)
    n_asked = len(receiver.received)
    await deliver(sending, delivery["id"])
    assert len(receiver.received) == n_asked


async def test_a_later_attempt_may_succeed(api: httpx.AsyncClient, sending: Services, receiver: Receiver) -> None:
    made = await make_endpoint(api, receiver.url, event_types=["loop.created"])
    await make_loop(api)
    (delivery,) = await deliveries(api, made)
    receiver.planned = [429, 204]
    await deliver(sending, delivery["id"])
    await deliver(sending, delivery["id"])
    (delivery,) = await deliveries(api, made)
    assert (delivery["status"], delivery["attempts"], delivery["last_status_code"]) == ("delivered", 2, 204)
    assert delivery["last_error"] is None


async def test_gone_disables_the_endpoint_until_it_is_enabled(
    api: httpx.AsyncClient, sending: Services, receiver: Receiver
) -> None:
    made = await make_endpoint(api, receiver.url, event_types=["loop.created"])
    at = f"/v1/webhook-endpoints/{made['endpoint']['id']}"
    for slug in ("a", "b"):
        await make_loop(api, slug)
    later, first = await deliveries(api, made)
    receiver.planned = [410]
    await deliver(sending, first["id"])
    endpoint = ok(await api.get(at))
    assert (endpoint["status"], endpoint["disabled_reason"]) == ("disabled", "it answered 410 Gone")
    await deliver(sending, later["id"])
    assert [each["status"] for each in await deliveries(api, made)] == ["failed", "failed"]
    assert len(receiver.received) == 1
    await make_loop(api, "c")
    assert len(await deliveries(api, made)) == 2, "a disabled endpoint is told nothing"
    endpoint = ok(await api.patch(at, json={"status": "enabled"}))
    assert (endpoint["status"], endpoint["disabled_reason"]) == ("enabled", None)
    await make_loop(api, "d")
    await deliver(sending, (await deliveries(api, made))[0]["id"])
    assert (await deliveries(api, made))[0]["status"] == "delivered"


async def test_a_redirect_is_not_followed(api: httpx.AsyncClient, sending: Services, receiver: Receiver) -> None:
    made = await make_endpoint(api, receiver.url, event_types=["loop.created"])
    await make_loop(api)
    (delivery,) = await deliveries(api, made)
    receiver.planned, receiver.extra = [302], [f"Location: http://127.0.0.1:{receiver.port}/elsewhere"]
    await deliver(sending, delivery["id"])
    assert [request.path for request in receiver.received] == ["/hook"]
    (delivery,) = await deliveries(api, made)
    assert (delivery["status"], delivery["last_status_code"]) == ("pending", 302)


async def test_an_endpoint_that_cannot_be_reached_is_tried_again(
    api: httpx.AsyncClient, sending: Services, receiver: Receiver
) -> None:
    made = await make_endpoint(api, "http://127.0.0.1:1/", event_types=["loop.created"])
    await make_loop(api)
    (delivery,) = await deliveries(api, made)
    await deliver(sending, delivery["id"])
    (delivery,) = await deliveries(api, made)
    assert (delivery["status"], delivery["last_status_code"]) == ("pending", None)
    assert delivery["last_error"].startswith("unreachable: ")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
    ],
)
async def test_our_own_network_is_not_called(
    api: httpx.AsyncClient, services: Services, receiver: Receiver, host: str
) -> None:
    """Whatever a private address is called: it is known when it would be connected to."""
    made = await make_endpoint(api, f"http://{host}:{receiver.port}/", event_types=["loop.created"])
    await make_loop(api)
    (delivery,) = await deliveries(api, made)
    await deliver(services, delivery["id"])
    assert receiver.received == []
    (delivery,) = await deliveries(api, made)
    assert delivery["last_error"].startswith("refused: ")
    assert "private address" in delivery["last_error"]


@pytest.mark.parametrize("host", ["[::1]", "[::ffff:127.0.0.1]", "[fd00::1]", "[fe80::1]"])
async def test_a_private_ipv6_address_is_refused(receiver: Receiver, host: str) -> None:
    poster = WebhookPoster(allow_private=False)
    with pytest.raises(ProviderError, match="private address"):
        await poster.post(f"http://{host}:{receiver.port}/", {}, b"")
    await poster.close()
    assert receiver.received == []


async def test_a_name_with_one_private_address_is_refused(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with a public and a private address must not be tried until the private one is reached."""
    loop = asyncio.get_running_loop()

    async def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(None, None, None, "", (address, port)) for address in ("93.184.215.14", "127.0.0.1")]

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    poster = WebhookPoster(allow_private=False)
    with pytest.raises(ProviderError) as refusal:
        await poster.post(f"http://rebinding.example:{receiver.port}/", {}, b"")
    await poster.close()
    assert refusal.value.fault == "refused"
    assert not refusal.value.sent
    assert receiver.received == []


async def test_the_next_address_of_a_name_is_tried(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()

    async def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(None, None, None, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    poster = WebhookPoster(allow_private=True)
    answer = await poster.post(f"http://two.example:{receiver.port}/", {"host": "two.example"}, b"{}")
    await poster.close()
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("2002:5db8:d70e::1", True),
        ("64:ff9b::5db8:d70e", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("0.0.0.0", False),
        ("::", False),
        ("::1", False),
        ("::7f00:1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::7f00:1", False),
        ("2002:7f00:1::1", False),
        ("2002:a00:1::1", False),
        ("fc00::1", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) == public


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "//example.com",
        "https://user:secret@example.com/",
        "https://example.com/#part",
        "https://",
        "https://exa mple.com/",
        "javascript:alert(1)",
        "https://bücher.example/",
        "https://[/",
        "https://[::1]/",
        "https://-a.example/",
        "https://example.com:port/",
        "https://example.com/ä",
        "https://example.com/" + "x" * 2000,
    ],
)
async def test_a_url_that_cannot_be_called_is_refused_at_once(api: httpx.AsyncClient, url: str) -> None:
    refused(await api.post("/v1/webhook-endpoints", json={"url": url}), 400, "invalid_body", "/url")


async def test_the_secret_is_shown_once(api: httpx.AsyncClient) -> None:
    made = await make_endpoint(api, "https://example.com/")
    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"))) == 24
    at = f"/v1/webhook-endpoints/{made['endpoint']['id']}"
    for response in (
        await api.get(at),
        await api.get("/v1/webhook-endpoints"),
        await api.patch(at, json={"description": "x"}),
        await api.post(f"{at}/test"),
        await api.get(f"{at}/deliveries"),
        await api.delete(at),
    ):
        ok(response)
        assert made["secret"] not in response.text
        assert "secret" not in response.text


async def test_a_test_call_is_like_any_other(api: httpx.AsyncClient, sending: Services, receiver: Receiver) -> None:
    made = await make_endpoint(api, receiver.url, event_types=["run.succeeded"])
    delivery = ok(await api.post(f"/v1/webhook-endpoints/{made['endpoint']['id']}/test"), 201)
    assert (delivery["type"], delivery["status"], delivery["event_id"]) == ("webhook.test", "pending", None)
    await deliver(sending, delivery["id"])
    told = Webhook(made["secret"]).verify(receiver.received[0].body, receiver.received[0].headers)
    assert told["type"] == "webhook.test"
    assert told["data"] == {"id": made["endpoint"]["id"], "loop_id": None, "version": 1}
    assert (await deliveries(api, made))[0]["status"] == "delivered"


async def test_only_wanted_types_of_ones_own_workspace_are_told(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    picky = await make_endpoint(api, "https://example.com/a", event_types=["dataset.created"])
    every = await make_endpoint(api, "https://example.com/b")
    theirs = await make_endpoint(stranger, "https://example.com/c")
    await make_loop(api)
    assert await deliveries(api, picky) == []
    types = [each["type"] for each in await deliveries(api, every)]
    events = [event["type"] for event in ok(await api.get("/v1/events"))["data"]]
    assert sorted(types) == sorted(events)
    assert await deliveries(stranger, theirs) == []


async def test_a_deleted_endpoint_is_told_nothing_more(
    api: httpx.AsyncClient, sending: Services, receiver: Receiver
) -> None:
    made = await make_endpoint(api, receiver.url)
    await make_loop(api)
    waiting = await deliveries(api, made)
    ok(await api.delete(f"/v1/webhook-endpoints/{made['endpoint']['id']}"))
    for delivery in waiting:
        await deliver(sending, delivery["id"])
    assert receiver.received == []
    refused(await api.get(f"/v1/webhook-endpoints/{made['endpoint']['id']}"), 404, "not_found")


async def test_a_change_rolled_back_tells_nobody(api: httpx.AsyncClient) -> None:
    made = await make_endpoint(api, "https://example.com/")
    await make_loop(api)
    before = await deliveries(api, made)
    refused(await api.post("/v1/loops", json={"slug": "letters", "task": "x"}), 409, "slug_taken")
    assert await deliveries(api, made) == before
