"""How much one key may ask, and how many readers may wait at once."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from whatnext_service.errors import DomainError

BURST_S = 5.0
"""A key that was quiet may ask this many seconds' worth at once."""
FULL_RETRY_S = 5


class RateLimit:
    """A bucket of tokens for each key, in this process: a request takes one, and they come back at a steady rate."""

    def __init__(self, per_s: float | None, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key_id: str) -> None:
        """Take a token of the key; raises `too_many_requests` with the seconds until there is one."""
        if self._per_s is None:
            return
        burst = max(1.0, BURST_S * self._per_s)
        now = self._clock()
        left, since = self._buckets.get(key_id, (burst, now))
        left = min(burst, left + (now - since) * self._per_s)
        if left < 1.0:
            self._buckets[key_id] = (left, now)
            wait_s = math.ceil((1.0 - left) / self._per_s)
            raise DomainError(
                "too_many_requests", f"This key may ask {self._per_s:g} times a second.", retry_after_s=wait_s
            )
        self._buckets[key_id] = (left - 1.0, now)


class WaitingRoom:
    """Where readers wait for something to move: counted, limited, and emptied when the service stops."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.n_waiting = 0
        self.closed = False

    def check(self) -> None:
        """Raise `too_many_requests` when every place is taken."""
        if self.n_waiting >= self._size:
            raise DomainError(
                "too_many_requests", f"{self._size} readers are waiting already.", retry_after_s=FULL_RETRY_S
            )

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place while waiting."""
        self.check()
        self.n_waiting += 1
        try:
            yield
        finally:
            self.n_waiting -= 1

    def close(self) -> None:
        """Let nobody wait any longer; whoever does must be woken to see it."""
        self.closed = True
