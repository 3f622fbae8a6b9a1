"""Real experiment histories as loops: nothing that a loop can hold is lost."""

from pathlib import Path

import pytest
from tests.bench.series_replay import look_up, replay
from tests.bench.series_settings import config_of
from tests.bench.series_states import state_of

NOWHERE = Path("nowhere")


def a_history(*runs, direction="higher", metric="f1", transitions=()):
    return {
        "series_id": "made_up",
        "task": "sort letters",
        "primary_metric": metric,
        "direction": direction,
        "order": "chronological",
        "n_runs": len(runs),
        "runs": [{"run_id": f"r{place}", **run} for place, run in enumerate(runs, start=1)],
        "transitions": list(transitions),
    }


def a_transition(changed, result="improved"):
    return {
        "from_run": "r1",
        "to_run": "r2",
        "changed": changed,
        "n_changed": len(changed),
        "outcome_vs_previous": result,
    }


def loop_after(history, n_runs=None, keys=("null",)):
    return state_of(history, history["runs"][:n_runs], list(keys), NOWHERE)


@pytest.mark.parametrize(
    ("config", "name", "value"),
    [
        ({"lr": 5e-5}, "learning_rate_multiplier", 0.5),
        ({"learning_rate": 3e-4}, "learning_rate_multiplier", pytest.approx(3.0)),
        ({"lr_multiplier": 2.0}, "learning_rate_multiplier", 2.0),
        ({"lr_multiplier": "auto"}, "learning_rate_multiplier", None),
        ({"num_epochs": 4}, "n_epochs", 4),
        ({"max_steps": 300}, "n_epochs", 5),
        ({"batch_size": 2, "gradient_accumulation_steps": 4}, "batch_size", 8),
        ({"beta": 0.1}, "method", "dpo"),
    ],
)
def test_settings_come_under_many_names(config, name, value):
    history = a_history(
        {"config": {"lr": 1e-4, "max_steps": 60}, "eval": {"f1": 1}}, {"config": config, "eval": {"f1": 2}}
    )
    assert getattr(config_of(history["runs"][1], history), name) == value


def test_scores_after_each_epoch_become_scored_checkpoints():
    rows = [[0, 31.0, 40.0], [1, 35.0, 52.0]]
    state = loop_after(a_history({"config": {}, "eval": {"em": 35.0, "f1": 52.0}, "curve_eval": rows}))
    assert [each.final for each in state.runs[0].checkpoints] == [False, True]
    assert [each.combined for each in state.evaluations if each.run_id] == [40.0, 52.0]
    assert [each.name for each in state.evaluations[-1].dimensions] == ["em", "f1"]


def test_a_curve_is_read_as_the_service_reads_one():
    rows = [[1, 2.0, 1.9], [2, 1.5, 1.5], [3, 1.0, 2.5]]
    state = loop_after(a_history({"config": {}, "eval": {"f1": 1.0}, "curve": rows}))
    reading = state.runs[0].reading
    assert (reading.first_valid_loss, reading.best_valid_loss, reading.last_valid_loss) == (1.9, 1.5, 2.5)
    assert state.loop.validation_version_id is not None


def test_a_run_without_a_score_has_failed():
    runs = ({"config": {}, "eval": {"f1": 1.0}}, {"config": {}, "eval": {}, "status": "loss is nan"})
    state = loop_after(a_history(*runs))
    assert (state.runs[1].status, state.runs[1].failure) == ("failed", "loss is nan")


def test_a_larger_file_is_advised_and_agrees():
    sizes = ({"rows": 100}, {"rows": 400})
    changed = {"dataset": list(sizes)}
    runs = [
        {"config": {}, "dataset": size, "eval": {"f1": score}} for size, score in zip(sizes, (1.0, 2.0), strict=True)
    ]
    history = a_history(*runs, transitions=(a_transition(changed),))
    told = replay(history, history["transitions"][0], NOWHERE)
    assert (told.said, told.agrees, told.reason) == ("advised", True, "")


@pytest.mark.parametrize(
    ("files", "said", "reason"),
    [
        (({"recipe": "plain"}, {"recipe": "with refusals"}), "advised", ""),
        (
            ({"rows": 100}, {"rows": 40}),
            "not advised",
            "nothing tells that the new file is cleaner than the old one, or larger by a fifth",
        ),
    ],
    ids=["of the same size", "much smaller"],
)
def test_a_file_of_which_nothing_is_told_is_advised_where_it_is_no_smaller(files, said, reason):
    runs = [
        {"config": {}, "dataset": file, "eval": {"f1": score}} for file, score in zip(files, (1.0, 2.0), strict=True)
    ]
    history = a_history(*runs, transitions=(a_transition({"dataset": list(files)}),))
    told = replay(history, history["transitions"][0], NOWHERE)
    assert (told.said, told.agrees, told.reason) == (said, said == "advised", reason)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"lr": [1e-4, 2e-4], "r": [8, 16]}, "2 variables at once: no credit to any"),
        ({"r": [8, 16]}, "a loop has no variable r"),
    ],
)
def test_a_change_that_nothing_can_be_credited_to_does_not_count(changed, reason):
    runs = ({"config": {"lr": 1e-4}, "eval": {"f1": 1.0}}, {"config": {"lr": 2e-4}, "eval": {"f1": 2.0}})
    history = a_history(*runs, transitions=(a_transition(changed),))
    told = replay(history, history["transitions"][0], NOWHERE)
    assert (told.agrees, told.reason) == (None, reason)


def test_advice_for_a_run_alone_is_looked_up_at_its_neighbour_on_that_side():
    runs = [
        {"config": {"lr": rate, "epochs": 3}, "eval": {"f1": score}}
        for rate, score in ((1e-4, 5.0), (5e-5, 4.0), (4e-4, 9.0))
    ]
    history = a_history(*runs)
    seen = look_up(history, history["runs"][0], NOWHERE)
    assert (seen.rule, seen.variable, seen.gain) == ("neighbouring_rate", "learning_rate_multiplier", -0.2)
