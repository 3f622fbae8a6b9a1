"""Method 6.4."""

import pytest
from tests.core.loop_states import a_model

from whatnext_service.core.loops import Choices
from whatnext_service.core.training_types import type_options, wanted_examples

ALL = a_model(methods=("sft", "dpo", "rft"))


def options(current="sft", model=ALL, choices=None, **known):
    facts = {
        "plateaued": True,
        "reasoning": False,
        "style_mismatch": False,
        "preference_pairs": None,
        "graded_prompts": None,
    } | known
    return type_options(current, model, choices or Choices(), **facts)


@pytest.mark.parametrize(("method", "least", "most"), [("sft", 50, 5000), ("dpo", 500, 5000), ("rft", 200, 2000)])
def test_how_much_data_each_type_wants(method, least, most):
    assert wanted_examples(method) == (least, most)


def test_a_plateau_in_reasoning_leads_to_rft():
    (option,) = options(reasoning=True, graded_prompts=200)
    assert option.method == "rft"
    assert option.needs == ("a validation file",)


def test_rft_wants_enough_prompts_with_a_grader():
    (option,) = options(reasoning=True, graded_prompts=199)
    assert "at least 200 prompts with a grader" in option.needs


def test_a_style_mismatch_leads_to_dpo_on_top_of_sft():
    (option,) = options(style_mismatch=True, preference_pairs=500)
    assert option.method == "dpo"
    assert option.needs == ()


def test_dpo_wants_enough_pairs():
    (option,) = options(style_mismatch=True)
    assert option.needs == ("at least 500 preference pairs",)


@pytest.mark.parametrize(
    "known",
    [
        {"plateaued": False, "reasoning": True, "style_mismatch": True},
        {"current": "dpo", "reasoning": True},
        {"model": a_model(), "reasoning": True, "style_mismatch": True},
        {"model": None, "reasoning": True},
        {"choices": Choices(methods=("sft",)), "reasoning": True, "style_mismatch": True},
        {},
    ],
    ids=["no plateau", "not from SFT", "not offered", "unknown model", "outside choices", "no reason"],
)
def test_otherwise_the_type_stays(known):
    assert options(**known) == ()
