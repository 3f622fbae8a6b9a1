"""Budget: what the loop used of what it may, and whether a run still fits (method, section 7.4)."""

from collections import Counter
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from operator import attrgetter

import msgspec

from whatnext_service.core.advice import BudgetUse
from whatnext_service.core.catalogue import find_model
from whatnext_service.core.quick_sweep import BASELINE_EPOCHS
from whatnext_service.core.runs import RunConfig
from whatnext_service.core.state import LoopState

_CENT = Decimal("0.01")
_priced_by: Callable[[RunConfig], tuple[str, str, int | None]] = attrgetter(
    "base_model", "dataset_version_id", "n_epochs"
)
"""What the estimate of a run's cost depends on, beside the catalogue and the versions."""


class Spending(msgspec.Struct, kw_only=True, frozen=True):
    """What a loop's runs have cost."""

    used: Decimal
    """Costs as reported, and the estimate of every run that is under way or ended without a report."""
    cheapest_run: Decimal | None
    """What the next run would cost at least: as little as the cheapest so far; null without a figure or a limit."""


def spending(state: LoopState) -> Spending:
    """Add the runs' costs up; those of one price are estimated once."""
    costs = [cost for run in state.runs if (cost := run.cost) is not None]
    used = sum(costs, Decimal(0))
    unreported = [
        _priced_by(run.config) for run in state.runs if run.cost is None and run.status not in ("failed", "cancelled")
    ]
    for priced_by, n_runs in Counter(unreported).items():
        cost = _estimate(state, *priced_by)
        if cost is not None:
            used += n_runs * cost
            costs.append(cost)
    return Spending(
        used=used.quantize(_CENT, ROUND_HALF_UP),
        cheapest_run=None if state.loop.budget.max_cost is None else min(costs, default=None),
    )


def budget_use(state: LoopState, spent: Spending) -> BudgetUse:
    """Every recorded run counts, also a failed one; a run without a cost counts with its estimate until it ends."""
    return BudgetUse(
        runs_used=len(state.runs),
        runs_max=state.loop.budget.max_runs,
        cost_used=spent.used,
        cost_max=state.loop.budget.max_cost,
        currency=state.loop.budget.currency,
    )


def estimated_cost(state: LoopState, config: RunConfig) -> Decimal | None:
    """Tokens x epochs x price of a million tokens (method 9); null when the tokens or the price are unknown.

    `auto` epochs count as the model's start value. Prices are in US dollars: null for a budget in another currency.
    """
    return _estimate(state, *_priced_by(config))


def _estimate(state: LoopState, base_model: str, version_id: str, n_epochs: int | None) -> Decimal | None:
    model = find_model(state.catalogue, base_model)
    if model is None or model.training_price_per_mtok is None or state.loop.budget.currency != "USD":
        return None
    version = next((one for one in state.versions if one.id == version_id), None)
    if version is None or version.n_tokens is None:
        return None
    epochs = n_epochs or model.start_epochs or BASELINE_EPOCHS
    cost = Decimal(version.n_tokens) * epochs * model.training_price_per_mtok / 1_000_000
    return cost.quantize(_CENT, ROUND_HALF_UP)


def would_exceed(state: LoopState, config: RunConfig, spent: Spending) -> str | None:
    """Why this run does not fit the budget, in words; null when it fits or nothing is known against it."""
    budget, used = state.loop.budget, spent.used
    if (exhausted := exhausted_because(state, spent)) is not None:
        return exhausted
    if budget.max_cost is None:
        return None
    cost = estimated_cost(state, config)
    if cost is None or used + cost <= budget.max_cost:
        return None
    return f"it would cost about {cost} {budget.currency}, and {budget.max_cost - used} of {budget.max_cost} are left"


def exhausted_because(state: LoopState, spent: Spending) -> str | None:
    """Why no run at all fits any more; null while one may. The deadline is read against the state's own time."""
    budget, runs_used = state.loop.budget, len(state.runs)
    if budget.max_runs is not None and runs_used >= budget.max_runs:
        return f"{runs_used} of {budget.max_runs} runs are used"
    if budget.deadline is not None and state.as_of >= budget.deadline:
        return f"the deadline {budget.deadline.isoformat()} has passed"
    if budget.max_cost is None:
        return None
    return f"{spent.used} of {budget.max_cost} {budget.currency} are spent" if spent.used >= budget.max_cost else None
