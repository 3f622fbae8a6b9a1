import pytest
from tests.core.loop_states import a_config, a_loop, a_run, a_state, a_suite, an_evaluation, scores

from whatnext_service.core.incumbent import incumbent, standings
from whatnext_service.core.loop_warnings import loop_warnings
from whatnext_service.core.loops import Rules
from whatnext_service.core.power import chance_of_gap
from whatnext_service.core.resolution import resolution
from whatnext_service.core.scoreboard import read_scoreboard


def measured(wobble: float, *, min_gain: float = 0.1, **suite: object):
    state = a_state(
        runs=(a_run(),),
        evaluations=(an_evaluation(7.0, run=1, items=scores(7.0, wobble=wobble)),),
        loop=a_loop(rules=Rules(min_gain=min_gain)),
        suites=(a_suite(**suite),),
    )
    board = read_scoreboard(state)
    return resolution(board, incumbent(standings(board)))


def test_a_coarse_suite_is_told_apart_from_one_that_sees() -> None:
    """Evidence 6.3."""
    assert measured(0.3).sees
    coarse = measured(1.5)
    assert not coarse.sees
    assert coarse.items_needed > 50
    assert "enlarge the suite" in coarse.remedy


def test_regrading_is_the_cheapest_remedy_when_the_judge_is_the_noise() -> None:
    """Evidence 1: two noise floors, re-grading and re-training."""
    coarse = measured(1.5)
    judge = coarse.difference_sd / 2**0.5 * 0.99
    remedy = measured(1.5, min_gain=coarse.visible * 0.8, regrade_sd=judge).remedy
    assert remedy == "grade every answer 2 times and take the mean"


def test_right_or_wrong_scores_are_said_to_see_less() -> None:
    assert measured(1.5, binary=True).visible == pytest.approx(measured(1.5).visible + 1.5 * 9 / 50)


def test_without_a_pair_nothing_is_claimed() -> None:
    board = read_scoreboard(a_state())
    assert resolution(board, None) is None


def repeated(apart: float, *, min_gain: float = 0.4):
    """Two runs of one configuration whose scores lie so far apart on every item, against the baseline."""
    higher = [score + apart for score in scores(7.0, wobble=0.3) if score is not None]
    state = a_state(
        runs=(a_run(1, a_config(seed=1)), a_run(2, a_config(seed=2))),
        evaluations=(
            an_evaluation(7.0, run=1, items=scores(7.0, wobble=0.3)),
            an_evaluation(7.0 + apart, run=2, items=higher),
        ),
        loop=a_loop(rules=Rules(min_gain=min_gain)),
        suites=(a_suite(),),
    )
    board = read_scoreboard(state)
    return resolution(board, incumbent(standings(board))), loop_warnings(board, incumbent(standings(board)))


def test_the_noise_of_training_again_counts_and_more_items_do_not_cure_it() -> None:
    """Evidence 1: the seed's noise shrinks with repeated runs only."""
    calm, _ = repeated(0.0)
    noisy, warnings = repeated(0.6)
    assert (calm.training_sd, calm.sees) == (0.0, True)
    assert noisy.training_sd == pytest.approx(0.6 / 2**0.5)
    assert noisy.visible > calm.visible + 1.0
    assert noisy.items_needed is None
    assert noisy.remedy == "ask for a larger gain than 0.4: training again moves a score by 0.42"
    told = next(each.message for each in warnings if each.code == "suite_too_coarse")
    assert "the noise of training again included" in told
    assert "by which two equally good models differ in" in told


def test_repeats_of_each_configuration_are_advised_where_they_suffice() -> None:
    seen, _ = repeated(0.25)
    assert seen.items_needed is None
    assert seen.remedy.startswith("train each configuration 4 times with other seeds")


def test_the_chance_of_a_gap_between_equal_models_is_told() -> None:
    """Evidence 1: at 50 items and a spread of 1.5 they differ by more than 0.1 in 57 % of comparisons."""
    seen = measured(1.5)
    assert seen.chance == pytest.approx(chance_of_gap(0.1, 50, seen.difference_sd))
