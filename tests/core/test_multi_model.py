"""Method 6.3, the multi-model strategy."""

from datetime import date

import msgspec
import pytest
from tests.core.loop_states import a_config, a_model, a_version

from whatnext_service.core.lineage import changed_variables
from whatnext_service.core.loops import Choices
from whatnext_service.core.multi_model import plan_multi_model
from whatnext_service.errors import DomainError

TODAY = date(2026, 11, 22)
CATALOGUE = (
    a_model("gpt-4.1-mini"),
    a_model("gpt-4.1-nano"),
    a_model("gpt-oss-20b", min_examples=500),
    a_model("Ministral-3B"),
)


def names(n_examples=335, choices=None, catalogue=CATALOGUE, **options):
    plan = plan_multi_model(
        a_config(), a_version(n_examples=n_examples), catalogue, choices or Choices(), today=TODAY, **options
    )
    return [run.config.base_model for run in plan.runs]


def test_mini_first_then_nano_for_speed():
    assert names()[:2] == ["gpt-4.1-mini", "gpt-4.1-nano"]


@pytest.mark.parametrize(("n_examples", "included"), [(499, False), (500, True)])
def test_oss_from_five_hundred_examples(n_examples, included):
    assert ("gpt-oss-20b" in names(n_examples)) is included


def test_at_most_three_models():
    assert len(names(1000)) == 3


def test_all_else_is_equal():
    plan = plan_multi_model(
        a_config(learning_rate_multiplier=0.5, seed=3), a_version(), CATALOGUE, Choices(), today=TODAY
    )
    first = plan.runs[0].config
    for run in plan.runs[1:]:
        assert changed_variables(first, run.config) == ("base_model",)
        assert run.config.seed == 3


def test_choices_are_respected():
    chosen = names(choices=Choices(base_models=("Ministral-3B", "gpt-4.1-mini")))
    assert sorted(chosen) == ["Ministral-3B", "gpt-4.1-mini"]


def test_named_models_are_taken_as_named():
    assert names(base_models=("my-model", "gpt-4.1-nano")) == ["my-model", "gpt-4.1-nano"]


@pytest.mark.parametrize("named", [("a",), ("a", "a"), ("a", "b", "c", "d")])
def test_two_or_three_and_no_other_number(named):
    with pytest.raises(DomainError) as refused:
        names(base_models=named)
    assert refused.value.code == "invalid_multi_model_plan"


def test_a_named_model_outside_the_choices_is_refused():
    with pytest.raises(DomainError) as refused:
        names(choices=Choices(base_models=("a",)), base_models=("a", "b"))
    assert refused.value.code == "outside_choices"


@pytest.mark.parametrize(
    "changes",
    [{"training_ends": date(2026, 11, 21)}, {"retires": date(2026, 11, 21)}, {"methods": ("rft",)}],
)
def test_a_model_that_takes_no_such_job_is_left_out(changes):
    nano = msgspec.structs.replace(CATALOGUE[1], **changes)
    assert "gpt-4.1-nano" not in names(catalogue=(CATALOGUE[0], nano, *CATALOGUE[2:]))


def test_another_providers_models_are_left_out():
    catalogue = (*CATALOGUE, a_model("sandbox-base", provider="sandbox"), a_model("sandbox-large", provider="sandbox"))
    assert names(catalogue=catalogue, provider="sandbox") == ["sandbox-base", "sandbox-large"]
