"""Attribution: of several changes at once none is credited, and the run that tells them apart is advised (method 1)."""

import msgspec
import pytest
from tests.core.loop_states import a_config, a_loop, a_run, a_state, a_version, an_effective, an_evaluation

from whatnext_service.core.advice import Answer, Overrides
from whatnext_service.core.credit import attribute
from whatnext_service.core.diagnose import diagnose
from whatnext_service.core.loops import Budget, Choices, Range
from whatnext_service.core.plan import what_next
from whatnext_service.core.runs import EffectiveConfig, Run, RunConfig
from whatnext_service.core.state import Decline, LoopState

SLOW_AND_LONG = a_config(learning_rate_multiplier=0.5, n_epochs=4)
ENTANGLED = ("n_epochs", "learning_rate_multiplier")


def loop_with(second: Run, *more: Run, scored: tuple[float, ...] = (7.0, 7.8), **changes: object) -> LoopState:
    first = a_run(1, changes.pop("config", a_config()), effective=changes.pop("effective", None))
    evaluations = tuple(an_evaluation(score, run=number) for number, score in enumerate(scored, start=1))
    return a_state(runs=(first, second, *more), evaluations=evaluations, **changes)


def entangled(**changes: object) -> Run:
    return a_run(2, SLOW_AND_LONG, confounded_by=ENTANGLED, **changes)


def rule_of(answer: Answer) -> str | None:
    return None if answer.change is None else answer.change.expects.rule


def test_a_run_that_leads_by_several_changes_is_separated_first() -> None:
    answer = what_next(loop_with(entangled()))
    assert answer.action.kind == "start_run"
    assert answer.headline == (
        "Train again from R1 with learning-rate multiplier 0.5 instead of 1: "
        "R2 changed epochs and learning-rate multiplier at once."
    )
    assert answer.action.request is not None
    assert answer.action.request.body is not None
    assert answer.action.request.body.parent_run_id == "run_1"
    assert answer.action.request.body.overrides == Overrides(learning_rate_multiplier=0.5)
    assert answer.change is not None
    changed = (answer.change.variable, answer.change.from_value, answer.change.to_value)
    assert changed == ("learning_rate_multiplier", 1.0, 0.5)
    assert answer.change.expects.effect is None
    assert {"entangled_changes", "gain_over_parent"} <= {each.code for each in answer.evidence}
    assert answer.alternatives
    assert "which of them carried it" in (answer.method_reading.departure if answer.method_reading else "")
    assert "nothing may be credited" in answer.markdown


def test_once_separated_the_loop_goes_on() -> None:
    third = a_run(3, a_config(learning_rate_multiplier=0.5))
    state = loop_with(entangled(), third, scored=(7.0, 7.8, 7.1))
    assert rule_of(what_next(state)) != "separate_changes"


def test_a_declined_separation_leaves_its_place_to_the_next_change() -> None:
    state = loop_with(entangled())
    first = what_next(state)
    refused = Decline(recommendation_id="rec_1", fingerprint=first.action.fingerprint, reason=None)
    second = what_next(msgspec.structs.replace(state, declines=(refused,)))
    assert rule_of(first) == "separate_changes"
    assert second.headline == first.alternatives[0].headline


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (loop_with(a_run(2, a_config(n_epochs=4))), "one change"),
        (loop_with(entangled(), scored=(7.0, 7.0)), "a tie leaves nothing to credit"),
        (loop_with(entangled(), scored=(7.8, 7.0)), "it does not lead"),
        (loop_with(entangled(parent_id=None)), "no parent"),
        (
            loop_with(entangled(), loop=a_loop(choices=Choices(learning_rate_multiplier=Range(min=1, max=2)))),
            "outside the choices",
        ),
        (loop_with(entangled(), loop=a_loop(budget=Budget(max_runs=2))), "beyond the budget"),
    ],
)
def test_nothing_is_separated_where_nothing_would_be_gained(state: LoopState, why: str) -> None:
    assert rule_of(what_next(state)) != "separate_changes", why


def test_a_hidden_change_is_separated_by_pinning_it() -> None:
    """Evidence 3: the provider's own choice of the rate is a second variable that nobody asked for."""
    asked, got = a_config(n_epochs=3, learning_rate_multiplier=None), an_effective(n_epochs=3, n_steps=1005)
    second = a_run(2, asked, effective=msgspec.structs.replace(got, learning_rate_multiplier=0.4))
    state = loop_with(second, config=a_config(learning_rate_multiplier=None), effective=an_effective())
    answer = what_next(state)
    assert rule_of(answer) == "separate_changes"
    assert answer.action.request is not None
    assert answer.action.request.body is not None
    assert answer.action.request.body.parent_run_id == "run_2"
    assert answer.action.request.body.overrides == Overrides(learning_rate_multiplier=1.0)


def test_steps_that_more_data_brings_are_left_alone() -> None:
    """Evidence 8 counts data as it comes."""
    data = an_effective(dataset_sha256="sha-2", n_examples=670, n_steps=1340)
    second = a_run(2, a_config(dataset_version_id="dsv_2"), effective=data)
    state = loop_with(second, effective=an_effective(), versions=(a_version(), a_version(2, 670)))
    assert rule_of(what_next(state)) != "separate_changes"
    assert attribute(second, state.runs[0]).confounded


def test_a_seed_does_not_come_before_what_was_asked_for() -> None:
    """Providers draw a seed for every job: the separating run is about the changes and not about the seed."""
    one = a_run(1, a_config(), effective=an_effective(seed=1))
    other = a_run(
        2, SLOW_AND_LONG, effective=an_effective(seed=2, n_epochs=4, learning_rate_multiplier=0.5, n_steps=1340)
    )
    found = attribute(other, one)
    assert found.separating is not None
    assert found.separating.overrides == Overrides(learning_rate_multiplier=0.5)
    assert (found.changed, found.unasked, found.confounded) == (ENTANGLED, ("seed",), True)
    assert found.statement == (
        "R2 differs from R1 in epochs and learning-rate multiplier: nothing may be credited to any one of them. "
        "Train R1's configuration with learning_rate_multiplier alone changed to 0.5."
    )


@pytest.mark.parametrize(
    ("config", "known", "told"),
    [
        (a_config(n_epochs=3), None, "in epochs alone, as far as is known: the difference is its effect."),
        (
            a_config(n_epochs=3),
            an_effective(n_epochs=3, n_steps=1005),
            "in epochs alone: the difference is its effect.",
        ),
        (a_config(), None, "trained what R1 trained, as far as is known: the difference is noise."),
        (a_config(), an_effective(seed=8), "trained what R1 trained: the difference is noise."),
    ],
)
def test_a_single_difference_is_credited_and_none_is_noise(
    config: RunConfig, known: EffectiveConfig | None, told: str
) -> None:
    first = a_run(1, a_config(), effective=None if known is None else an_effective())
    assert attribute(a_run(2, config, effective=known), first).statement.endswith(told)


def test_a_diagnosis_names_the_run_that_tells_the_changes_apart() -> None:
    state = loop_with(entangled())
    found = {each.code: each.suggestion for each in diagnose(state, state.runs[1]).findings}
    assert found["confounded_run"].endswith("with learning_rate_multiplier alone changed to 0.5.")
