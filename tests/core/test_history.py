import pytest
from tests.core.loop_states import (
    a_checkpoint,
    a_config,
    a_reading,
    a_run,
    a_state,
    a_suite,
    a_version,
    an_effective,
    an_evaluation,
)

from whatnext_service.core.history import history


def test_one_row_a_run_in_order():
    rows = history(a_state(runs=tuple(a_run(number) for number in range(1, 13))))
    assert [row.run for row in rows] == [f"R{number}" for number in range(1, 13)]


def test_a_first_run_has_no_parent_to_differ_from():
    (row,) = history(a_state(runs=(a_run(1),), evaluations=(an_evaluation(8.0, run=1),)))
    assert (row.parent, row.changed, row.repeat, row.to_parent) == (None, (), False, None)
    assert row.to_baseline.points == pytest.approx(2.0)
    assert row.to_baseline.low < 2.0 < row.to_baseline.high


def test_a_child_tells_its_change_and_its_differences():
    runs = (a_run(1), a_run(2, a_config(dataset_version_id="dsv_2")))
    evaluations = (an_evaluation(8.0, run=1), an_evaluation(8.5, run=2))
    state = a_state(runs=runs, evaluations=evaluations, versions=(a_version(), a_version(2, 300)))
    row = history(state)[1]
    (change,) = row.changed
    assert (change.variable, change.from_text, change.to_text) == ("dataset_version_id", "v1 (335 ex)", "v2 (300 ex)")
    assert row.parent == "R1"
    assert row.to_parent.points == pytest.approx(0.5)
    assert row.to_baseline.points == pytest.approx(2.5)


def test_without_items_there_is_a_difference_and_no_interval():
    state = a_state(runs=(a_run(1),), evaluations=(an_evaluation(8.0, run=1, items=None),))
    (row,) = history(state)
    assert (row.to_baseline.points, row.to_baseline.low, row.to_baseline.high) == (2.0, None, None)


def test_the_best_scored_state_counts_and_names_its_step():
    points = (a_checkpoint(1, 60), a_checkpoint(1, 120, final=True))
    evaluations = (an_evaluation(8.0, run=1), an_evaluation(8.4, run=1, step=60))
    (row,) = history(a_state(runs=(a_run(1, checkpoints=points),), evaluations=evaluations))
    assert (row.combined, row.scored_step) == (8.4, 60)


def test_auto_values_are_shown_as_trained_and_the_batch_as_chosen_by_the_provider():
    run = a_run(1, a_config(n_epochs=None, learning_rate_multiplier=None), effective=an_effective(n_epochs=4))
    (row,) = history(a_state(runs=(run,)))
    assert (row.n_epochs, row.learning_rate_multiplier, row.batch_size) == (4, 1.0, None)


def test_a_repeat_is_no_change():
    rows = history(a_state(runs=(a_run(1), a_run(2, a_config(seed=3)))))
    assert rows[1].repeat
    assert rows[1].changed == ()


def test_confounding_is_marked_whether_asked_for_or_hidden():
    """Method 1: marked everywhere it is shown; evidence 3: the effective difference."""
    asked = a_run(
        2, a_config(n_epochs=3, batch_size=8), confounded_by=("n_epochs", "batch_size"), effective=an_effective()
    )
    hidden = a_run(
        3,
        a_config(dataset_version_id="dsv_2"),
        effective=an_effective(dataset_sha256="sha-2", n_examples=900, n_steps=1800),
    )
    rows = history(a_state(runs=(a_run(1, effective=an_effective()), asked, hidden)))
    assert [row.confounded_by for row in rows] == [
        (),
        ("n_epochs", "batch_size"),
        ("dataset_version_id", "n_steps"),
    ]


def test_scores_of_an_older_suite_are_not_mixed_in():
    """Method 4: a change of eval set starts a new comparison series."""
    suites = (a_suite(), a_suite(id="newer", fingerprint="newer"))
    (row,) = history(a_state(runs=(a_run(1),), evaluations=(an_evaluation(8.0, run=1),), suites=suites))
    assert row.combined is None
    assert row.to_baseline is None


def test_a_failed_run_keeps_its_row():
    (row,) = history(a_state(runs=(a_run(1, status="failed", reading=None, cost=None),)))
    assert (row.status, row.combined, row.best_valid_loss, row.overfitting) == ("failed", None, None, None)


def test_a_verdict_comes_from_the_curve():
    (row,) = history(a_state(runs=(a_run(1, reading=a_reading(verdict="moderate")),)))
    assert row.overfitting == "moderate"


def test_another_seed_or_validation_file_alone_does_not_confound_a_row():
    """A seed is noise, which the interval carries; no held-out score depends on the validation file."""
    child = a_run(
        2, a_config(n_epochs=3), effective=an_effective(n_epochs=3, n_steps=1005, seed=8, validation_sha256="other")
    )
    assert history(a_state(runs=(a_run(1, effective=an_effective()), child)))[1].confounded_by == ()
