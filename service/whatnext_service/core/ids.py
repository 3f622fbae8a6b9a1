"""Identifiers: a prefix and 26 lower-case Crockford base32 characters, sorting by time of creation."""

import hashlib
import re
from typing import Literal

Prefix = Literal[
    "ws", "loop", "ds", "dsv", "run", "ckpt", "suite", "eval", "diag", "rec", "dep", "evt", "whe", "whd", "key", "cal"
]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_BODY = re.compile(rf"[0-7][{_ALPHABET}]{{25}}")
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
RUN_REF = re.compile(rf"({SLUG.pattern})/R([1-9][0-9]{{0,8}})")


def new_id(prefix: Prefix, time_ms: int, randomness: bytes) -> str:
    """Make an id from a Unix time in milliseconds (48 bits) and ten random bytes."""
    if len(randomness) != 10:
        raise ValueError("an id takes exactly 10 random bytes")
    number = (time_ms & ((1 << 48) - 1)) << 80 | int.from_bytes(randomness)
    return f"{prefix}_" + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def derived_id(prefix: Prefix, time_ms: int, *parts: str) -> str:
    """Make the id that belongs to some content: the same parts at the same time give the same id."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return new_id(prefix, time_ms, digest[:10])


def is_id(prefix: Prefix, text: str) -> bool:
    """Tell whether `text` is a well-formed id of this kind."""
    head, _, body = text.partition("_")
    return head == prefix and _BODY.fullmatch(body) is not None


def parse_run_ref(text: str) -> tuple[str, int] | None:
    """The loop's slug and the run's number of `{loop slug}/R3`; null for anything else.

    `~` may stand for the slash, which a URL's path segment cannot hold.
    """
    match = RUN_REF.fullmatch(text.replace("~", "/", 1))
    return (match[1], int(match[2])) if match else None
