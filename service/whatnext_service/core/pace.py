"""How many requests may be under way at once: less when a platform says "too many", a little more with each answer."""

import msgspec

BACKOFF_FIRST_S = 0.5
BACKOFF_LONGEST_S = 30.0
LONGEST_PAUSE_S = 300.0
"""A platform that asks for a longer wait is asked again after this; its answer then stands."""
OUTAGE_S = 60.0
"""A platform that has given nothing but passing faults for so long is out of order."""


class Pace(msgspec.Struct, kw_only=True, frozen=True):
    """Additive increase, multiplicative decrease (as TCP's congestion control, RFC 5681), with Retry-After."""

    ceiling: int
    limit: float
    """Requests that may be under way at once; from 1 to `ceiling`."""
    not_before_s: float = 0.0
    """Nothing is sent before this time (on the caller's clock)."""
    halved_at_s: float = float("-inf")
    failing_since_s: float | None = None
    """The first passing fault since the last answer; null when an answer came after it."""


def start(ceiling: int) -> Pace:
    """A pace that begins at full width."""
    return Pace(ceiling=ceiling, limit=float(ceiling))


def answered(pace: Pace) -> Pace:
    """One more request a round of answers: each answer raises the limit by its reciprocal."""
    if pace.limit >= pace.ceiling and pace.failing_since_s is None:
        return pace
    limit = min(float(pace.ceiling), pace.limit + 1.0 / pace.limit)
    return msgspec.structs.replace(pace, limit=limit, failing_since_s=None)


def failed(pace: Pace, now_s: float) -> Pace:
    """A fault that passes, and that no answer was paid for."""
    return pace if pace.failing_since_s is not None else msgspec.structs.replace(pace, failing_since_s=now_s)


def is_out(pace: Pace, now_s: float) -> bool:
    """Whether the platform is out of order."""
    return pace.failing_since_s is not None and now_s - pace.failing_since_s >= OUTAGE_S


def throttled(pace: Pace, sent_at_s: float, now_s: float, retry_after_s: float | None) -> Pace:
    """Halve once a round: a refusal of a request that was sent before the last halving says nothing new."""
    pause_s = min(retry_after_s, LONGEST_PAUSE_S) if retry_after_s is not None else 0.0
    not_before_s = max(pace.not_before_s, now_s + pause_s)
    if sent_at_s < pace.halved_at_s:
        return msgspec.structs.replace(pace, not_before_s=not_before_s)
    return msgspec.structs.replace(pace, limit=max(1.0, pace.limit / 2.0), not_before_s=not_before_s, halved_at_s=now_s)


def backoff_s(attempt: int, spread: float) -> float:
    """Seconds before the next attempt: doubling from 0.5 to 30, `spread` (0 to 1) parts those who failed together."""
    longest = min(BACKOFF_LONGEST_S, BACKOFF_FIRST_S * 2.0 ** (attempt - 1))
    return longest * (0.5 + 0.5 * spread)
