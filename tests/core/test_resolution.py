import pytest
from tests.core.loop_states import a_loop, a_run, a_state, a_suite, an_evaluation, scores

from whatnext_service.core.incumbent import incumbent, standings
from whatnext_service.core.loops import Rules
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
