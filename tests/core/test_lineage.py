import pytest
from tests.core.loop_states import a_config

from whatnext_service.core.advice import Overrides
from whatnext_service.core.lineage import (
    VARIABLES,
    apply_overrides,
    changed_variables,
    check_one_variable,
    is_repeat,
)
from whatnext_service.errors import DomainError

OTHER = {
    "base_model": "gpt-4.1-nano",
    "dataset_version_id": "dsv_2",
    "method": "dpo",
    "n_epochs": 3,
    "learning_rate_multiplier": 0.5,
    "batch_size": 16,
    "beta": 0.2,
    "l2_multiplier": 0.2,
    "compute_multiplier": 2.0,
    "reasoning_effort": "high",
    "eval_interval": 6,
    "eval_samples": 11,
    "grader": "{}",
}


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_alone_is_one_change(name):
    child = a_config(**{name: OTHER[name]})
    assert changed_variables(a_config(), child) == (name,)
    assert check_one_variable(a_config(), child, False) == (name,)


def test_seed_alone_is_a_repeat():
    """Method 1 and api: a run that differs in the seed alone changes nothing."""
    assert changed_variables(a_config(seed=1), a_config(seed=2)) == ()
    assert is_repeat(a_config(seed=1), a_config(seed=2))


def test_two_changes_are_refused_and_listed():
    """Method 1: the iron rule."""
    child = a_config(n_epochs=3, learning_rate_multiplier=0.5)
    with pytest.raises(DomainError) as refused:
        check_one_variable(a_config(), child, False)
    assert refused.value.code == "confounded_change"
    assert [error.pointer for error in refused.value.errors] == [
        "/overrides/n_epochs",
        "/overrides/learning_rate_multiplier",
    ]
    assert "n_epochs (2 to 3)" in refused.value.detail
    assert "learning_rate_multiplier (1.0 to 0.5)" in refused.value.detail


def test_two_changes_pass_when_allowed_and_are_returned():
    child = a_config(n_epochs=3, batch_size=16)
    assert check_one_variable(a_config(), child, True) == ("n_epochs", "batch_size")


def test_auto_against_a_number_is_a_change():
    assert changed_variables(a_config(batch_size=None), a_config(batch_size=8)) == ("batch_size",)


def test_a_methods_own_variables_come_with_it():
    """Method 6.4: a change of type is one change."""
    child = a_config(method="dpo", beta=0.1, l2_multiplier=0.1)
    assert changed_variables(a_config(), child) == ("method",)


def test_a_dataset_in_the_new_methods_format_is_the_same_change():
    child = a_config(method="dpo", dataset_version_id="dsv_pairs")
    assert check_one_variable(a_config(), child, False, dataset_methods=("sft", "dpo")) == ("method",)
    with pytest.raises(DomainError):
        check_one_variable(a_config(), child, False, dataset_methods=("sft", "sft"))
    with pytest.raises(DomainError):
        check_one_variable(a_config(), child, False)


def test_overrides_change_what_they_name_and_inherit_the_rest():
    parent = a_config(seed=7, batch_size=8)
    child = apply_overrides(parent, Overrides(n_epochs=3))
    assert child == a_config(seed=7, batch_size=8, n_epochs=3)


def test_a_change_of_method_drops_the_old_methods_variables():
    parent = a_config(method="dpo", beta=0.1, l2_multiplier=0.1)
    child = apply_overrides(parent, Overrides(method="rft", grader="{}"))
    assert (child.method, child.beta, child.l2_multiplier, child.grader) == ("rft", None, None, "{}")
