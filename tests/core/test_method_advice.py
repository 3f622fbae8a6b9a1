"""The published method read literally: one step for every situation of its loop."""

import msgspec
import pytest
from tests.core.loop_states import (
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
)

from whatnext_service.core.curves import Finding
from whatnext_service.core.diagnose import diagnose
from whatnext_service.core.loops import Choices, Metric, Rules
from whatnext_service.core.method_advice import method_advice, method_changes, wrong_tool
from whatnext_service.core.scoreboard import read_scoreboard

MODERATE = a_reading(verdict="moderate", overfit_ratio=1.7, rise=1.3, best_is_last=False)
SEVERE = a_reading(verdict="severe", overfit_ratio=2.6, rise=1.6, best_is_last=False)

UNDERFIT = Finding(
    code="underfit",
    severity="caution",
    statement="Training loss barely fell.",
    value=0.95,
    threshold=0.9,
    would_change="",
    source="method 3",
)


def judged(*facts, **changes):
    """A loop with one run for each (score, reading, config)."""
    runs = tuple(a_run(n, config, reading=reading) for n, (_, reading, config) in enumerate(facts, start=1))
    evaluations = tuple(an_evaluation(score, run=n) for n, (score, _, _) in enumerate(facts, start=1))
    return a_state(runs=runs, evaluations=evaluations, **changes)


def test_without_data_it_asks_for_data():
    assert method_advice(a_state(versions=())).kind == "attach_dataset"


def test_without_a_baseline_it_advises_nothing_else():
    """Method 4."""
    assert method_advice(a_state(baseline=None)).kind == "record_baseline"
    assert method_advice(a_state(baseline=None, runs=(a_run(1),))).kind == "record_baseline"


@pytest.mark.parametrize(
    ("state", "word"),
    [(a_state(baseline=9.1), "9.10"), (a_state(versions=(a_version(n_examples=49),)), "49 examples")],
)
def test_fine_tuning_is_the_wrong_tool(state, word):
    """Method 6: above 9.0 of 10, or fewer than 50 examples."""
    advice = method_advice(state)
    assert advice.kind == "do_not_fine_tune"
    assert word in advice.headline


@pytest.mark.parametrize("state", [a_state(baseline=9.0), a_state(versions=(a_version(n_examples=50),))])
def test_fine_tuning_is_the_right_tool_at_the_bounds(state):
    assert method_advice(state).kind == "start_run"


def test_the_bound_follows_scale_and_direction():
    metric = Metric(name="errors", scale_min=0.0, scale_max=1.0, direction="down")
    good, fair = (a_state(baseline=value, loop=a_loop(metric=metric)) for value in (0.05, 0.2))
    assert wrong_tool(good, read_scoreboard(good)) is not None
    assert wrong_tool(fair, read_scoreboard(fair)) is None


def test_the_first_run_is_two_epochs_at_one():
    """Method 6.2."""
    advice = method_advice(a_state())
    assert advice.kind == "start_run"
    assert advice.config == a_config()


def test_it_waits_and_evaluates():
    """Method 1: train, analyse, evaluate."""
    assert method_advice(a_state(runs=(a_run(1, status="running"),))).kind == "wait"
    advice = method_advice(a_state(runs=(a_run(1),)))
    assert (advice.kind, advice.run_id) == ("evaluate", "run_1")
    assert [step.question for step in advice.path] == ["curves_healthy", "eval_improved"]


CHANGES = [
    pytest.param(
        judged((8.0, MODERATE, a_config())), "learning_rate_multiplier", 0.5, id="moderate: LR 0.5 (method 5, 6.2)"
    ),
    pytest.param(
        judged((8.0, MODERATE, a_config()), (7.0, a_reading(), a_config(learning_rate_multiplier=0.5))),
        "n_epochs",
        1,
        id="LR 0.5 was tried: epochs 1",
    ),
    pytest.param(
        judged((8.0, SEVERE, a_config()), versions=(a_version(n_examples=800),)),
        "learning_rate_multiplier",
        0.3,
        id="severe, large: LR 0.3 (method 5)",
    ),
    pytest.param(
        judged((8.0, SEVERE, a_config()), versions=(a_version(), a_version(2, 900))),
        "dataset_version_id",
        "dsv_2",
        id="severe, small: add data (method 5)",
    ),
    pytest.param(
        judged(
            (5.0, a_reading(), a_config()),
            versions=(a_version(), a_version(2, 300, derived_by=("drop_contradictions",)), a_version(3, 900)),
        ),
        "dataset_version_id",
        "dsv_2",
        id="healthy, not improved: cleaner data before more data (method 5, 6.1)",
    ),
    pytest.param(judged((8.0, a_reading(), a_config())), "batch_size", 16, id="healthy, improved: batch 16 (6.2)"),
    pytest.param(
        judged((8.0, a_reading(findings=(UNDERFIT,)), a_config())),
        "learning_rate_multiplier",
        1.5,
        id="training loss barely falls: LR 1.5 (method 3, 6.2)",
    ),
    pytest.param(
        judged((8.0, a_reading(findings=(UNDERFIT,)), a_config(learning_rate_multiplier=2.0))),
        "n_epochs",
        3,
        id="no higher rate in the range: epochs 3",
    ),
]


@pytest.mark.parametrize(("state", "variable", "value"), CHANGES)
def test_one_change_from_the_diagnosis(state, variable, value):
    advice = method_advice(state)
    assert advice.kind == "start_run"
    assert (advice.tweak.variable, advice.tweak.to_value) == (variable, value)
    assert advice.run_id == "run_1"
    assert getattr(advice.config, variable) == value
    codes = {one.code for one in advice.evidence}
    assert advice.path
    assert all(set(step.evidence) <= codes for step in advice.path)


def test_bad_data_without_a_better_version_is_work_for_a_person():
    """Method 5: filter or augment."""
    assert method_advice(judged((5.0, a_reading(), a_config()))).kind == "fix_data"


def test_an_earlier_checkpoint_that_evaluates_well_is_deployed():
    points = (a_checkpoint(1, 60), a_checkpoint(1, 120, final=True))
    state = a_state(
        runs=(a_run(1, reading=MODERATE, checkpoints=points),),
        evaluations=(an_evaluation(8.0, run=1), an_evaluation(8.6, run=1, step=60)),
    )
    advice = method_advice(state)
    assert (advice.kind, advice.checkpoint_id) == ("ship", "ckpt_1_60")


def test_when_a_stop_rule_fires_it_leaves_the_loop():
    """Method 7: then the final test, then ship; nothing better than the baseline is not shipped."""
    loop = a_loop(rules=Rules(target=7.0))
    state = judged((8.0, a_reading(), a_config()), loop=loop)
    assert method_advice(state).kind == "final_test"
    tested = msgspec.structs.replace(
        state, evaluations=(*state.evaluations, an_evaluation(8.0, run=1, role="final_test"))
    )
    assert method_advice(tested).kind == "ship"
    assert method_advice(judged((8.0, a_reading(), a_config()), loop=loop, suites=(a_suite(),))).kind == "ship"
    assert method_advice(judged((8.0, a_reading(), a_config()), loop=loop, baseline=8.5)).kind == "stop"


def test_it_never_repeats_and_never_leaves_the_choices():
    state = judged((8.0, a_reading(), a_config()), catalogue=(a_model(), a_model("gpt-4.1-nano")))
    state = msgspec.structs.replace(
        state, loop=a_loop(choices=Choices(base_models=("gpt-4.1-mini",)), rules=Rules(patience=100))
    )
    seen = {a_config()}
    for number in range(2, 30):
        advice = method_advice(state)
        if advice.kind != "start_run":
            break
        assert advice.config not in seen
        assert advice.config.base_model == "gpt-4.1-mini"
        seen.add(advice.config)
        run = a_run(number, advice.config)
        state = msgspec.structs.replace(
            state, runs=(*state.runs, run), evaluations=(*state.evaluations, an_evaluation(7.0, run=number))
        )
    assert advice.kind == "review"
    assert {config.batch_size for config in seen} >= {16, 32}


@pytest.mark.parametrize(
    ("n_examples", "rates"), [(120, [0.5, 0.3, 0.1, 1.5, 2.0]), (335, [0.5, 1.5, 0.3, 2.0, 0.1]), (1500, [0.5, 0.3])]
)
def test_the_sweep_begins_with_the_rates_for_the_datas_size(n_examples: int, rates: list[float]) -> None:
    """Method 6.2: 0.1-0.5 under 200 examples, 0.2-0.5 above 1,000."""
    version = a_version(n_examples=n_examples)
    run = a_run(config=a_config(batch_size=16))
    state = a_state(runs=(run,), evaluations=(an_evaluation(6.0, run=1),), versions=(version,))
    changes = method_changes(state, run, diagnose(state, run))
    swept = [each.to_value for each in changes if each.reason == "quick sweep"]
    assert [value for value in swept if isinstance(value, float)][: len(rates)] == rates
