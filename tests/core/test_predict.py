from typing import get_args

import msgspec
import pytest
from tests.core.loop_states import a_config, a_loop, a_run, a_state, an_evaluation

from whatnext_service.core.advice import Overrides
from whatnext_service.core.incumbent import standings
from whatnext_service.core.lineage import apply_overrides
from whatnext_service.core.loops import Metric
from whatnext_service.core.move_kinds import Move, Rule
from whatnext_service.core.predict import PRIORS, PastEffect, expect, observed_effect, past_effects
from whatnext_service.core.scoreboard import read_scoreboard


def a_move(rule: Rule = "lower_rate_risen") -> Move:
    parent = a_run()
    overrides = Overrides(learning_rate_multiplier=0.3)
    return Move(
        rule=rule,
        parent=parent,
        variable="learning_rate_multiplier",
        from_value=1.0,
        to_value=0.3,
        overrides=overrides,
        config=apply_overrides(parent.config, overrides),
        reason="",
    )


def a_history(child_score: float):
    runs = (a_run(), a_run(2, a_config(learning_rate_multiplier=0.5)))
    scored = (an_evaluation(7.0, run=1), an_evaluation(child_score, run=2))
    return read_scoreboard(a_state(runs=runs, evaluations=scored))


def test_every_rule_has_a_prior_with_its_source() -> None:
    assert {prior.rule for prior in PRIORS} == set(get_args(Rule))
    assert all(prior.source and prior.sd > 0 for prior in PRIORS)


def test_the_loops_own_history_moves_the_expectation() -> None:
    """Evidence 6.10: the prior from the surfaces, updated by the loop's own history."""
    empty = expect(a_history(7.0), (), a_move(), 0.2)
    good, bad = a_history(8.5), a_history(5.5)
    after_good = expect(good, past_effects(standings(good)), a_move(), 0.2)
    after_bad = expect(bad, past_effects(standings(bad)), a_move(), 0.2)
    assert after_bad.effect < empty.effect < after_good.effect
    assert after_good.effect_high - after_good.effect_low < empty.effect_high - empty.effect_low
    assert "1 earlier change" in after_good.basis


def test_what_one_base_model_gained_tells_nothing_of_another() -> None:
    move = msgspec.structs.replace(a_move("other_base_model"), variable="base_model", from_value="b", to_value="c")
    past = (PastEffect(variable="base_model", upward=None, effect=1.5),)
    board = a_history(8.5)
    assert expect(board, past, move, 0.2) == expect(board, (), move, 0.2)


def test_a_noisier_comparison_widens_the_interval() -> None:
    quiet, noisy = (expect(a_history(7.0), (), a_move(), noise) for noise in (0.1, 0.8))
    assert noisy.effect_high - noisy.effect_low > quiet.effect_high - quiet.effect_low


@pytest.mark.parametrize("scale_max", [10.0, 1.0])
def test_the_prior_follows_the_scale_and_the_direction(scale_max: float) -> None:
    metric = Metric(scale_min=0.0 if scale_max == 1.0 else 1.0, scale_max=scale_max, direction="down")
    board = read_scoreboard(a_state(loop=a_loop(metric=metric)))
    stretch = (metric.scale_max - metric.scale_min) / 9.0
    assert expect(board, (), a_move("clean_data"), 0.1).effect == pytest.approx(-0.5 * stretch, abs=1e-3)


def test_the_observed_effect_is_the_change_against_the_parent() -> None:
    found = standings(a_history(7.8))
    assert observed_effect(found, a_run(2)) == pytest.approx(0.8)
    assert observed_effect(found, a_run(1)) is None
    assert observed_effect(found, a_run(3, parent_id="run_1")) is None
