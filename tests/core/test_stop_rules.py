"""Method 7, with the noise model of evidence 1: each rule on both sides of each of its conditions."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from tests.core.loop_states import START, a_config, a_loop, a_run, a_state, a_suite, an_evaluation, scores

from whatnext_service.core.loops import Budget, Metric, Rules
from whatnext_service.core.stop_rules import stop_rules


def rule(state, name):
    return next(one for one in stop_rules(state) if one.rule == name)


def series(*means, baseline=6.0, loop=None, wobble=0.2, items=True):
    """One run for each mean, each another learning rate than its parent."""
    runs = tuple(
        a_run(number, a_config(learning_rate_multiplier=1.0 + number / 100)) for number in range(1, len(means) + 1)
    )
    evaluations = tuple(
        an_evaluation(mean, run=number, items=scores(mean, wobble=wobble, shift=number) if items else None)
        for number, mean in enumerate(means, start=1)
    )
    return a_state(runs=runs, evaluations=evaluations, baseline=baseline, loop=loop)


def test_the_four_rules_in_the_methods_order():
    assert [one.rule for one in stop_rules(a_state())] == [
        "beaten_and_flat",
        "diminishing_returns",
        "good_enough",
        "budget",
    ]
    assert not any(one.met for one in stop_rules(a_state()))


@pytest.mark.parametrize(
    ("means", "met"),
    [
        ((8.0, 7.9, 8.0, 7.8), True),
        ((8.0, 7.9, 8.0), False),  # only two experiments after the first
        ((8.0, 7.9, 8.4, 7.8), False),  # R3 improved within the window
        ((8.0, 8.4, 8.4, 8.3, 8.2), True),  # the improvement has left the window
        ((6.2, 6.1, 6.2, 6.1), False),  # beaten by 3 %, not by more than 5 %
        ((6.0, 5.9, 6.0, 5.8), False),  # not beaten
    ],
)
def test_beaten_and_flat(means, met):
    """Method 7.1: more than 5 % over the baseline, and the last 3 experiments did not improve."""
    assert rule(series(*means), "beaten_and_flat").met is met


def test_a_gain_within_the_noise_is_no_improvement():
    """Method 4: never when the interval includes zero. Items swing by 3 points, the mean by 0.2."""
    state = series(8.0, 8.2, 7.9, 8.1, wobble=3.0)
    decided = rule(state, "beaten_and_flat")
    assert decided.met
    assert "R1" in decided.detail


def test_a_margin_within_the_noise_does_not_beat_the_baseline():
    """Nine points against two, evenly: 6.5 on average over 6.0, and the interval reaches below zero."""
    state = series(6.5, 6.4, 6.4, 6.4, wobble=3.5)
    assert not rule(state, "beaten_and_flat").met


def test_patience_and_margin_are_the_loops_own():
    patient = a_loop(rules=Rules(patience=4))
    assert not rule(series(8.0, 7.9, 8.0, 7.8, loop=patient), "beaten_and_flat").met
    modest = a_loop(rules=Rules(min_margin_pct=2.0))
    assert rule(series(6.2, 6.1, 6.2, 6.1, loop=modest), "beaten_and_flat").met


def test_repeats_are_no_experiments():
    state = series(8.0, 7.9, 8.0)
    repeat = a_run(4, a_config(learning_rate_multiplier=1.03, seed=9), parent_id="run_3")
    state = msgspec.structs.replace(
        state, runs=(*state.runs, repeat), evaluations=(*state.evaluations, an_evaluation(7.9, run=4))
    )
    assert not rule(state, "beaten_and_flat").met


@pytest.mark.parametrize("name", ["beaten_and_flat", "diminishing_returns"])
def test_nothing_is_flat_while_a_run_is_pending(name):
    """Evidence 7: never stop while runs are pending."""
    state = series(8.0, 7.9, 8.0, 7.8)
    assert rule(state, name).met
    state = msgspec.structs.replace(state, runs=(*state.runs, a_run(5, status="running")))
    waiting = rule(state, name)
    assert not waiting.met
    assert "R5" in waiting.detail


@pytest.mark.parametrize(
    ("means", "met"),
    [
        ((8.0, 8.05, 8.09, 8.12), True),
        ((8.0, 8.05, 8.2, 8.21), False),  # R3 gained 0.15
        ((8.0, 8.5, 8.55, 8.6), False),  # R2 is inside the window of three
        ((8.0, 8.5, 8.55, 8.6, 8.65), True),  # R2 has left it
        ((6.05, 6.06, 6.07), True),  # the first is held against the baseline
        ((8.0, 7.0, 7.5), False),  # R1 gained 2.0 over the baseline
    ],
)
def test_diminishing_returns(means, met):
    """Method 7.2: each experiment improves by less than 0.1, on a window of `patience` (evidence 8)."""
    assert rule(series(*means), "diminishing_returns").met is met


def test_diminishing_returns_tell_what_the_suite_could_have_seen():
    """Evidence 6.3: the resolution of the suite beside the gain the rule asks for."""
    decided = rule(series(8.0, 8.05, 8.09, 8.12, wobble=3.0), "diminishing_returns")
    assert decided.met
    assert "shows differences from" in decided.detail


def test_min_gain_is_the_loops_own():
    loop = a_loop(rules=Rules(min_gain=0.01))
    assert not rule(series(8.0, 8.05, 8.09, 8.12, loop=loop), "diminishing_returns").met


@pytest.mark.parametrize(
    ("target", "mean", "wobble", "met"),
    [
        (8.0, 8.3, 0.5, True),
        (8.0, 8.3, 3.0, False),  # reached, and the interval is not clear of it
        (8.0, 7.9, 0.5, False),
        (None, 9.9, 0.1, False),
    ],
)
def test_good_enough(target, mean, wobble, met):
    """Method 7.3: the target reached, its interval clear of the target."""
    loop = a_loop(rules=Rules(target=target))
    assert rule(series(mean, loop=loop, wobble=wobble), "good_enough").met is met


def test_good_enough_needs_an_interval():
    loop = a_loop(rules=Rules(target=8.0))
    decided = rule(series(9.0, loop=loop, items=False), "good_enough")
    assert not decided.met
    assert "per-item" in decided.detail


def test_missing_items_keep_the_target_open():
    """Evidence 1: worst and best case of the missing items."""
    loop = a_loop(rules=Rules(target=8.0))
    state = a_state(
        runs=(a_run(1),), evaluations=(an_evaluation(8.3, run=1, items=[*scores(8.3, 45), *[None] * 5]),), loop=loop
    )
    decided = rule(state, "good_enough")
    assert not decided.met
    assert "missing" in decided.detail


def test_less_is_better_where_the_metric_says_so():
    metric = Metric(name="errors", scale_min=0.0, scale_max=10.0, direction="down")
    loop = a_loop(metric=metric, rules=Rules(target=3.0))
    state = series(2.0, 2.1, 2.05, 2.2, baseline=6.0, loop=loop)
    assert rule(state, "beaten_and_flat").met
    assert rule(state, "good_enough").met
    assert not rule(series(7.0, 7.1, 7.2, 7.3, baseline=6.0, loop=loop), "beaten_and_flat").met


def test_scores_of_another_suite_count_for_nothing():
    """Method 4: a change of eval set starts a new series."""
    state = series(8.0, 7.9, 8.0, 7.8)
    newer = a_suite(id="suite_newer", fingerprint="print-newer")
    state = msgspec.structs.replace(state, suites=(*state.suites, newer))
    assert not rule(state, "beaten_and_flat").met
    assert not rule(state, "diminishing_returns").met


@pytest.mark.parametrize(
    ("budget", "met"),
    [
        (Budget(), False),
        (Budget(max_runs=3), False),
        (Budget(max_runs=2), True),
        (Budget(max_cost=Decimal("2.40")), True),
        (Budget(max_cost=Decimal("3.00")), True),  # 0.60 left, a run costs 1.20
        (Budget(max_cost=Decimal("3.60")), False),
        (Budget(deadline=START), True),
        (Budget(deadline=START + timedelta(days=1)), False),
    ],
)
def test_budget(budget, met):
    """Method 7.4: money, time or runs exhausted, or the next run would exceed it."""
    decided = rule(series(8.0, 8.1, loop=a_loop(budget=budget)), "budget")
    assert decided.met is met
    assert decided.detail
