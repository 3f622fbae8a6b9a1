from decimal import Decimal

import pytest
from tests.core.loop_states import a_config, a_loop, a_model, a_run, a_state, a_version

from whatnext_service.core.budget import Spending, budget_use, estimated_cost, spending, would_exceed
from whatnext_service.core.loops import Budget


def test_a_run_costs_tokens_times_epochs_times_price():
    """Method 9: 100,000 tokens x 2 epochs x 5 dollars a million."""
    assert estimated_cost(a_state(), a_config()) == Decimal("1.00")


def test_auto_epochs_cost_the_models_start_value():
    state = a_state(catalogue=(a_model(start_epochs=3),))
    assert estimated_cost(state, a_config(n_epochs=None)) == Decimal("1.50")


@pytest.mark.parametrize(
    "state",
    [
        a_state(catalogue=()),
        a_state(catalogue=(a_model(training_price_per_mtok=None),)),
        a_state(versions=(a_version(n_tokens=None),)),
        a_state(versions=()),
        a_state(loop=a_loop(budget=Budget(currency="EUR"))),
    ],
    ids=["unknown model", "unknown price", "unknown tokens", "unknown version", "another currency"],
)
def test_an_estimate_needs_every_factor(state):
    assert estimated_cost(state, a_config()) is None


def test_use_counts_every_run_and_what_is_under_way():
    runs = (
        a_run(1, cost=Decimal("1.20")),
        a_run(2, cost=None, status="running"),
        a_run(3, cost=None, status="failed"),
    )
    state = a_state(runs=runs, loop=a_loop(budget=Budget(max_runs=10, max_cost=Decimal(50))))
    use = budget_use(state, spending(state))
    assert (use.runs_used, use.runs_max) == (3, 10)
    assert use.cost_used == Decimal("2.20")
    assert (use.cost_max, use.currency) == (Decimal(50), "USD")


def test_nothing_used_costs_nothing():
    assert spending(a_state()) == Spending(used=Decimal("0.00"), cheapest_run=None)


def test_the_next_run_costs_at_least_the_cheapest_so_far():
    runs = (a_run(1, cost=Decimal("1.20")), a_run(2, cost=Decimal("0.80")))
    state = a_state(runs=runs, loop=a_loop(budget=Budget(max_cost=Decimal(50))))
    assert spending(state).cheapest_run == Decimal("0.80")


@pytest.mark.parametrize(
    ("budget", "epochs", "exceeds"),
    [
        (Budget(), 1000, False),
        (Budget(max_cost=Decimal("2.20")), 2, False),
        (Budget(max_cost=Decimal("2.19")), 2, True),
        (Budget(max_cost=Decimal("2.19")), 1, False),
        (Budget(max_runs=1), 1, True),
        (Budget(max_runs=2), 1, False),
    ],
)
def test_a_run_that_does_not_fit_says_why(budget, epochs, exceeds):
    """Method 7.4: 1.20 of the budget is spent, an epoch costs 0.50."""
    state = a_state(runs=(a_run(1),), loop=a_loop(budget=budget))
    assert (would_exceed(state, a_config(n_epochs=epochs), spending(state)) is not None) is exceeds
