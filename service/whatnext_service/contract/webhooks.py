"""Webhook endpoints and deliveries on the wire."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from whatnext_service.contract.common import Body, Resource, Text, UtcTime

Url = Annotated[
    str,
    Meta(
        pattern=r'^https?://[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?(:[0-9]{1,5})?([/?][!-"$-~]*)?$', max_length=2000
    ),
]
EventTypes = Annotated[
    tuple[Annotated[str, Meta(pattern=r"^[a-z_]+\.[a-z_]+$")], ...], Meta(min_length=1, max_length=64)
]
EndpointStatus = Literal["enabled", "disabled"]


class NewWebhookEndpoint(Body, kw_only=True, frozen=True):
    """An endpoint that is told of events."""

    url: Url
    event_types: EventTypes | None = None
    """Only these types, such as `run.succeeded`; null: every type."""
    description: Text | None = None


class WebhookEndpointPatch(Body, kw_only=True, frozen=True):
    """Changes to an endpoint; what is absent stays."""

    url: Url | UnsetType = UNSET
    event_types: EventTypes | None | UnsetType = UNSET
    description: Text | None | UnsetType = UNSET
    status: EndpointStatus | UnsetType = UNSET


class WebhookEndpoint(Resource, kw_only=True, frozen=True):
    """An endpoint that is told of events, signed as Standard Webhooks prescribes."""

    id: str
    url: str
    event_types: tuple[str, ...] | None
    description: str | None
    status: EndpointStatus | str
    disabled_reason: str | None
    version: int
    created_at: UtcTime
    updated_at: UtcTime


class CreatedWebhookEndpoint(Resource, kw_only=True, frozen=True):
    """An endpoint just made; its signing secret is shown this once."""

    endpoint: WebhookEndpoint
    secret: str | None
    """Null when an idempotent request is answered once more."""


class WebhookDelivery(Resource, kw_only=True, frozen=True):
    """One event on its way to one endpoint."""

    id: str
    endpoint_id: str
    event_id: str | None
    """Null for a test call."""
    type: str
    status: Literal["pending", "delivered", "failed"] | str
    attempts: int
    last_status_code: int | None
    last_error: str | None
    next_attempt_at: UtcTime | None
    created_at: UtcTime
    finished_at: UtcTime | None


class WebhookSubject(Resource, kw_only=True, frozen=True):
    """What an event is about."""

    id: str
    loop_id: str | None
    version: int
    """The subject's version after the event."""


class WebhookMessage(Resource, kw_only=True, frozen=True):
    """What an endpoint is told: thin, because only a look at the resource is sure to be fresh."""

    type: str
    timestamp: UtcTime
    data: WebhookSubject
