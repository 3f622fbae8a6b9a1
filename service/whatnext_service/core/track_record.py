"""Track record: how each rule's predictions turned out, and which rules have lost their place (evidence 6.10)."""

import math
from collections.abc import Iterable

import msgspec

from whatnext_service.core.loops import Direction

DOUBT = 0.1
"""A rule is demoted when a fair coin would do so badly with a probability below this."""


class Prediction(msgspec.Struct, kw_only=True, frozen=True):
    """One recommendation's expectation and what came of it."""

    rule: str
    direction: Direction
    """The direction in which the metric is better."""
    effect: float
    effect_low: float
    effect_high: float
    observed: float
    """Change of the metric against the parent, as it was measured."""


class RuleRecord(msgspec.Struct, kw_only=True, frozen=True):
    """A rule's record in a workspace."""

    rule: str
    n: int
    n_hits: int
    """Results that were better than the parent."""
    n_covered: int
    """Results inside the stated 80 % interval."""
    mean_error: float
    """Mean of observed minus expected effect: above zero the rule promises too little."""


def score_predictions(predictions: Iterable[Prediction]) -> tuple[RuleRecord, ...]:
    """Count hits and interval coverage for each rule, by name."""
    by_rule: dict[str, list[Prediction]] = {}
    for each in predictions:
        by_rule.setdefault(each.rule, []).append(each)
    return tuple(
        RuleRecord(
            rule=rule,
            n=len(group),
            n_hits=sum(1 for each in group if (each.observed > 0) == (each.direction == "up") and each.observed != 0),
            n_covered=sum(1 for each in group if each.effect_low <= each.observed <= each.effect_high),
            mean_error=round(sum(each.observed - each.effect for each in group) / len(group), 4),
        )
        for rule, group in sorted(by_rule.items())
    )


def demoted(record: RuleRecord) -> bool:
    """A rule that helped so seldom that a fair coin would do as badly in fewer than 1 of 10 cases is demoted."""
    chance = sum(math.comb(record.n, hits) for hits in range(record.n_hits + 1)) / 2**record.n if record.n < 1000 else 0
    return chance < DOUBT if record.n < 1000 else record.n_hits < 0.45 * record.n
