"""Personal data and secrets by their shape."""

import pytest

from whatnext_service.core.private_text import find_private
from whatnext_service.core.tokens import estimate_tokens


@pytest.mark.parametrize(
    "text",
    [
        "write to jane.doe@corp.co.uk",
        "call (212) 555-0147 today",
        "call +1 212 555 0147",
        "ssn 123-45-6789",
        "card 4111 1111 1111 1111",
        "IBAN DE89 3704 0044 0532 0130 00",
    ],
)
def test_personal_data_is_seen(text: str) -> None:
    assert find_private(text) == (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "key sk-proj-abcdefghijklmnopqrstuvwx",
        "AKIAABCDEFGHIJKLMNOP",
        "token ghp_" + "a1B2" * 9,
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
)
def test_secrets_are_seen(text: str) -> None:
    assert find_private(text)[1]


@pytest.mark.parametrize(
    "text",
    [
        "version 1.2.3 of 2024-11-22",
        "card 4111 1111 1111 1112",
        "me@example.com is made up",
        "task-oriented, risk-free and desk-bound",
        "0.1234567890123456",
        "192.168.100.200",
        "DE00 3704 0044 0532 0130 00",
    ],
)
def test_look_alikes_are_left_alone(text: str) -> None:
    assert find_private(text) == (False, False)


@pytest.mark.parametrize(("text", "n_tokens"), [("", 0), ("hello world", 2), ("12345", 3), ("你好", 2), ("a, b", 3)])
def test_tokens_are_estimated_from_pieces(text: str, n_tokens: int) -> None:
    assert estimate_tokens(text) == n_tokens
