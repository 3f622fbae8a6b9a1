"""Webhook endpoints: made, changed, told of events."""

import base64
from datetime import timedelta

import msgspec
from msgspec import UNSET
from standardwebhooks.webhooks import Webhook

from whatnext_service.contract.webhooks import (
    CreatedWebhookEndpoint,
    NewWebhookEndpoint,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEndpointPatch,
    WebhookMessage,
    WebhookSubject,
)
from whatnext_service.core.webhook_schedule import RETRY_AFTER_S, outcome_of
from whatnext_service.errors import ProviderError
from whatnext_service.flows.context import Services, Tx
from whatnext_service.flows.look_up import check_version, found
from whatnext_service.store import webhooks
from whatnext_service.store.transaction import connection

USER_AGENT = "whatnext-webhooks/1"


async def find_endpoint(tx: Tx, endpoint_id: str) -> WebhookEndpoint:
    return found(await webhooks.get_endpoint(tx.conn, tx.workspace_id, endpoint_id), "webhook endpoint", endpoint_id)


async def _lock_endpoint(tx: Tx, endpoint_id: str, if_version: int | None) -> WebhookEndpoint:
    held = await webhooks.lock_endpoint(tx.conn, tx.workspace_id, endpoint_id)
    endpoint = found(held, "webhook endpoint", endpoint_id)
    check_version("endpoint", endpoint.version, if_version)
    return endpoint


async def create_endpoint(tx: Tx, new: NewWebhookEndpoint) -> CreatedWebhookEndpoint:
    """Make an endpoint with a signing secret of 192 random bits."""
    secret = "whsec_" + base64.b64encode(tx.services.randomness(24)).decode()
    endpoint = WebhookEndpoint(
        id=tx.new_id("whe"),
        url=new.url,
        event_types=new.event_types,
        description=new.description,
        status="enabled",
        disabled_reason=None,
        version=1,
        created_at=tx.now,
        updated_at=tx.now,
    )
    await webhooks.insert_endpoint(tx.conn, tx.workspace_id, endpoint, secret)
    return CreatedWebhookEndpoint(endpoint=endpoint, secret=secret)


async def change_endpoint(
    tx: Tx, endpoint_id: str, patch: WebhookEndpointPatch, if_version: int | None
) -> WebhookEndpoint:
    """Merge a patch into an endpoint; enabling it forgets why it was disabled."""
    endpoint = await _lock_endpoint(tx, endpoint_id, if_version)
    given = {name: value for name in patch.__struct_fields__ if (value := getattr(patch, name)) is not UNSET}
    changed = msgspec.structs.replace(endpoint, **given)
    if changed == endpoint:
        return endpoint
    reason = None if changed.status == "enabled" else endpoint.disabled_reason or "disabled by hand"
    await webhooks.update_endpoint(
        tx.conn, tx.workspace_id, msgspec.structs.replace(changed, disabled_reason=reason), tx.now
    )
    return await find_endpoint(tx, endpoint_id)


async def delete_endpoint(tx: Tx, endpoint_id: str, if_version: int | None) -> WebhookEndpoint:
    """Delete an endpoint; what was still on its way to it is dropped."""
    endpoint = await _lock_endpoint(tx, endpoint_id, if_version)
    await webhooks.delete_endpoint(tx.conn, tx.workspace_id, endpoint.id)
    return endpoint


async def send_test(tx: Tx, endpoint_id: str) -> WebhookDelivery:
    """Send an endpoint a `webhook.test` event, signed like any other."""
    endpoint = await find_endpoint(tx, endpoint_id)
    subject = WebhookSubject(id=endpoint.id, loop_id=None, version=endpoint.version)
    body = msgspec.json.encode(WebhookMessage(type="webhook.test", timestamp=tx.now, data=subject))
    delivery_id = tx.new_id("whd")
    await webhooks.insert_delivery(
        tx.conn, tx.workspace_id, delivery_id, endpoint.id, None, "webhook.test", body, tx.now
    )
    await tx.defer("deliver", delivery_id)
    delivery = await webhooks.get_delivery(tx.conn, tx.workspace_id, delivery_id)
    if delivery is None:
        raise LookupError(delivery_id)
    return delivery


async def deliver(services: Services, delivery_id: str) -> None:
    """Post one event to one endpoint, and record how it went; what failed is tried again for about three days."""
    async with connection(services.pool) as conn:
        work = await webhooks.load_delivery(conn, delivery_id)
    if work is None or work.status != "pending":
        return
    status_code, error = None, None
    if work.endpoint_status != "enabled":
        error = "the endpoint is disabled"
    else:
        now = services.clock()
        headers = {
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "webhook-id": work.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(work.secret).sign(work.id, now, work.body.decode()),
        }
        try:
            status_code = (await services.poster.post(work.url, headers, work.body)).status_code
        except ProviderError as fault:
            error = f"{fault.fault}: {fault.detail}"
    async with services.begin(work.workspace_id) as tx:
        await _record(tx, work, status_code, error)


async def _record(tx: Tx, work: webhooks.DeliveryWork, status_code: int | None, error: str | None) -> None:
    outcome = outcome_of(status_code, work.attempts)
    if work.endpoint_status != "enabled":
        outcome = "failed"
    wait_s = RETRY_AFTER_S[work.attempts] if outcome == "retry" else None
    attempt = webhooks.Attempt(
        status={"delivered": "delivered", "retry": "pending"}.get(outcome, "failed"),
        status_code=status_code,
        error=error or (None if outcome == "delivered" else f"answered {status_code}"),
        next_attempt_at=tx.now + timedelta(seconds=wait_s) if wait_s is not None else None,
        finished_at=None if outcome == "retry" else tx.now,
    )
    if not await webhooks.record_attempt(tx.conn, work, attempt):
        return
    if wait_s is not None:
        await tx.defer("deliver", work.id, delay_s=wait_s)
    if outcome == "gone":
        endpoint = await webhooks.get_endpoint(tx.conn, tx.workspace_id, work.endpoint_id)
        if endpoint is not None:
            disabled = msgspec.structs.replace(endpoint, status="disabled", disabled_reason="it answered 410 Gone")
            await webhooks.update_endpoint(tx.conn, tx.workspace_id, disabled, tx.now)
