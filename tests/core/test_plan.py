"""The gates of `what_next`, in their order; each test names the rule's source."""

from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest
from tests.core.loop_states import (
    START,
    a_checkpoint,
    a_config,
    a_loop,
    a_model,
    a_reading,
    a_run,
    a_state,
    a_suite,
    a_version,
    an_evaluation,
    cleaned_version,
    scores,
)

from whatnext_service.core.advice import Answer
from whatnext_service.core.loops import Budget, Choices, Metric, Range, Rules
from whatnext_service.core.plan import what_next
from whatnext_service.core.state import Decline, Deployment, LoopState, OpenRecommendation
from whatnext_service.core.track_record import RuleRecord

RUINED = a_reading(
    trend="above_first", rise=1.6, first_valid_loss=0.5, best_valid_loss=0.45, last_valid_loss=0.72, best_is_last=False
)
FAR = msgspec.structs.replace(RUINED, last_valid_loss=0.9, rise=2.0)
RISEN = a_reading(
    trend="risen", rise=1.2, first_valid_loss=1.0, best_valid_loss=0.5, last_valid_loss=0.6, best_is_last=False
)


def scored(reading=None, score: float = 7.0, config=None, **changes) -> LoopState:
    """One finished run, scored above the baseline of 6.0."""
    run = a_run(1, config or a_config(n_epochs=5), reading=reading or a_reading(), checkpoints=())
    return a_state(runs=(run,), evaluations=(an_evaluation(score, run=1, items=scores(score, wobble=1.5)),), **changes)


def declined(state: LoopState, answer: Answer) -> LoopState:
    refused = Decline(
        recommendation_id=answer.action.recommendation_id, fingerprint=answer.action.fingerprint, reason=None
    )
    return msgspec.structs.replace(state, declines=(*state.declines, refused))


def overrides(answer: Answer) -> dict[str, object]:
    assert answer.action.request is not None
    assert answer.action.request.body is not None
    return msgspec.to_builtins(answer.action.request.body.overrides)


@pytest.mark.parametrize(
    ("source", "state", "kind", "path"),
    [
        ("method 1: nothing to train on", a_state(versions=(), baseline=None), "attach_dataset", None),
        (
            "evidence 7: a run that was only reported is waited for",
            a_state(versions=(), runs=(a_run(1, status="running", reading=None, finished_at=None),)),
            "wait",
            None,
        ),
        (
            "method 4: nothing to judge a reported run by",
            a_state(versions=(), runs=(a_run(1, status="running"),), suites=(), baseline=None),
            "record_baseline",
            None,
        ),
        (
            "method 6.1: a reported run is scored, but trained on nobody knows what",
            scored(versions=()),
            "attach_dataset",
            None,
        ),
        (
            "method 6.1: contradictions go before the first run",
            a_state(versions=(a_version(n_contradictions=12),), baseline=None),
            "fix_data",
            "/v1/dataset-versions/dsv_1/derive",
        ),
        (
            "method 6.1: duplicates go before the first run",
            a_state(versions=(a_version(n_duplicates=3),)),
            "fix_data",
            "/v1/dataset-versions/dsv_1/derive",
        ),
        (
            "method 6.1: faulty rows under the best run are cleaned before the next one",
            scored(versions=(a_version(n_contradictions=12),)),
            "fix_data",
            "/v1/dataset-versions/dsv_1/derive",
        ),
        (
            "method 6.4: no version in the format of an allowed method",
            a_state(loop=a_loop(choices=Choices(methods=("rft",)))),
            "attach_dataset",
            None,
        ),
        (
            "method 6.3: no allowed base model can be trained",
            a_state(catalogue=(a_model(training_ends=date(2026, 1, 1)),)),
            "review",
            None,
        ),
        (
            "method 7.4: not even the first run fits the budget",
            a_state(loop=a_loop(budget=Budget(max_cost=Decimal("0.01")))),
            "stop",
            None,
        ),
        ("method 4: no suite, no comparison", a_state(suites=(), baseline=None), "record_baseline", None),
        ("method 4: baseline first", a_state(baseline=None), "record_baseline", "/v1/evaluations"),
        (
            "method 4: name the evaluation of the untuned model",
            msgspec.structs.replace(a_state(), baseline_id=None),
            "record_baseline",
            "/v1/loops/loop_1/baseline",
        ),
        (
            "method 4: another suite starts a new series",
            a_state(suites=(a_suite(), a_suite(id="suite_new", fingerprint="new"))),
            "record_baseline",
            "/v1/evaluations",
        ),
        ("method 6: base model above 9.0 of 10", a_state(baseline=9.2), "do_not_fine_tune", None),
        ("method 6: fewer than 50 examples", a_state(versions=(a_version(1, 40),)), "do_not_fine_tune", None),
        ("evidence 8: the first job", a_state(), "start_run", "/v1/runs"),
        ("evidence 7: wait for a run", a_state(runs=(a_run(1, status="running"),)), "wait", None),
        ("evidence 7: a paused run is still under way", a_state(runs=(a_run(1, status="paused"),)), "wait", None),
        (
            "evidence 7: wait for an evaluation",
            a_state(runs=(a_run(),), evaluations=(an_evaluation(7, run=1, status="running"),)),
            "wait",
            None,
        ),
        ("method 4: a finished run is evaluated", a_state(runs=(a_run(),)), "evaluate", "/v1/evaluations"),
        (
            "evidence 7: a failure for no reason of its own is tried again",
            a_state(runs=(a_run(1, status="failed", failure="internal error"),)),
            "repeat_run",
            "/v1/runs",
        ),
        (
            "method 3: a diverged run wants a lower rate",
            a_state(runs=(a_run(1, status="failed", failure="loss is NaN", reading=None),)),
            "start_run",
            "/v1/runs",
        ),
        (
            "evidence 7: two equal failures need a person",
            a_state(
                runs=(
                    a_run(1, status="failed", failure="quota", reading=None),
                    a_run(2, status="failed", failure="quota", reading=None),
                )
            ),
            "review",
            None,
        ),
        ("evidence 8: one change to the best run", scored(), "start_run", "/v1/runs"),
        (
            "method 7.3: the target is reached, the sealed test opens",
            scored(score=8.0, loop=a_loop(rules=Rules(target=7.0))),
            "final_test",
            "/v1/evaluations",
        ),
        (
            "method 7.4: the budget is exhausted, the sealed test opens",
            scored(score=8.0, loop=a_loop(budget=Budget(max_runs=1))),
            "final_test",
            "/v1/evaluations",
        ),
        (
            "method 7.4 and evidence 6: exhausted without an improvement",
            scored(score=5.9, loop=a_loop(budget=Budget(max_runs=1))),
            "stop",
            None,
        ),
        (
            "method 7.4: the deadline has passed",
            scored(score=5.9, loop=a_loop(budget=Budget(deadline=START - timedelta(days=1)))),
            "stop",
            None,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and ": " in value else "",
)
def test_gate(source: str, state: LoopState, kind: str, path: str | None) -> None:
    answer = what_next(state)
    assert answer.action.kind == kind, source
    request = answer.action.request
    assert (None if request is None else request.path) == path
    assert answer.headline
    assert answer.rationale
    assert len(answer.stop_rules) == 4
    assert answer.action.recommendation_id.startswith("rec_")


def test_the_first_run_takes_the_default_rate_and_five_epochs() -> None:
    """Evidence 8: first job at the default rate, 3-5 epochs."""
    body = what_next(a_state()).action.request.body
    assert body.config.learning_rate_multiplier == 1.0
    assert body.config.n_epochs == 5
    assert body.provider == "openai"
    assert body.recommendation_id == what_next(a_state()).action.recommendation_id


def test_the_first_run_takes_the_cleaned_version() -> None:
    """Method 6.1: data quality first."""
    state = a_state(versions=(a_version(1, n_contradictions=12), cleaned_version(2, 320)))
    assert what_next(state).action.request.body.config.dataset_version_id == "dsv_2"


def test_the_first_run_stays_within_the_choices() -> None:
    choices = Choices(
        base_models=("gpt-4.1-nano",), learning_rate_multiplier=Range(min=0.2, max=0.4), n_epochs=Range(min=1, max=2)
    )
    config = what_next(a_state(loop=a_loop(choices=choices))).action.request.body.config
    assert (config.base_model, config.learning_rate_multiplier, config.n_epochs) == ("gpt-4.1-nano", 0.4, 2)


def test_a_retired_base_model_is_not_started_on() -> None:
    """Evidence 5: base models have end dates, and the loop knows them."""
    models = (a_model("old", training_ends=date(2026, 1, 1)), a_model("new"))
    assert what_next(a_state(catalogue=models)).action.request.body.config.base_model == "new"


def test_do_not_fine_tune_can_be_declined() -> None:
    state = a_state(baseline=9.2)
    answer = what_next(declined(state, what_next(state)))
    assert answer.action.kind == "start_run"


def test_a_target_above_the_baseline_outweighs_the_limit_of_nine() -> None:
    state = a_state(baseline=9.2, loop=a_loop(rules=Rules(target=9.8)))
    assert what_next(state).action.kind == "start_run"


@pytest.mark.parametrize(
    ("source", "state", "change"),
    [
        (
            "evidence 8: above the first value, LR x 0.1-0.3",
            scored(RUINED, versions=(a_version(),)),
            {"learning_rate_multiplier": 0.3},
        ),
        ("evidence 8: far above the first value, LR x 0.1", scored(FAR), {"learning_rate_multiplier": 0.1}),
        ("evidence 8: risen 3-5 %, LR one step lower", scored(RISEN), {"learning_rate_multiplier": 0.5}),
        ("evidence 8: best at the last epoch, LR x 2", scored(), {"learning_rate_multiplier": 2.0}),
        (
            "evidence 8: cleaning goes before a risen loss",
            scored(RISEN, versions=(a_version(), cleaned_version(2, 320))),
            {"dataset_version_id": "dsv_2"},
        ),
        (
            "evidence 8: larger data while the loss has not risen",
            scored(versions=(a_version(), a_version(2, 900, derived_by=("add_examples",)))),
            {"dataset_version_id": "dsv_2"},
        ),
        (
            "evidence 8: larger unchecked data not after a rise",
            scored(RISEN, versions=(a_version(), a_version(2, 900, derived_by=("add_examples",)))),
            {"learning_rate_multiplier": 0.5},
        ),
        (
            "method 6.1: what somebody uploaded since goes before any finer tuning",
            scored(RISEN, versions=(a_version(), a_version(2, 340))),
            {"dataset_version_id": "dsv_2"},
        ),
        (
            "evidence 8: a rate that ruins the run goes before data",
            scored(RUINED, score=5.5, versions=(a_version(), cleaned_version(2, 320))),
            {"learning_rate_multiplier": 0.3},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_change(source: str, state: LoopState, change: dict[str, object]) -> None:
    answer = what_next(state)
    assert overrides(answer) == change, source
    assert answer.change.variable == next(iter(change))
    assert answer.change.variable not in answer.change.held_fixed
    assert answer.action.request.body.parent_run_id == "run_1"


@pytest.mark.parametrize(
    ("named", "change"),
    [
        (("gpt-4.1-mini", "gpt-4.1-nano"), {"base_model": "gpt-4.1-nano"}),
        (None, {"learning_rate_multiplier": 0.3}),
    ],
)
def test_a_base_model_that_the_loop_names_goes_before_a_third_rate(named, change) -> None:
    """Method 6.3: the same data through two or three base models; how good one is shows only beside another."""
    rates = (1.0, 0.5)
    runs = tuple(
        a_run(number, a_config(n_epochs=5, learning_rate_multiplier=rate), reading=RISEN, checkpoints=())
        for number, rate in enumerate(rates, start=1)
    )
    measured = tuple(an_evaluation(7.0 + number / 10, run=number) for number in (1, 2))
    state = a_state(
        runs=runs,
        evaluations=measured,
        catalogue=(a_model(), a_model("gpt-4.1-nano")),
        loop=a_loop(choices=Choices(base_models=named)),
    )
    assert overrides(what_next(state)) == change


def test_the_advice_says_where_it_departs_from_the_method() -> None:
    """Evidence 8, last sentence: where the two differ the answer says so and why."""
    state = scored(a_reading(overfit_ratio=3.0, verdict="severe", rise=1.0, trend="falling"))
    reading = what_next(state).method_reading
    assert reading is not None
    assert not reading.agrees
    assert "evidence 8" in (reading.departure or "")


def test_an_open_recommendation_keeps_its_id() -> None:
    state = scored()
    first = what_next(state).action
    later = msgspec.structs.replace(
        state,
        as_of=START + timedelta(days=1),
        version=9,
        open_recommendation=OpenRecommendation(id="rec_kept", fingerprint=first.fingerprint),
    )
    assert what_next(later).action.recommendation_id == "rec_kept"


def test_after_a_decline_the_next_best_takes_its_place_until_a_person_must_decide() -> None:
    """Contract: after a decline the next best alternative takes its place; the answer is never empty."""
    state = scored(loop=a_loop(choices=Choices(base_models=("gpt-4.1-mini",))))
    seen: set[str] = set()
    for _ in range(40):
        answer = what_next(state)
        if answer.action.kind == "review":
            break
        assert answer.action.fingerprint not in seen
        seen.add(answer.action.fingerprint)
        state = declined(state, answer)
    assert what_next(state).action.kind == "review"
    assert len(seen) > 3


def test_whoever_declines_the_end_gets_the_rates_that_are_left() -> None:
    """Nothing promising is left, so they come after the advice to leave the loop."""
    state = scored(loop=a_loop(choices=Choices(base_models=("gpt-4.1-mini",))))
    ended, rates = False, []
    while (answer := what_next(state)).action.kind != "review":
        ended = ended or answer.action.kind == "final_test"
        if answer.change is not None and answer.change.expects.rule == "remaining_rate":
            assert ended
            rates.append(answer.change.to_value)
        state = declined(state, answer)
    assert rates == [0.1]


def test_a_run_that_would_exceed_the_budget_is_not_advised() -> None:
    """Method 7.4: a run that would exceed the budget is as good as none."""
    state = scored(loop=a_loop(budget=Budget(max_cost=Decimal("2.00"))), score=5.0)
    assert what_next(state).action.kind == "stop"


def test_checkpoints_are_scored_one_at_a_time_and_gone_ones_never() -> None:
    """Evidence 6.8: only checkpoints that still exist are recommended."""
    points = (a_checkpoint(1, 10, deployable=False), a_checkpoint(1, 20), a_checkpoint(1, 30, final=True))
    state = a_state(runs=(a_run(1, checkpoints=points),))
    asked = []
    for _ in range(2):
        answer = what_next(state)
        assert answer.action.kind == "evaluate"
        name = answer.action.request.body.checkpoint_id
        asked.append(name)
        step = int(name.rsplit("_", 1)[1])
        state = msgspec.structs.replace(state, evaluations=(*state.evaluations, an_evaluation(7.0, run=1, step=step)))
    assert sorted(asked) == ["ckpt_1_20", "ckpt_1_30"]
    assert what_next(state).action.kind != "evaluate"


def sealed(state: LoopState, gain: float) -> LoopState:
    base = an_evaluation(6.0, role="final_test", items=scores(6.0))
    tuned = an_evaluation(6.0 + gain, run=1, role="final_test", items=scores(6.0 + gain, shift=1))
    return msgspec.structs.replace(state, evaluations=(*state.evaluations, base, tuned))


EXHAUSTED = a_loop(budget=Budget(max_runs=1))


def test_ship_needs_the_sealed_test_and_both_its_evaluations() -> None:
    """Method 4: a separate final test once per candidate; evidence 6.4: opened by the ship decision."""
    state = scored(score=8.0, loop=EXHAUSTED)
    assert what_next(state).action.request.body.subject == "base_model"
    assert what_next(sealed(state, gain=1.5)).action.kind == "ship"


def test_a_sealed_test_that_contradicts_stops_the_loop() -> None:
    assert what_next(sealed(scored(score=8.0, loop=EXHAUSTED), gain=-0.5)).action.kind == "stop"


def test_without_a_sealed_suite_the_corrected_interval_decides() -> None:
    state = scored(score=8.0, loop=EXHAUSTED, suites=(a_suite(),))
    answer = what_next(state)
    assert answer.action.kind == "ship"
    assert any(warning.code == "no_final_test_set" for warning in answer.warnings)
    assert answer.action.request.body.run_id == "run_1"


def test_a_shipped_loop_cleans_up_and_stops() -> None:
    """Method 7: ship the chosen checkpoint, clean up the rest."""
    live = [Deployment(id=f"dep_{run}", run_id=run, checkpoint_id=None, status="live") for run in ("run_0", "run_1")]
    state = scored(score=8.0, deployments=tuple(live))
    answer = what_next(state)
    assert answer.action.kind == "clean_up"
    assert answer.action.request.path == "/v1/deployments/dep_run_0"
    assert what_next(msgspec.structs.replace(state, deployments=tuple(live[1:]))).action.kind == "stop"


def test_less_is_better_when_the_metric_says_so() -> None:
    metric = Metric(name="errors", direction="down")
    state = scored(score=8.0, loop=a_loop(metric=metric, budget=Budget(max_runs=1)), suites=(a_suite(),))
    assert what_next(state).action.kind == "stop"
    better = scored(score=4.0, loop=a_loop(metric=metric, budget=Budget(max_runs=1)), suites=(a_suite(),))
    assert what_next(better).action.kind == "ship"


def test_a_demoted_rule_comes_last_and_the_answer_says_so() -> None:
    """Evidence 6.10: a rule that does badly in a workspace is demoted there."""
    state = scored()
    rule = what_next(state).change.expects.rule
    bad = msgspec.structs.replace(
        state, track_record=(RuleRecord(rule=rule, n=8, n_hits=1, n_covered=4, mean_error=-0.2),)
    )
    answer = what_next(bad)
    assert answer.change.expects.rule != rule
    assert any(warning.code == "rule_demoted" for warning in answer.warnings)


def test_noise_decides_so_the_run_is_repeated() -> None:
    """Evidence 8: two seeds of one configuration differ by more than 0.1 in half the cases."""
    narrow = Choices(
        base_models=("gpt-4.1-mini",),
        learning_rate_multiplier=Range(min=1.0, max=1.0),
        n_epochs=Range(min=5, max=5),
        batch_size=Range(min=1, max=1),
    )
    run = a_run(1, a_config(n_epochs=5))
    noisy = an_evaluation(6.3, run=1, items=scores(6.3, wobble=3.5))
    state = a_state(runs=(run,), evaluations=(noisy,), loop=a_loop(choices=narrow))
    answer = what_next(state)
    assert answer.action.kind == "repeat_run"
    assert set(overrides(answer)) == {"seed"}


@pytest.mark.parametrize("trained", ["gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"])
def test_a_base_model_near_its_end_is_warned_of_once(trained: str) -> None:
    """Evidence 6.9; a dated snapshot ends with its family."""
    state = scored(config=a_config(base_model=trained), catalogue=(a_model(retires=date(2027, 1, 1)),))
    told = [warning.code for warning in what_next(state).warnings if "2027-01-01" in warning.message]
    assert told == ["base_model_retiring"]


def test_a_suite_too_coarse_for_the_rules_is_warned_of_with_a_remedy() -> None:
    """Evidence 6.3: this suite sees 0.42; your rule asks for 0.1."""
    message = next(each.message for each in what_next(scored()).warnings if each.code == "suite_too_coarse")
    assert "enlarge the suite from 50" in message


def test_user_text_is_escaped_in_markdown() -> None:
    state = scored(catalogue=(a_model(),), config=a_config(base_model="<b>*evil*</b>", n_epochs=5))
    markdown = what_next(state).markdown
    assert len(markdown) <= 3000
    assert "<b>" not in markdown
    assert "*evil*" not in markdown.replace("\\*", "")


def test_the_same_state_gives_the_same_bytes() -> None:
    state = scored(RISEN, versions=(a_version(), cleaned_version(2, 320)))
    copy = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=LoopState)
    assert msgspec.json.encode(what_next(state)) == msgspec.json.encode(what_next(copy))
