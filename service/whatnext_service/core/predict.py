"""What a change is expected to do, stated before it is tried, and how such statements turned out."""

import math

import msgspec

from whatnext_service.core.advice import Expectation, Value
from whatnext_service.core.change_took import took
from whatnext_service.core.incumbent import Standing
from whatnext_service.core.lineage import changed_variables
from whatnext_service.core.move_kinds import Move, Rule
from whatnext_service.core.runs import Run, Variable
from whatnext_service.core.scoreboard import Scoreboard

Z80 = 1.2816
"""Half-width of an 80 % interval in standard deviations of a normal distribution."""
MAX_PAST = 64
"""Earlier changes that an expectation is updated by: the latest ones."""
TEN_POINTS = 9.0
"""The priors are in points of a scale of 1 to 10; other scales are stretched to it."""


class PastEffect(msgspec.Struct, kw_only=True, frozen=True):
    """What one earlier change did in this loop."""

    variable: Variable
    upward: bool | None
    """Whether a number went up; null where the variable is not a number."""
    effect: float
    """Gain in shrunken utility."""


class Prior(msgspec.Struct, kw_only=True, frozen=True):
    """What a rule's change did on real training surfaces, in points of 10."""

    rule: Rule
    mean: float
    sd: float
    """Spread of the true effect between cases, measurement noise apart."""
    source: str


_REPLAYED = "replayed surfaces, every checkpoint scored: "
PRIORS = (
    Prior(rule="rate_ruins_run", mean=0.1, sd=0.5, source=_REPLAYED + "0.00 to +0.23 by surface, 57 % up"),
    Prior(rule="clean_data", mean=0.5, sd=0.5, source="evidence 8: cleaning +0.34 to +0.76, 71-88 % up"),
    Prior(rule="clean_and_enlarge_data", mean=0.65, sd=0.65, source=_REPLAYED + "-0.02 to +1.53 by surface, 88 % up"),
    Prior(rule="enlarge_data", mean=0.19, sd=0.5, source="evidence 8: +0.19 while validation loss has not risen"),
    Prior(
        rule="revised_data", mean=0.2, sd=0.6, source="no measured prior: 4 of 6 such changes in real histories helped"
    ),
    Prior(
        rule="lower_rate_risen", mean=-0.1, sd=0.2, source=_REPLAYED + "-0.15 to -0.07; checkpoints cure most of a rise"
    ),
    Prior(rule="raise_rate_undertrained", mean=0.0, sd=0.3, source=_REPLAYED + "-0.12 to +0.04, 38 % up"),
    Prior(rule="train_longer", mean=0.2, sd=0.4, source="evidence 8: more epochs, 68-70 % up"),
    Prior(rule="neighbouring_rate", mean=-0.2, sd=0.4, source=_REPLAYED + "-0.45 to -0.03; it looks for the exception"),
    Prior(rule="other_base_model", mean=0.0, sd=1.5, source="no sign known beforehand: base models differ either way"),
    Prior(rule="repair_rate", mean=0.1, sd=0.5, source=_REPLAYED + "as for any rate that ruins a run"),
    Prior(rule="other_method", mean=0.0, sd=1.0, source="no measured prior: method 6.4 gives a direction only"),
    Prior(rule="batch_size", mean=-0.1, sd=0.2, source=_REPLAYED + "-0.14 to -0.01, 30 % up"),
    Prior(rule="remaining_rate", mean=-0.4, sd=0.7, source=_REPLAYED + "-0.74 to -0.04, 23 % up"),
    Prior(rule="lower_rate_failed", mean=0.33, sd=0.6, source="method 3: a diverged run wants a much lower rate"),
)
"""Change from the best scored state of the parent to the best scored state of the run."""


def prior_of(rule: Rule) -> Prior:
    """The prior of a rule."""
    return next(prior for prior in PRIORS if prior.rule == rule)


def expect(board: Scoreboard, past: tuple[PastEffect, ...], move: Move, noise: float | None) -> Expectation:
    """The effect a move should have on the held-out score against its parent, with an 80 % interval.

    A normal prior from the surfaces, updated by the loop's own effects of the same variable, widened by the noise of
    the comparison that will judge it. What one base model gained tells nothing of another.
    """
    metric = board.state.loop.metric
    stretch = (metric.scale_max - metric.scale_min) / TEN_POINTS
    prior = prior_of(move.rule)
    upward = _upward(move.from_value, move.to_value)
    alike = () if move.variable == "base_model" else past
    own = [each.effect for each in alike if each.variable == move.variable and each.upward == upward]
    error = (noise or 0.3 * stretch) ** 2
    spread = (prior.sd * stretch) ** 2
    weight = len(own) * spread / (len(own) * spread + spread + error) if own else 0.0
    centre = (1 - weight) * prior.mean * stretch + (weight * sum(own) / len(own) if own else 0.0)
    width = Z80 * math.sqrt(spread * (1 - weight) + error)
    gain = board.sign * centre
    basis = prior.source
    if own:
        basis += f"; updated by {len(own)} earlier change{'s' if len(own) > 1 else ''} of the same kind in this loop"
    return Expectation(
        metric=metric.name,
        direction=metric.direction,
        by_at_least=board.state.loop.rules.min_gain if centre > 0 else None,
        judged_on=None if board.suite is None else board.suite.id,
        effect=round(gain, 3),
        effect_low=round(gain - width, 3),
        effect_high=round(gain + width, 3),
        basis=basis,
        rule=move.rule,
    )


def past_effects(found: tuple[Standing, ...]) -> tuple[PastEffect, ...]:
    """Effects of the loop's latest single changes on the held-out score."""
    latest = found[-MAX_PAST:]
    parents = {each.trial.run.parent_id for each in latest}
    by_run = {run_id: each for each in found if (run_id := each.trial.run.id) in parents}
    effects: list[PastEffect] = []
    for each in latest:
        run = each.trial.run
        parent = by_run.get(run.parent_id or "")
        if parent is None or run.confounded_by or not took(run):
            continue
        changed = changed_variables(parent.trial.run.config, run.config)
        if len(changed) == 1:
            old, new = getattr(parent.trial.run.config, changed[0]), getattr(run.config, changed[0])
            effects.append(
                PastEffect(variable=changed[0], upward=_upward(old, new), effect=each.estimate - parent.estimate)
            )
    return tuple(effects)


def observed_effect(found: tuple[Standing, ...], run: Run) -> float | None:
    """Change of the metric from what was best of the parent to what is best of the run.

    Null until both have scores, and where the change did not take: then nothing was tried.

    It is what the expectation of the recommendation that led to the run is scored against.
    """
    if not took(run):
        return None
    held = {each.trial.run.id: each.arm.evaluation.combined for each in found}
    before, after = held.get(run.parent_id or ""), held.get(run.id)
    return None if before is None or after is None else round(after - before, 6)


def _upward(old: Value, new: Value) -> bool | None:
    if isinstance(old, int | float) and isinstance(new, int | float):
        return new > old
    return None
