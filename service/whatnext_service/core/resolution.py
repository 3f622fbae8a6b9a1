"""The resolution gate: what the suite can see, what the rules ask of it, and the cheapest way to see it."""

import math

import msgspec

from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.incumbent import Standing, paired_gain
from whatnext_service.core.power import chance_of_gap, items_needed, minimum_detectable_effect, upper_limit
from whatnext_service.core.scoreboard import Scoreboard

MAX_RUNS = 5
"""Repeats of each configuration that are still advised."""


class Resolution(msgspec.Struct, kw_only=True, frozen=True):
    """What the selection suite can see."""

    n_items: int
    difference_sd: float
    """Standard deviation of one item's paired difference, from the loop's own scores."""
    visible: float
    """Smallest true difference that the suite shows with 80 % power."""
    asked: float
    """The gain that the loop's rules ask to be seen."""
    items_needed: int | None
    chance: float
    """Probability that two equally good models differ by more than is asked."""
    training_sd: float
    """What training again changes, counted in; 0 while no run was repeated."""
    remedy: str
    """The cheapest way to see the effect asked for."""

    @property
    def sees(self) -> bool:
        """Whether the suite can see what is asked."""
        return self.visible <= self.asked


def resolution(board: Scoreboard, best: Standing | None) -> Resolution | None:
    """Measure the suite by the best model against the baseline; null while there is no pair (evidence 1 and 6.3)."""
    reference: Evaluation | None = board.baseline
    if best is None or reference is None or board.suite is None:
        return None
    gain = paired_gain(best.arm.evaluation, reference, board.sign)
    n_items = min(best.arm.evaluation.n_scored, reference.n_scored)
    if gain is None or n_items < 2 or gain[1] <= 0.0:
        return None
    sd = gain[1] * math.sqrt(n_items)
    visible = smallest_visible(board, n_items, sd)
    asked = board.state.loop.rules.min_gain
    if visible is None or asked <= 0.0:
        return None
    limit = upper_limit(sd, n_items - 1)
    training_sd = 0.0 if board.training_noise is None else board.training_noise.run_sd
    needed = items_needed(asked, limit, replicate_sd=training_sd)
    return Resolution(
        n_items=n_items,
        difference_sd=sd,
        visible=visible,
        asked=asked,
        items_needed=needed,
        chance=chance_of_gap(asked, n_items, math.hypot(sd, math.sqrt(2.0 * n_items) * training_sd)),
        training_sd=training_sd,
        remedy=_remedy(board.suite.regrade_sd, n_items, limit, asked, needed, training_sd),
    )


def smallest_visible(board: Scoreboard, n_items: int, difference_sd: float) -> float | None:
    """Smallest true difference that one comparison of two trained models on the suite shows with 80 % power.

    `difference_sd` is an estimate from as many items, so its upper limit counts. Right-or-wrong scores are judged by an
    exact test, which wants up to two items more than the normal formula says.
    """
    if n_items < 2:
        return None
    training_sd = 0.0 if board.training_noise is None else board.training_noise.run_sd
    visible = minimum_detectable_effect(n_items, upper_limit(difference_sd, n_items - 1), replicate_sd=training_sd)
    if visible is None or board.suite is None or not board.suite.binary:
        return visible
    metric = board.state.loop.metric
    return visible + 1.5 * (metric.scale_max - metric.scale_min) / n_items


def _remedy(
    regrade_sd: float | None, n_items: int, sd: float, asked: float, needed: int | None, training_sd: float
) -> str:
    """The way with the least work: a new item takes an answer and a grading, a repeated grading only itself."""
    more_items = math.inf if needed is None else 2.0 * (needed - n_items)
    if regrade_sd:
        for n_gradings in (2, 3, 4, 5):
            seen = minimum_detectable_effect(
                n_items, sd, regrade_sd=regrade_sd, n_gradings=n_gradings, replicate_sd=training_sd
            )
            if seen is not None and seen <= asked and (n_gradings - 1) * n_items < more_items:
                return f"grade every answer {n_gradings} times and take the mean"
    if needed is None:
        return _repeats(n_items, sd, asked, training_sd)
    return f"enlarge the suite from {n_items} to {needed} items, or ask for a larger gain than {asked:g}"


def _repeats(n_items: int, sd: float, asked: float, training_sd: float) -> str:
    """Where the seeds alone hide it: so many runs of each configuration, on as many items as they then ask for."""
    for n_runs in range(2, MAX_RUNS + 1):
        needed = items_needed(asked, sd, replicate_sd=training_sd, n_replicates=n_runs)
        if needed is not None:
            more = f", on {needed} items" if needed > n_items else ""
            return f"train each configuration {n_runs} times with other seeds{more}; no number of items alone shows it"
    return f"ask for a larger gain than {asked:g}: training again moves a score by {training_sd:.2f}"
