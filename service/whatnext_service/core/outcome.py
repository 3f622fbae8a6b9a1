"""How a run ended, in the facts that the evidence supports (evidence 8)."""

import re

import msgspec

from whatnext_service.core.runs import Run

RISEN = 1.04
"""Validation loss that ends this many times above its minimum has risen (evidence 8: > 3-5 %)."""
FAR_ABOVE = 1.5
"""From here a tenth of the rate gains more than a third of it (replayed surfaces: +0.40 against +0.26 points, and the
other way round below, +0.04 against +0.11)."""
_DIVERGED = re.compile(r"diverg|\bnan\b|explod|not finite|\binf(inite)?\b|overflow", re.IGNORECASE)


class Outcome(msgspec.Struct, kw_only=True, frozen=True):
    """The three facts about a curve that the evidence supports (evidence 8)."""

    known: bool
    above_first: bool
    """Validation loss ended above its first value."""
    far_above: bool
    """It ended more than half above it, or collapsed."""
    rise: float | None
    """Last over best validation loss."""
    best_is_last: bool

    @property
    def risen(self) -> bool:
        """Validation loss ended more than 4 % above its minimum (evidence 8: > 3-5 %)."""
        return self.rise is not None and self.rise > RISEN


def outcome(run: Run) -> Outcome:
    """Read validation loss against its first value and its own minimum, never the train/validation ratio."""
    reading = run.reading
    if reading is None or reading.valid_source == "none" or reading.n_valid_points < 2:
        return Outcome(known=False, above_first=False, far_above=False, rise=None, best_is_last=False)
    first, last = reading.first_valid_loss, reading.last_valid_loss
    against_first = last / first if reading.valid_source == "full" and first and last is not None else 0.0
    above = reading.trend in ("above_first", "collapsed") or against_first > 1.0
    return Outcome(
        known=True,
        above_first=above,
        far_above=reading.trend == "collapsed" or against_first > FAR_ABOVE,
        rise=reading.rise,
        best_is_last=reading.best_is_last,
    )


def diverged(run: Run) -> bool:
    """Whether a failed run failed because its loss exploded."""
    collapsed = run.reading is not None and (run.reading.trend == "collapsed" or run.reading.shape == "diverged")
    return collapsed or _DIVERGED.search(run.failure or "") is not None
