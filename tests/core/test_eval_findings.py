"""Evaluation findings of method 4 and 5."""

import pytest
from tests.core.loop_states import a_state, a_suite, an_evaluation, scores

from whatnext_service.core.eval_findings import evaluation_findings
from whatnext_service.core.evaluations import Dimension
from whatnext_service.core.gains import gain
from whatnext_service.core.loops import Metric
from whatnext_service.core.scoreboard import read_scoreboard


def dimensions(correctness, conciseness):
    return (
        Dimension(name="correctness", weight=0.7, mean=correctness, n_scored=50),
        Dimension(name="conciseness", weight=0.3, mean=conciseness, n_scored=50),
    )


def findings(evaluation, reference=None, suite=None):
    suite = suite or a_suite()
    board = read_scoreboard(a_state(suites=(suite,)))
    over = None if reference is None else gain(board, evaluation, reference)
    found = evaluation_findings(evaluation, reference, over, suite, Metric())
    return {one.code: one for one in found}


def test_an_ordinary_evaluation_has_none():
    assert findings(an_evaluation(8.0, run=1, dimensions=dimensions(8.2, 7.6))) == {}


@pytest.mark.parametrize(
    ("correctness", "conciseness", "words"),
    [(9.0, 5.0, "correct but verbose"), (5.0, 9.0, "concise but wrong")],
)
def test_one_dimension_high_and_another_low(correctness, conciseness, words):
    """Method 5: a style mismatch in the data."""
    found = findings(an_evaluation(7.8, run=1, dimensions=dimensions(correctness, conciseness)))
    assert words in found["dimension_trade_off"].statement


def test_a_dimension_bought_with_another():
    before = an_evaluation(7.0, dimensions=dimensions(7.0, 7.0))
    found = findings(an_evaluation(7.1, run=1, dimensions=dimensions(7.5, 6.2)), before)
    assert found["dimensions_traded"].value == pytest.approx(-0.8)


def test_both_dimensions_up_is_no_trade():
    before = an_evaluation(7.0, dimensions=dimensions(7.0, 7.0))
    assert "dimensions_traded" not in findings(an_evaluation(7.5, run=1, dimensions=dimensions(7.5, 7.4)), before)


@pytest.mark.parametrize(("wobble", "within"), [(3.0, True), (0.2, False)])
def test_a_difference_within_the_noise(wobble, within):
    """Method 4: never an improvement when the interval includes zero."""
    before = an_evaluation(7.0, items=scores(7.0, wobble=wobble))
    after = an_evaluation(7.3, run=1, items=scores(7.3, wobble=wobble, shift=1))
    assert ("difference_within_noise" in findings(after, before)) is within


@pytest.mark.parametrize(
    "evaluation",
    [
        an_evaluation(1.0, run=1, items=[1.0] * 50),
        an_evaluation(4.0, run=1, completion_tokens_mean=0.2),
    ],
    ids=["all at the bottom", "no tokens"],
)
def test_garbage_is_a_fault_of_deployment_or_client(evaluation):
    """Method 5: not a training fault."""
    assert findings(evaluation)["broken_output"].severity == "critical"


def test_missing_items_are_a_finding():
    """Evidence 1."""
    evaluation = an_evaluation(8.0, run=1, items=[*scores(8.0, 47), None, None, None], n_scored=47)
    assert findings(evaluation)["missing_items"].value == 3


def test_a_judge_whose_repeats_differ_as_much_as_the_items():
    """Method 4: a judge is an instrument."""
    evaluation = an_evaluation(7.0, run=1, items=scores(7.0, wobble=1.0))
    assert "judge_unreliable" in findings(evaluation, suite=a_suite(regrade_sd=0.6))
    assert "judge_unreliable" not in findings(evaluation, suite=a_suite(regrade_sd=0.2))


def test_a_source_that_fails_is_named():
    """Method 5: slices that fail."""
    suite = a_suite(clusters=tuple(index // 10 for index in range(50)))
    items = [*scores(8.0, 40), *scores(4.0, 10)]
    found = findings(an_evaluation(7.2, run=1, items=items), suite=suite)
    assert "source 4" in found["failing_slice"].statement


def test_fewer_tokens_at_an_equal_score():
    """Method 4: strictly better."""
    before = an_evaluation(7.0, completion_tokens_mean=100.0)
    assert "fewer_tokens" in findings(an_evaluation(7.02, run=1, completion_tokens_mean=60.0), before)
    assert "fewer_tokens" not in findings(an_evaluation(7.02, run=1, completion_tokens_mean=95.0), before)
