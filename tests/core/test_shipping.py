"""Shipping: what is advised to be shipped is what may be shipped, and nothing else (method 7)."""

import pytest
from tests.core.loop_states import a_config, a_run, a_state, a_suite, an_evaluation, scores

from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.gate_finish import leave_loop
from whatnext_service.core.incumbent import incumbent, standings
from whatnext_service.core.scoreboard import read_scoreboard
from whatnext_service.core.shipping import check_shippable, read_shipping
from whatnext_service.core.state import LoopState
from whatnext_service.errors import DomainError

GAIN = 0.55


def wide(mean: float, shift: int) -> list[float | None]:
    return scores(mean, wobble=1.5, shift=shift)


def sealed(combined: float, run: int | None = None) -> Evaluation:
    return an_evaluation(combined, run=run, role="final_test", items=wide(combined, 9 if run else 0))


def a_loop_with(*, looks: int = 1, gain: float = GAIN, final: tuple[Evaluation, ...] | None = None) -> LoopState:
    """One run better than the baseline by `gain`, and others no better; `final` null: no sealed suite."""
    runs = tuple(a_run(number, a_config(n_epochs=number)) for number in range(1, looks + 1))
    means = [6.0 + gain, *[5.9] * (looks - 1)]
    evaluations = tuple(
        an_evaluation(mean, run=number, items=wide(mean, number)) for number, mean in enumerate(means, start=1)
    )
    base = an_evaluation(6.0, items=wide(6.0, 0))
    suites = (a_suite(),) if final is None else (a_suite(), a_suite(role="final_test"))
    return a_state(
        runs=runs, baseline=None, evaluations=(base, *evaluations, *(final or ())), baseline_id=base.id, suites=suites
    )


def refusal(state: LoopState, run_id: str = "run_1") -> str | None:
    try:
        check_shippable(state, run_id, None)
    except DomainError as refused:
        return f"{refused.code}: {refused.detail}"
    return None


def advised(state: LoopState) -> str:
    board = read_scoreboard(state)
    return leave_loop(board, incumbent(standings(board)), "enough")[0].kind


@pytest.mark.parametrize(
    ("state", "kind", "told"),
    [
        (a_loop_with(), "ship", None),
        (a_loop_with(looks=12), "stop", "corrected for 12 comparisons"),
        (a_loop_with(looks=12, gain=1.5), "ship", None),
        (a_loop_with(gain=0.0), "stop", "the interval includes zero"),
        (a_loop_with(final=()), "final_test", "has not scored it and the untuned model yet"),
        (a_loop_with(final=(sealed(6.0),)), "final_test", "has not scored it and the untuned model yet"),
        (a_loop_with(final=(sealed(6.0), sealed(6.1, run=1))), "ship", None),
        (a_loop_with(final=(sealed(6.0), sealed(5.8, run=1))), "stop", "Sealed test: Cannot tell"),
        (a_loop_with(looks=12, final=(sealed(6.0), sealed(6.1, run=1))), "stop", "Sealed test: Cannot tell"),
        (a_loop_with(looks=12, final=(sealed(6.0), sealed(7.5, run=1))), "ship", None),
    ],
)
def test_what_is_advised_is_what_may_be_done(state: LoopState, kind: str, told: str | None) -> None:
    """Looks at the selection suite count for both; a sealed suite must have spoken before either."""
    assert advised(state) == kind
    found = refusal(state)
    assert (found is None) == (kind == "ship")
    assert told is None or told in (found or "")


def test_a_run_without_a_score_on_the_suite_in_force_is_not_shipped() -> None:
    state = a_loop_with()
    assert refusal(state, "run_9") == (
        "not_better_than_baseline: This model is not shown to be better than the baseline. "
        "It has no score on the selection suite in force. "
        "Evaluate it, or give an override_reason."
    )


def test_without_a_baseline_nothing_is_shown() -> None:
    state = a_state(runs=(a_run(),), baseline=None, evaluations=(an_evaluation(7.0, run=1),))
    board = read_scoreboard(state)
    best = incumbent(standings(board))
    assert best is not None
    assert read_shipping(board, best.arm).verdict == "stop"


def test_the_chosen_score_is_said_to_be_too_high() -> None:
    """Evidence 1: the best of several looks better than it is."""
    board = read_scoreboard(a_loop_with(looks=4, gain=1.5))
    best = incumbent(standings(board))
    (draft,) = leave_loop(board, best, "enough")
    (found,) = (each for each in draft.evidence if each.code == "shrunken_score")
    assert found.threshold == 7.5
    assert found.value is not None
    assert found.value <= 7.5
    assert "the best of 4 looks" in found.statement
