"""Deliveries: to whom, recorded once for each attempt, and found again when their time has passed."""

from datetime import timedelta

import pytest
from tests.store.making import NOW, a_workspace, an_id

from whatnext_service.contract.webhooks import WebhookEndpoint
from whatnext_service.store import webhooks
from whatnext_service.store.db import Conn

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
async def ours(conn: Conn) -> str:
    return await a_workspace(conn)


async def an_endpoint(conn: Conn, workspace_id: str, types: tuple[str, ...] | None = None) -> str:
    endpoint = WebhookEndpoint(
        id=an_id("whe"),
        url="https://example.com/hook",
        event_types=types,
        description=None,
        status="enabled",
        disabled_reason=None,
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )
    await webhooks.insert_endpoint(conn, workspace_id, endpoint, "whsec_x")
    return endpoint.id


async def a_delivery(conn: Conn, workspace_id: str, endpoint_id: str) -> str:
    delivery_id = an_id("whd")
    await webhooks.insert_delivery(conn, workspace_id, delivery_id, endpoint_id, None, "run.failed", b"{}", NOW)
    return delivery_id


async def work_on(conn: Conn, delivery_id: str) -> webhooks.DeliveryWork:
    found = await webhooks.load_delivery(conn, delivery_id)
    assert found is not None
    return found


def attempt(status: str, **fields: object) -> webhooks.Attempt:
    nothing: dict[str, object] = {"status_code": None, "error": None, "next_attempt_at": None, "finished_at": None}
    return webhooks.Attempt(status=status, **nothing | fields)  # type: ignore[arg-type]


async def test_an_event_goes_to_the_enabled_endpoints_of_its_workspace_that_want_it(conn: Conn, ours: str) -> None:
    every = await an_endpoint(conn, ours)
    failures = await an_endpoint(conn, ours, ("run.failed", "evaluation.failed"))
    disabled = await an_endpoint(conn, ours)
    await conn.execute("update webhook_endpoint set status = 'disabled' where id = $1", disabled)
    await an_endpoint(conn, await a_workspace(conn, "theirs"))
    assert await webhooks.endpoints_for(conn, ours, "run.failed") == (every, failures)
    assert await webhooks.endpoints_for(conn, ours, "run.succeeded") == (every,)


async def test_one_attempt_is_recorded_once_however_many_made_it(conn: Conn, ours: str) -> None:
    delivery_id = await a_delivery(conn, ours, await an_endpoint(conn, ours))
    seen = await work_on(conn, delivery_id)
    retry = attempt("pending", error="timeout", next_attempt_at=LATER)
    assert await webhooks.record_attempt(conn, seen, retry)
    assert not await webhooks.record_attempt(conn, seen, attempt("delivered", status_code=200, finished_at=NOW))
    again = await work_on(conn, delivery_id)
    assert (again.attempts, again.status) == (1, "pending")
    assert await webhooks.record_attempt(conn, again, attempt("delivered", status_code=200, finished_at=LATER))
    ended = await work_on(conn, delivery_id)
    assert not await webhooks.record_attempt(conn, ended, retry), "what was delivered stays delivered"


async def test_the_overdue_are_those_whose_time_has_passed(conn: Conn, ours: str) -> None:
    endpoint = await an_endpoint(conn, ours)
    due, put_off, done = [await a_delivery(conn, ours, endpoint) for _ in range(3)]
    await webhooks.record_attempt(conn, await work_on(conn, put_off), attempt("pending", next_attempt_at=LATER))
    await webhooks.record_attempt(conn, await work_on(conn, done), attempt("delivered", finished_at=NOW))
    assert await webhooks.overdue(conn, NOW) == ()
    assert await webhooks.overdue(conn, NOW + timedelta(seconds=1)) == (due,)
    assert await webhooks.overdue(conn, LATER + timedelta(seconds=1)) == (due, put_off)


async def test_deliveries_are_listed_newest_first_by_endpoint(conn: Conn, ours: str) -> None:
    one, other = await an_endpoint(conn, ours), await an_endpoint(conn, ours)
    made = [await a_delivery(conn, ours, endpoint) for endpoint in (one, other, one, one)]
    first = await webhooks.list_deliveries(conn, ours, None, 2, endpoint_id=one, statuses=None)
    second = await webhooks.list_deliveries(conn, ours, first.next_cursor, 2, endpoint_id=one, statuses=None)
    assert [each.id for each in (*first.data, *second.data)] == [made[3], made[2], made[0]]
    assert second.next_cursor is None
    theirs = await a_workspace(conn, "theirs")
    assert (await webhooks.list_deliveries(conn, theirs, None, 2, endpoint_id=one, statuses=None)).data == ()


async def test_an_endpoint_goes_with_its_deliveries_and_only_in_its_own_workspace(conn: Conn, ours: str) -> None:
    endpoint = await an_endpoint(conn, ours)
    delivery_id = await a_delivery(conn, ours, endpoint)
    await webhooks.delete_endpoint(conn, await a_workspace(conn, "theirs"), endpoint)
    assert await webhooks.load_delivery(conn, delivery_id) is not None
    await webhooks.delete_endpoint(conn, ours, endpoint)
    assert await webhooks.load_delivery(conn, delivery_id) is None
