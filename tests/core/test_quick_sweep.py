"""The hyperparameter rules of method 6.2, one by one."""

import pytest
from tests.core.loop_states import a_config, a_model

from whatnext_service.core.advice import Overrides
from whatnext_service.core.loops import Choices, Range
from whatnext_service.core.quick_sweep import (
    Tweak,
    allowed,
    baseline_config,
    epochs_for,
    is_small,
    learning_rates_for,
    when_overfitting,
    when_rate_is_good,
    when_severe,
    when_underfitting,
)


def changes(tweaks):
    return [(tweak.variable, tweak.to_value) for tweak in tweaks]


def test_baseline_is_two_epochs_at_one():
    config = baseline_config("gpt-4.1-mini", "dsv_1")
    assert (config.n_epochs, config.learning_rate_multiplier, config.batch_size) == (2, 1.0, None)


def test_dpo_starts_with_beta_and_l2_of_a_tenth():
    config = baseline_config("gpt-4o", "dsv_1", "dpo", n_examples=400)
    assert (config.method, config.beta, config.l2_multiplier) == ("dpo", 0.1, 0.1)
    assert config.n_epochs <= 2


def test_rft_starts_with_its_own_defaults():
    config = baseline_config("o4-mini", "dsv_1", "rft")
    assert config.reasoning_effort == "medium"
    assert config.compute_multiplier == 1.5
    assert config.learning_rate_multiplier == 1.0
    assert config.n_epochs in (2, 3)
    assert (config.eval_interval, config.eval_samples) == (5, 10)


@pytest.mark.parametrize(
    ("n_examples", "least", "most"),
    [
        (1, 3, 5),
        (99, 3, 5),
        (100, 2, 3),
        (500, 2, 3),
        (501, 1, 2),
        (2000, 1, 2),
        (2001, 1, 1),
    ],
)
def test_epochs_by_number_of_examples(n_examples, least, most):
    assert epochs_for(n_examples) == Range(min=least, max=most)


def test_few_preference_pairs_want_at_most_two_epochs():
    assert epochs_for(80, "dpo").max == 2
    assert epochs_for(499, "dpo").max == 2


@pytest.mark.parametrize(
    ("n_examples", "refining", "least", "most"),
    [
        (199, False, 0.1, 0.5),
        (200, False, 0.1, 2.0),
        (800, True, 0.1, 0.5),
        (1000, False, 0.1, 2.0),
        (1001, False, 0.2, 0.5),
    ],
)
def test_learning_rates_by_size(n_examples, refining, least, most):
    assert learning_rates_for(n_examples, refining=refining) == Range(min=least, max=most)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, [("learning_rate_multiplier", 0.5), ("n_epochs", 1)]),
        ({"n_epochs": None, "learning_rate_multiplier": None}, [("learning_rate_multiplier", 0.5), ("n_epochs", 1)]),
        ({"learning_rate_multiplier": 0.5}, [("learning_rate_multiplier", 0.25), ("n_epochs", 1)]),
        ({"learning_rate_multiplier": 0.1, "n_epochs": 1}, []),
    ],
)
def test_overfitting_wants_half_the_rate_or_one_epoch(config, expected):
    assert changes(when_overfitting(a_config(**config))) == expected


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(1.0, [0.3, 0.1]), (None, [0.3, 0.1]), (0.3, [0.1]), (0.1, [])],
)
def test_severe_overfitting_on_much_data_wants_a_tenth_to_three_tenths(rate, expected):
    """Method 5: lower LR drastically (0.1-0.3)."""
    assert [tweak.to_value for tweak in when_severe(a_config(learning_rate_multiplier=rate))] == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, [("learning_rate_multiplier", 1.5), ("n_epochs", 3)]),
        ({"learning_rate_multiplier": 1.5}, [("learning_rate_multiplier", 2.0), ("n_epochs", 3)]),
        ({"n_epochs": 3}, [("learning_rate_multiplier", 1.5), ("n_epochs", 5)]),
        ({"learning_rate_multiplier": 2.0, "n_epochs": 5}, []),
    ],
)
def test_underfitting_wants_more_rate_or_three_epochs(config, expected):
    assert changes(when_underfitting(a_config(**config))) == expected


def test_underfitting_stays_in_the_models_range():
    model = a_model(learning_rate_max=1.0, epochs_max=10)
    assert changes(when_underfitting(a_config(n_epochs=3), model)) == [("n_epochs", 10)]


def test_a_good_rate_wants_batch_sixteen_then_thirty_two():
    assert [tweak.to_value for tweak in when_rate_is_good(a_config())] == [16, 32]
    assert [tweak.to_value for tweak in when_rate_is_good(a_config(batch_size=16))] == [32]


def test_small_is_below_five_hundred():
    """Method 6.3: "large datasets (500+)"."""
    assert is_small(499)
    assert not is_small(500)


@pytest.mark.parametrize(
    ("variable", "value", "inside"),
    [
        ("learning_rate_multiplier", 0.5, True),
        ("learning_rate_multiplier", 0.4, False),
        ("n_epochs", 3, True),
        ("n_epochs", 4, False),
        ("batch_size", 16, True),
        ("batch_size", 32, False),
        ("base_model", "a", True),
        ("base_model", "b", False),
        ("method", "sft", True),
        ("method", "dpo", False),
        ("beta", 0.5, True),
    ],
)
def test_choices_bound_every_variable(variable, value, inside):
    choices = Choices(
        base_models=("a",),
        methods=("sft",),
        learning_rate_multiplier=Range(min=0.5, max=1.0),
        n_epochs=Range(min=1, max=3),
        batch_size=Range(min=8, max=16),
    )
    tweak = Tweak(variable=variable, to_value=value, reason="", source="")
    assert allowed(tweak, choices) is inside
    assert allowed(tweak, Choices())


def test_a_tweak_is_an_override_of_one_field():
    tweak = Tweak(variable="n_epochs", to_value=3, reason="", source="")
    assert tweak.overrides == Overrides(n_epochs=3)
