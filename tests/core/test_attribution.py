import pytest
from tests.core.loop_states import a_config, a_run, an_effective

from whatnext_service.core.advice import Overrides
from whatnext_service.core.attribution import (
    Resolved,
    effective_config,
    effective_difference,
    resolved_config,
)


def pair(parent=None, child=None, *, config=None, parent_config=None):
    a = a_run(1, parent_config or a_config(), effective=an_effective(**(parent or {})))
    b = a_run(2, config or a_config(), effective=an_effective(**(child or {})))
    return a, b


def test_one_asked_change_that_took_is_not_confounded():
    difference = effective_difference(
        *pair(child={"learning_rate_multiplier": 0.5}, config=a_config(learning_rate_multiplier=0.5))
    )
    assert difference.variables == ("learning_rate_multiplier",)
    assert difference.hidden == ()
    assert not difference.confounded
    assert difference.separating is None


def test_more_epochs_bring_their_steps_with_them():
    difference = effective_difference(*pair(child={"n_epochs": 3, "n_steps": 1005}, config=a_config(n_epochs=3)))
    assert difference.variables == ("n_epochs",)
    assert not difference.confounded


def test_more_data_silently_changes_the_steps():
    """Evidence 3: a hidden second variable; the separating run trains as many steps."""
    difference = effective_difference(
        *pair(
            child={"dataset_sha256": "sha-2", "n_examples": 670, "n_steps": 1340},
            config=a_config(dataset_version_id="dsv_2"),
        )
    )
    assert difference.variables == ("dataset_version_id",)
    assert difference.hidden == ("n_steps",)
    assert difference.confounded
    assert difference.separating.parent_run_id == "run_2"
    assert difference.separating.overrides == Overrides(n_epochs=1)


@pytest.mark.parametrize(("steps", "confounded"), [(610, False), (609, True), (737, False), (738, True)])
def test_a_tenth_of_the_steps_is_no_second_variable(steps, confounded):
    """Cleaning drops a few rows: 670 steps become 610 to 737."""
    difference = effective_difference(
        *pair(child={"dataset_sha256": "sha-2", "n_steps": steps}, config=a_config(dataset_version_id="dsv_2"))
    )
    assert difference.confounded is confounded


def test_a_batch_size_asked_for_brings_its_steps_with_it():
    difference = effective_difference(*pair(child={"batch_size": 16, "n_steps": 42}, config=a_config(batch_size=16)))
    assert difference.variables == ("batch_size",)
    assert not difference.confounded


def test_an_auto_batch_size_brings_hidden_steps():
    """Evidence 3."""
    difference = effective_difference(
        *pair(
            child={"batch_size": 2, "n_steps": 335, "learning_rate_multiplier": 0.5},
            config=a_config(learning_rate_multiplier=0.5),
        )
    )
    assert difference.hidden == ("batch_size", "n_steps")


def test_a_data_change_of_equal_steps_is_clean():
    difference = effective_difference(
        *pair(child={"dataset_sha256": "sha-2"}, config=a_config(dataset_version_id="dsv_2"))
    )
    assert difference.variables == ("dataset_version_id",)
    assert not difference.confounded


@pytest.mark.parametrize(
    ("child", "hidden", "separating"),
    [
        ({"batch_size": 2}, "batch_size", Overrides(batch_size=1)),
        ({"base_model_snapshot": "later"}, "base_model_snapshot", Overrides()),
        ({"seed": 8}, "seed", Overrides(seed=7)),
        ({"validation_sha256": "other"}, "validation_sha256", None),
    ],
)
def test_what_differs_unasked_is_hidden_and_confounds(child, hidden, separating):
    """Evidence 3: auto values, snapshot, seed, validation file."""
    a, b = pair(
        child={"learning_rate_multiplier": 0.5} | child,
        config=a_config(learning_rate_multiplier=0.5),
    )
    difference = effective_difference(a, b)
    assert difference.hidden == (hidden,)
    assert difference.confounded
    if separating is None:
        assert difference.separating is None
    else:
        assert difference.separating.overrides == separating


def test_seeds_alone_are_a_repeat():
    a, b = pair(child={"seed": 8})
    difference = effective_difference(a, b)
    assert difference.variables == ()
    assert difference.hidden == ("seed",)
    assert not difference.confounded


def test_a_change_that_did_not_take_is_named():
    """Hazards f: two requested rates, one trained."""
    a, b = pair(config=a_config(learning_rate_multiplier=0.5))
    difference = effective_difference(a, b)
    assert difference.variables == ()
    assert difference.not_taken == ("learning_rate_multiplier",)


def test_two_versions_of_equal_content_are_one_dataset():
    a, b = pair(config=a_config(dataset_version_id="dsv_2"))
    assert effective_difference(a, b).not_taken == ("dataset_version_id",)


def test_one_version_with_other_content_differs():
    a, b = pair(child={"dataset_sha256": "sha-2"})
    assert effective_difference(a, b).hidden == ("dataset_version_id",)


def test_without_facts_little_is_known_and_nothing_invented():
    a, b = a_run(1), a_run(2, a_config(n_epochs=3))
    difference = effective_difference(a, b)
    assert difference.variables == ("n_epochs",)
    assert difference.hidden == ()
    assert {"base_model_snapshot", "seed"} <= set(difference.unknown)


def test_an_auto_value_known_of_one_run_only_is_unknown():
    a = a_run(1, effective=an_effective(batch_size=8))
    b = a_run(2, a_config(n_epochs=3))
    assert "batch_size" in effective_difference(a, b).unknown


def test_asked_for_what_auto_had_chosen_is_no_change():
    a, b = pair(child={}, config=a_config(batch_size=1))
    assert effective_difference(a, b).not_taken == ("batch_size",)


def test_two_asked_changes_are_separated_by_the_cheaper_one():
    a, b = pair(
        child={"n_epochs": 5, "n_steps": 1675, "learning_rate_multiplier": 0.5},
        config=a_config(n_epochs=5, learning_rate_multiplier=0.5),
    )
    difference = effective_difference(a, b)
    assert difference.confounded
    assert difference.separating.parent_run_id == "run_1"
    assert difference.separating.overrides == Overrides(learning_rate_multiplier=0.5)


def test_steps_are_counted_from_examples_batch_and_epochs():
    """Evidence 3: ceil(examples / batch) x epochs."""
    known = effective_config(
        a_config(n_epochs=3), Resolved(batch_size=8), dataset_sha256="s", validation_sha256=None, n_examples=335
    )
    assert known.n_steps == 42 * 3
    assert known.batch_size == 8


def test_the_providers_report_wins_over_request_and_count():
    known = effective_config(
        a_config(n_epochs=3, seed=1),
        Resolved(n_epochs=4, batch_size=8, n_steps=99, seed=0),
        dataset_sha256="s",
        validation_sha256=None,
        n_examples=335,
    )
    assert (known.n_epochs, known.n_steps, known.seed) == (4, 99, 0)


def test_steps_stay_unknown_without_a_batch_size():
    known = effective_config(
        a_config(n_epochs=3), Resolved(), dataset_sha256=None, validation_sha256=None, n_examples=335
    )
    assert known.n_steps is None


def test_resolved_config_replaces_auto_and_forgets_the_seed():
    run = a_run(1, a_config(n_epochs=None, seed=3), effective=an_effective(n_epochs=4, batch_size=2))
    assert resolved_config(run) == a_config(n_epochs=4, batch_size=2)
