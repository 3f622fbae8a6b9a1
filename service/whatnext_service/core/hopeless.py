"""Whether a candidate has been shown to be worse while its evaluation is still under way."""

from math import log

from whatnext_service.core.loops import Direction

FALSE_STOP = 0.05
"""Chance that a candidate as good as its reference is ever stopped, however often one looks."""
MIN_PAIRS = 10
"""Fewest pairs after which an evaluation may be stopped (method 4: ten examples are the least that says anything)."""
_BOLDEST = 0.8
"""Largest share of the capital that one pair may move: it bounds the loss to a single surprising pair."""


def hopeless(
    pairs: tuple[tuple[float | None, float | None], ...], *, spread: float, direction: Direction = "up"
) -> bool:
    """Stop when a bet against "the candidate is no worse" has multiplied its stake by 20.

    `pairs` are (candidate, reference) scores in an order that was fixed before any was known, up to the first item
    that is not finished; items without one of the scores are left out. The bet is a test by betting for a bounded mean
    (Waudby-Smith and Ramdas 2023): its capital is a supermartingale while the hypothesis holds, so by Ville's
    inequality it may be looked at after every item, which a repeated Wilcoxon test (evidence 7) may not.
    """
    capital, seen, total, squares = 0.0, 0, 0.0, 0.0
    sign = 1.0 if direction == "up" else -1.0
    threshold = log(1.0 / FALSE_STOP)
    for candidate, reference in pairs:
        if candidate is None or reference is None:
            continue
        loss = sign * (reference - candidate) / spread
        mean = total / (seen + 1)
        variance = max(1e-4, (squares + 0.25) / (seen + 1) - mean * mean)
        bet = min(_BOLDEST, max(0.0, mean / (variance + mean * mean)))
        capital += log(1.0 + bet * max(-1.0, min(1.0, loss)))
        seen, total, squares = seen + 1, total + loss, squares + loss * loss
        if seen >= MIN_PAIRS and capital >= threshold:
            return True
    return False
