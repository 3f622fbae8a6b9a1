"""The mistakes of method 8, and what else weakens a loop: each seen where it is, and not where it is not."""

from datetime import date

import msgspec
import pytest
from tests.core.loop_states import (
    a_checkpoint,
    a_config,
    a_loop,
    a_model,
    a_run,
    a_state,
    a_suite,
    a_version,
    an_evaluation,
)

from whatnext_service.core.mistakes import mistakes
from whatnext_service.core.state import Deployment

JUDGED = (an_evaluation(8.0, run=1),)
POINTS = (a_checkpoint(1, 60), a_checkpoint(1, 120, final=True))
NEWER = a_suite(id="suite_newer", fingerprint="print-newer")


def deployment(run, checkpoint=None, status="live"):
    return Deployment(id=f"dep_{run}", run_id=f"run_{run}", checkpoint_id=checkpoint, status=status)


def codes(state):
    return [one.code for one in mistakes(state)]


def test_a_sound_loop_has_none():
    assert mistakes(a_state(runs=(a_run(1),), evaluations=JUDGED)) == ()


def test_a_new_loop_has_none_either():
    assert mistakes(a_state(runs=(), baseline=None, suites=(), versions=())) == ()


MISTAKES = [
    pytest.param("no_baseline", "critical", a_state(runs=(a_run(1),), baseline=None), id="no baseline (method 4)"),
    pytest.param(
        "confounded_runs",
        "caution",
        a_state(runs=(a_run(1), a_run(2, confounded_by=("n_epochs", "batch_size")))),
        id="several variables changed (method 1)",
    ),
    pytest.param("no_final_test_set", "caution", a_state(suites=(a_suite(),)), id="no final test set (method 4)"),
    pytest.param(
        "chosen_on_final_test",
        "critical",
        a_state(
            runs=(a_run(1), a_run(2)),
            evaluations=(an_evaluation(8.0, run=1, role="final_test"), an_evaluation(8.1, run=2, role="final_test")),
        ),
        id="chosen on the final test set (method 8)",
    ),
    pytest.param(
        "final_test_reused",
        "caution",
        a_state(
            runs=(a_run(1),),
            evaluations=(
                an_evaluation(8.0, run=1, role="final_test"),
                an_evaluation(8.1, run=1, role="final_test", id="eval_again"),
            ),
        ),
        id="each extra look weakens it (method 4)",
    ),
    pytest.param(
        "eval_suite_overused",
        "caution",
        a_state(
            runs=tuple(a_run(number) for number in range(1, 21)),
            evaluations=tuple(an_evaluation(8.0, run=number) for number in range(1, 21)),
        ),
        id="twenty looks (method 8, evidence 1)",
    ),
    pytest.param(
        "eval_suite_changed",
        "caution",
        a_state(runs=(a_run(1),), evaluations=JUDGED, suites=(a_suite(), NEWER, a_suite(role="final_test"))),
        id="a change of eval set (method 4)",
    ),
    pytest.param(
        "small_eval_suite",
        "caution",
        a_state(suites=(a_suite(29), a_suite(role="final_test"))),
        id="fewer than 30 items (method 4)",
    ),
    pytest.param(
        "curves_ignored",
        "caution",
        a_state(runs=(a_run(1, reading=None),), evaluations=JUDGED),
        id="evaluated without a curve (method 8)",
    ),
    pytest.param(
        "final_checkpoint_taken",
        "caution",
        a_state(
            runs=(a_run(1, checkpoints=POINTS),),
            evaluations=(*JUDGED, an_evaluation(8.4, run=1, step=60)),
            deployments=(deployment(1),),
        ),
        id="final checkpoint taken though an earlier one was better (method 8)",
    ),
    pytest.param(
        "data_added_unchecked",
        "caution",
        a_state(
            runs=(a_run(1), a_run(2, a_config(dataset_version_id="dsv_2"))),
            versions=(a_version(1), a_version(2, 900, derived_by=("add_examples",), n_label_suspects=None)),
        ),
        id="data added without a quality check (method 8)",
    ),
    pytest.param(
        "deployments_left_behind",
        "caution",
        a_state(
            runs=(a_run(1), a_run(2)),
            evaluations=(*JUDGED, an_evaluation(8.2, run=2)),
            deployments=(deployment(1), deployment(2)),
        ),
        id="old deployments left behind (method 8)",
    ),
    pytest.param(
        "no_validation_file",
        "caution",
        a_state(loop=a_loop(validation_version_id=None)),
        id="no validation file (method 3)",
    ),
    pytest.param(
        "base_model_retiring",
        "caution",
        a_state(runs=(a_run(1),), catalogue=(a_model(training_ends=date(2027, 1, 6)),)),
        id="base model retiring (evidence 5)",
    ),
]


@pytest.mark.parametrize(("code", "severity", "state"), MISTAKES)
def test_each_mistake_is_seen(code, severity, state):
    found = {one.code: one for one in mistakes(state)}
    assert found[code].severity == severity
    assert found[code].message.endswith(".")


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("confounded_runs", a_state(runs=(a_run(1), a_run(2, confounded_by=("n_epochs",))))),
        (
            "final_test_reused",
            a_state(runs=(a_run(1),), evaluations=(an_evaluation(8.0, run=1, role="final_test"),)),
        ),
        (
            "eval_suite_overused",
            a_state(
                runs=tuple(a_run(number) for number in range(1, 20)),
                evaluations=tuple(an_evaluation(8.0, run=number) for number in range(1, 20)),
            ),
        ),
        (
            "eval_suite_changed",
            a_state(
                runs=(a_run(1),),
                evaluations=(
                    *JUDGED,
                    msgspec.structs.replace(JUDGED[0], id="e2", suite_id=NEWER.id, fingerprint=NEWER.fingerprint),
                ),
                suites=(a_suite(), NEWER),
            ),
        ),
        ("small_eval_suite", a_state(suites=(a_suite(30), a_suite(30, role="final_test")))),
        ("curves_ignored", a_state(runs=(a_run(1, reading=None),))),
        (
            "final_checkpoint_taken",
            a_state(
                runs=(a_run(1, checkpoints=POINTS),),
                evaluations=(*JUDGED, an_evaluation(8.4, run=1, step=60)),
                deployments=(deployment(1, "ckpt_1_60"),),
            ),
        ),
        (
            "data_added_unchecked",
            a_state(
                runs=(a_run(1), a_run(2, a_config(dataset_version_id="dsv_2"))),
                versions=(a_version(1), a_version(2, 900, derived_by=("add_examples", "drop_contradictions"))),
            ),
        ),
        ("data_added_unchecked", a_state(versions=(a_version(1), a_version(2, 900, n_label_suspects=None)))),
        (
            "data_added_unchecked",
            a_state(
                runs=(a_run(1), a_run(2, a_config(dataset_version_id="dsv_2"))),
                versions=(
                    a_version(1),
                    a_version(2, 900, derived_by=("add_examples",), n_label_suspects=None, checked=True),
                ),
            ),
        ),
        (
            "deployments_left_behind",
            a_state(runs=(a_run(1),), deployments=(deployment(1), deployment(2, status="deleted"))),
        ),
        ("no_validation_file", a_state(loop=a_loop(validation_version_id=None), runs=(a_run(1),))),
        ("base_model_retiring", a_state(runs=(a_run(1),), catalogue=(a_model(training_ends=date(2028, 1, 6)),))),
        ("base_model_retiring", a_state(catalogue=(a_model(training_ends=date(2027, 1, 6)),))),
    ],
)
def test_and_not_where_it_is_not(code, state):
    assert code not in codes(state)


def test_a_model_past_its_end_is_critical():
    state = a_state(runs=(a_run(1),), catalogue=(a_model(training_ends=date(2026, 11, 21)),))
    (warning,) = mistakes(state)
    assert (warning.code, warning.severity) == ("base_model_retiring", "critical")
    assert "2026-11-21" in warning.message


def test_the_gravest_come_first():
    state = a_state(
        runs=(a_run(1),),
        baseline=None,
        suites=(a_suite(10),),
        loop=a_loop(validation_version_id=None),
    )
    severities = [one.severity for one in mistakes(state)]
    assert severities == sorted(severities, key=["critical", "caution", "info"].index)
    assert severities[0] == "critical"


def test_a_crowd_is_counted_not_listed():
    runs = tuple(a_run(number, confounded_by=("n_epochs", "batch_size")) for number in range(1, 1001))
    (message,) = [one.message for one in mistakes(a_state(runs=runs)) if one.code == "confounded_runs"]
    assert "and 995 more" in message
    assert len(message) < 200
