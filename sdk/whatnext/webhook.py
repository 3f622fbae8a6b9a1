"""Check that a webhook comes from the service (Standard Webhooks).

>>> body, headers = whatnext.webhook.sign("whsec_c2VjcmV0IG9mIG15IGVuZHBvaW50", b'{"type": "run.succeeded"}', "msg_1", 1700000000)
>>> whatnext.webhook.verify(body, headers, "whsec_c2VjcmV0IG9mIG15IGVuZHBvaW50", now=1700000010)
{'type': 'run.succeeded'}
"""  # noqa: E501

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from whatnext.errors import WebhookVerificationError

TOLERANCE_S = 300
"""How old, or how far ahead, a delivery may be."""


def verify(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str,
    *,
    now: float | None = None,
    tolerance_s: float = TOLERANCE_S,
) -> Any:
    """The decoded payload of a delivery; WebhookVerificationError when it is not the service's, or too old.

    `body` must be the bytes as they arrived. `webhook-signature` may hold several signatures while a secret is
    being replaced: one match is enough.
    """
    found = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, timestamp = found["webhook-id"], found["webhook-timestamp"]
        signatures = found["webhook-signature"]
    except KeyError as missing:
        raise WebhookVerificationError(f"the header {missing.args[0]} is missing") from None
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise WebhookVerificationError("webhook-timestamp is no number")
    if abs((time.time() if now is None else now) - int(timestamp)) > tolerance_s:
        raise WebhookVerificationError("the delivery is too old, or from the future")
    content = body.encode() if isinstance(body, str) else body
    expected = _signature(secret, message_id, timestamp, content).encode()
    if not any(hmac.compare_digest(each.encode(), expected) for each in signatures.split()):
        raise WebhookVerificationError("no signature matches")
    try:
        return msgspec.json.decode(content)
    except msgspec.MsgspecError:
        raise WebhookVerificationError("the payload is no JSON") from None


def sign(secret: str, body: bytes, message_id: str, timestamp: int) -> tuple[bytes, dict[str, str]]:
    """A delivery as the service would sign it, for tests: the body and its headers."""
    return body, {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": _signature(secret, message_id, str(timestamp), body),
    }


def _signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise WebhookVerificationError("the secret is no `whsec_` and base64") from None
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
