from datetime import date

import pytest
from tests.core.loop_states import a_loop, a_model, a_run, a_state

from whatnext_service.core.loops import Choices, Range
from whatnext_service.core.ranges import allowed_models, limits, nearest_rung, provider_of, rungs

METHOD = Range(min=0.1, max=2.0)


@pytest.mark.parametrize(
    ("rate", "factor", "expected"),
    [
        (1.0, 0.1, 0.1),
        (1.0, 0.3, 0.3),
        (1.0, 0.6, 0.5),
        (1.0, 2.0, 2.0),
        (0.3, 2.0, 0.5),
        (0.1, 0.3, None),
        (2.0, 2.0, None),
        (0.7, 0.6, 0.5),
        (0.1, 3.0, 0.3),
    ],
)
def test_a_rate_moves_to_the_rung_nearest_to_the_factor(rate, factor, expected) -> None:
    """Method 6.2 names the rungs, evidence 8 the factors."""
    assert nearest_rung(METHOD, rate, factor) == expected


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (METHOD, (0.1, 0.3, 0.5, 1.0, 1.5, 2.0)),
        (Range(min=0.02, max=0.2), (0.02, 0.03, 0.05, 0.1, 0.2)),
        (Range(min=0.7, max=0.8), (0.7,)),
        (Range(min=1, max=1), (1.0,)),
    ],
)
def test_a_range_has_the_ladders_rungs_and_its_own_ends(allowed, expected) -> None:
    """Evidence 3: multipliers are scoped by provider, so ranges differ."""
    assert rungs(allowed) == pytest.approx(expected)


def test_choices_go_before_the_catalogue_and_the_catalogue_before_the_method() -> None:
    state = a_state(catalogue=(a_model(epochs_max=10, learning_rate_max=0.5),))
    assert limits(state, "gpt-4.1-mini").epochs.max == 10
    assert limits(state, "unknown").epochs.max == 5
    narrow = a_state(loop=a_loop(choices=Choices(n_epochs=Range(min=1, max=2))))
    assert limits(narrow, "gpt-4.1-mini").epochs.max == 2


def test_models_that_end_lack_the_method_or_want_more_examples_are_left_out() -> None:
    models = (
        a_model("ended", training_ends=date(2026, 1, 1)),
        a_model("rft-only", methods=("rft",)),
        a_model("hungry", min_examples=500),
        a_model("fits"),
    )
    state = a_state(catalogue=models)
    assert allowed_models(state, "sft", 335) == ("fits",)
    assert allowed_models(state, "sft", 600) == ("hungry", "fits")


def test_an_explicit_choice_outweighs_the_size_and_may_be_unknown() -> None:
    choices = Choices(base_models=("hungry", "my-own"))
    state = a_state(catalogue=(a_model("hungry", min_examples=500),), loop=a_loop(choices=choices))
    assert allowed_models(state, "sft", 100) == ("hungry", "my-own")


def test_the_provider_is_the_catalogues_else_the_one_last_used() -> None:
    assert provider_of(a_state(), "gpt-4.1-mini") == "openai"
    used = a_state(catalogue=(a_model(provider="any"),), runs=(a_run(1, provider="sandbox"),))
    assert provider_of(used, "gpt-4.1-mini") == "sandbox"
    assert provider_of(a_state(), "unknown") == "openai"
