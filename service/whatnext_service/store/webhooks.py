"""Webhook endpoints and deliveries."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from whatnext_service.contract.common import Page
from whatnext_service.contract.webhooks import WebhookDelivery, WebhookEndpoint
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


class DeliveryWork(msgspec.Struct, kw_only=True, frozen=True):
    """What the worker needs to deliver an event."""

    id: str
    workspace_id: str
    endpoint_id: str
    body: bytes
    status: str
    attempts: int
    created_at: datetime
    url: str
    secret: str
    endpoint_status: str


class Attempt(msgspec.Struct, kw_only=True, frozen=True):
    """How one attempt to deliver went, and when to try again."""

    status: str
    status_code: int | None
    error: str | None
    next_attempt_at: datetime | None
    finished_at: datetime | None


async def insert_endpoint(conn: Conn, workspace_id: str, new: WebhookEndpoint, secret: str) -> None:
    types = list(new.event_types) if new.event_types is not None else None
    await conn.execute(
        sql.insert_endpoint, new.id, workspace_id, new.url, types, new.description, secret, new.created_at
    )


async def get_endpoint(conn: Conn, workspace_id: str, endpoint_id: str) -> WebhookEndpoint | None:
    row = await conn.fetchrow(sql.get_endpoint, workspace_id, endpoint_id)
    return rows.decode(WebhookEndpoint, row) if row else None


async def lock_endpoint(conn: Conn, workspace_id: str, endpoint_id: str) -> WebhookEndpoint | None:
    """The endpoint, held against other writers until the transaction ends."""
    row = await conn.fetchrow(sql.lock_endpoint, workspace_id, endpoint_id)
    return rows.decode(WebhookEndpoint, row) if row else None


async def list_endpoints(
    conn: Conn, workspace_id: str, cursor: str | None, limit: int, *, statuses: Sequence[str] | None
) -> Page[WebhookEndpoint]:
    found = await conn.fetch(sql.list_endpoints, workspace_id, cursor, limit, statuses)
    return rows.page_of(WebhookEndpoint, found, limit)


async def update_endpoint(conn: Conn, workspace_id: str, endpoint: WebhookEndpoint, now: datetime) -> None:
    """Write an endpoint's mutable fields and count its version."""
    await conn.execute(
        sql.update_endpoint,
        workspace_id,
        endpoint.id,
        endpoint.url,
        list(endpoint.event_types) if endpoint.event_types is not None else None,
        endpoint.description,
        endpoint.status,
        endpoint.disabled_reason,
        now,
    )


async def delete_endpoint(conn: Conn, workspace_id: str, endpoint_id: str) -> None:
    """Delete an endpoint with its deliveries."""
    await conn.execute(sql.delete_endpoint, workspace_id, endpoint_id)


async def endpoints_for(conn: Conn, workspace_id: str, type: str) -> tuple[str, ...]:
    """Ids of the enabled endpoints that want events of a type."""
    return tuple(row["id"] for row in await conn.fetch(sql.endpoints_for, workspace_id, type))


async def insert_delivery(
    conn: Conn,
    workspace_id: str,
    delivery_id: str,
    endpoint_id: str,
    event_id: str | None,
    type: str,
    body: bytes,
    now: datetime,
) -> None:
    await conn.execute(sql.insert_delivery, delivery_id, workspace_id, endpoint_id, event_id, type, body, now)


async def get_delivery(conn: Conn, workspace_id: str, delivery_id: str) -> WebhookDelivery | None:
    row = await conn.fetchrow(sql.get_delivery, workspace_id, delivery_id)
    return rows.decode(WebhookDelivery, row) if row else None


async def list_deliveries(
    conn: Conn, workspace_id: str, cursor: str | None, limit: int, *, endpoint_id: str, statuses: Sequence[str] | None
) -> Page[WebhookDelivery]:
    found = await conn.fetch(sql.list_deliveries, workspace_id, cursor, limit, endpoint_id, statuses)
    return rows.page_of(WebhookDelivery, found, limit)


async def load_delivery(conn: Conn, delivery_id: str) -> DeliveryWork | None:
    row = await conn.fetchrow(sql.load_delivery, delivery_id)
    return rows.decode(DeliveryWork, row) if row else None


async def record_attempt(conn: Conn, delivery: DeliveryWork, attempt: Attempt) -> bool:
    """Write how an attempt went; false when another worker's attempt was written meanwhile."""
    written = await conn.fetchval(
        sql.record_attempt,
        delivery.id,
        delivery.attempts,
        attempt.status,
        attempt.status_code,
        attempt.error,
        attempt.next_attempt_at,
        attempt.finished_at,
    )
    return written is not None


async def overdue(conn: Conn, before: datetime) -> tuple[str, ...]:
    """Deliveries whose time has come and gone."""
    return tuple(row["id"] for row in await conn.fetch(sql.overdue, before))
