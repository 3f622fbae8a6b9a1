"""The multi-model strategy stands beside the first run, and says why it is not the advice (method 6.3, evidence 8)."""

import msgspec
from tests.core.loop_states import a_loop, a_model, a_run, a_state

from whatnext_service.core.loops import Budget, Choices
from whatnext_service.core.plan import what_next
from whatnext_service.core.state import Decline, LoopState

CATALOGUE = (a_model(), a_model("gpt-4.1-nano", best_for="fastest inference"), a_model("gpt-oss-20b", min_examples=500))


def start(**changes: object) -> LoopState:
    return a_state(catalogue=CATALOGUE, **changes)


def headlines(state: LoopState) -> list[str]:
    return [each.headline for each in what_next(state).alternatives]


def test_several_models_at_once_are_an_alternative_to_the_first_run() -> None:
    answer = what_next(start())
    assert answer.action.kind == "start_run"
    assert answer.headline.startswith("Train gpt-4.1-mini on v1")
    (other,) = answer.alternatives
    assert other.headline == "Train v1 (335 ex) through gpt-4.1-mini, gpt-4.1-nano, all else equal."
    assert other.why_not == (
        "One base model at a time tells as much with fewer runs: another one pays only where the first is poor "
        "(evidence 8)."
    )


def test_who_declines_the_single_run_is_offered_the_plan_with_its_call() -> None:
    state = start()
    refused = Decline(recommendation_id="rec_1", fingerprint=what_next(state).action.fingerprint, reason=None)
    answer = what_next(msgspec.structs.replace(state, declines=(refused,)))
    request = answer.action.request
    assert request is not None
    assert request.body is not None
    assert (request.method, request.path) == ("POST", "/v1/loops/loop_1/multi-model")
    assert request.body.base_models == ("gpt-4.1-mini", "gpt-4.1-nano")
    assert request.body.dataset_version_id == "dsv_1"
    assert request.body.provider == "openai"
    assert answer.change is None


def test_a_plan_that_cannot_be_made_is_not_offered() -> None:
    assert headlines(start(loop=a_loop(choices=Choices(base_models=("gpt-4.1-mini",))))) == []
    assert headlines(start(loop=a_loop(budget=Budget(max_runs=1)))) == []
    assert len(headlines(start(loop=a_loop(budget=Budget(max_runs=2))))) == 1
    assert not any("all else equal" in each for each in headlines(start(runs=(a_run(),))))
