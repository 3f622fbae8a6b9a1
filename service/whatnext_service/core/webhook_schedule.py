"""When a webhook is tried again (the schedule that Standard Webhooks suggests: about three days)."""

from typing import Literal

RETRY_AFTER_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds to the next attempt after the first, second, ... failure."""

Outcome = Literal["delivered", "retry", "failed", "gone"]


def outcome_of(status_code: int | None, attempts: int) -> Outcome:
    """What an answer means: 2xx delivered, 410 gone for good, anything else tried again while there are tries left.

    `attempts` counts the failures before this one; a null status is no answer at all.
    """
    if status_code is not None and 200 <= status_code < 300:
        return "delivered"
    if status_code == 410:
        return "gone"
    return "retry" if attempts < len(RETRY_AFTER_S) else "failed"
