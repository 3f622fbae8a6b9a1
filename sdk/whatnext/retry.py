"""When to try again, and how long to wait before."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

MIN_DELAY_S = 0.5
MAX_DELAY_S = 8.0
MAX_RETRY_AFTER_S = 60.0
"""However long the service asks for, a retry comes no later."""


def may_retry(status: int, headers: Mapping[str, str], *, safe: bool) -> bool:
    """Whether this answer is worth another try.

    408, 429 and 5xx are; 409 only with Retry-After. A request that must not reach the service twice (`safe` is
    false: a PATCH) is repeated only when the service says that it did not look at it (429).
    """
    if status == 429:
        return True
    return safe and (status == 408 or status >= 500 or (status == 409 and "retry-after" in headers))


def delay_s(attempt: int, headers: Mapping[str, str], *, now: float, jitter: float) -> float:
    """Seconds before try number `attempt` + 2: what Retry-After says, or 0.5 s doubling to 8 s.

    `jitter`, from 0 to 1, takes off up to a quarter; `now` is the Unix time.
    """
    asked = retry_after_s(headers, now)
    if asked is not None:
        return min(asked, MAX_RETRY_AFTER_S)
    delay: float = min(MIN_DELAY_S * 2.0**attempt, MAX_DELAY_S)
    return delay * (1.0 - 0.25 * jitter)


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """What a Retry-After header asks for, in seconds from now; null when there is none that can be read."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except ValueError:
            return None
        seconds = max(seconds, 0.0)
    return seconds if 0.0 <= seconds < float("inf") else None
