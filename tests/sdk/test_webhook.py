import base64

import pytest

from whatnext.errors import WebhookVerificationError
from whatnext.webhook import sign, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PAYLOAD = b'{"test": 2432232314}'
HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "Webhook-Timestamp": "1614265330",
    "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
THEN = 1614265330.0


def test_the_example_of_the_standard_is_genuine() -> None:
    assert verify(PAYLOAD, HEADERS, SECRET, now=THEN) == {"test": 2432232314}
    assert verify(PAYLOAD.decode(), HEADERS, SECRET, now=THEN + 300) == {"test": 2432232314}


def test_one_match_of_several_signatures_is_enough() -> None:
    both = {**HEADERS, "Webhook-Signature": f"v1a,x v1,AAAA {HEADERS['Webhook-Signature']}"}
    assert verify(PAYLOAD, both, SECRET, now=THEN) == {"test": 2432232314}


@pytest.mark.parametrize(
    ("body", "changed", "secret", "now"),
    [
        (b'{"test": 1}', {}, SECRET, THEN),
        (PAYLOAD, {"Webhook-Id": "msg_other"}, SECRET, THEN),
        (PAYLOAD, {"Webhook-Timestamp": "1614265331"}, SECRET, THEN),
        (PAYLOAD, {"Webhook-Timestamp": "soon"}, SECRET, THEN),
        (PAYLOAD, {"Webhook-Signature": ""}, SECRET, THEN),
        (PAYLOAD, {"Webhook-Signature": "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, SECRET, THEN),
        (PAYLOAD, {"Webhook-Signature": "v1,é"}, SECRET, THEN),
        (PAYLOAD, {}, "whsec_" + base64.b64encode(b"another").decode(), THEN),
        (PAYLOAD, {}, "whsec_not base64", THEN),
        (PAYLOAD, {}, SECRET, THEN + 301),
        (PAYLOAD, {}, SECRET, THEN - 301),
    ],
)
def test_anything_else_is_refused(body: bytes, changed: dict[str, str], secret: str, now: float) -> None:
    with pytest.raises(WebhookVerificationError):
        verify(body, HEADERS | changed, secret, now=now)


@pytest.mark.parametrize("missing", HEADERS)
def test_a_missing_header_is_named(missing: str) -> None:
    headers = {name: value for name, value in HEADERS.items() if name != missing}
    with pytest.raises(WebhookVerificationError, match=missing.lower()):
        verify(PAYLOAD, headers, SECRET, now=THEN)


def test_a_signed_payload_that_is_no_json_is_refused() -> None:
    body, headers = sign(SECRET, b"{", "msg_1", int(THEN))
    with pytest.raises(WebhookVerificationError, match="no JSON"):
        verify(body, headers, SECRET, now=THEN)
