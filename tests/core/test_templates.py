"""Grader templates are filled in one pass and never read twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatnext_service.core.grader_types import Sample, ScoreError
from whatnext_service.core.templates import render, template_fault, template_fields

ITEM = {
    "answer": "Paris",
    "n": 3,
    "share": 0.5,
    "ok": True,
    "none": None,
    "nested": {"list": [{"name": "x"}, "y"], "a-b": "dash"},
}
SAMPLE = Sample(
    output_text='{"city": "Paris", "parts": [1, 2]}',
    output_tools=[{"function": {"name": "find", "arguments": "{}"}}],
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{item.answer}}", "Paris"),
        ("{{ item.answer }}!", "Paris!"),
        ("{{item.n}} {{item.share}} {{item.ok}}", "3 0.5 true"),
        ("{{item.nested.list[0].name}}", "x"),
        ("{{item.nested.list[1]}}", "y"),
        ("{{item.nested.a-b}}{{item['answer']}}{{item[\"n\"]}}", "dashParis3"),
        ("{{item.nested.list}}", '[{"name":"x"},"y"]'),
        ("{{sample.output_json.city}} {{sample.output_json.parts[1]}}", "Paris 2"),
        ("{{sample.output_tools[0].function.name}}", "find"),
        ("no slot {item.answer} {{}} \\frac{{1}}{2}", "no slot {item.answer} {{}} \\frac{{1}}{2}"),
    ],
)
def test_rendering(template: str, text: str) -> None:
    assert template_fault(template) is None
    assert render(template, ITEM, SAMPLE) == text


@pytest.mark.parametrize("path", ["missing", "none", "answer.x", "nested.list[9]", "nested[0]", "n[0]"])
def test_a_value_that_is_not_there_is_a_typed_error(path: str) -> None:
    outcome = render(f"{{{{item.{path}}}}}", ITEM, SAMPLE)
    assert isinstance(outcome, ScoreError)
    assert outcome.fault == "invalid_variable_error"


@pytest.mark.parametrize("text", ["not json", "{'a': 1}", '{"a": NaN}', "[" * 5000])
def test_output_that_is_not_json_is_a_sample_error(text: str) -> None:
    outcome = render("{{sample.output_json.a}}", ITEM, Sample(output_text=text))
    assert isinstance(outcome, ScoreError)
    assert outcome.fault == "sample_parse_error"


@pytest.mark.parametrize(
    "template",
    [
        "{{answer}}",
        "{{item}}",
        "{{sample}}",
        "{{sample.secret}}",
        "{{other.x}}",
        "{{item.a.__class__()}}",
        "{{item..a}}",
    ],
)
def test_a_slot_that_can_never_be_filled_is_a_fault(template: str) -> None:
    assert template_fault(template) is not None
    assert isinstance(render(template, ITEM, SAMPLE), ScoreError)


@given(st.text(max_size=80))
def test_a_value_is_inserted_as_it_is(value: str) -> None:
    sample = Sample(output_text=value)
    assert render("<{{item.a}}|{{sample.output_text}}>", {"a": value}, sample) == f"<{value}|{value}>"


@given(st.text(alphabet="{}item.sample_output_text[]0 ", max_size=60))
def test_a_value_that_looks_like_a_template_is_not_filled(value: str) -> None:
    assert render("{{sample.output_text}}", {"secret": "x"}, Sample(output_text=value)) == value


def test_python_attributes_are_out_of_reach() -> None:
    assert isinstance(render("{{item.answer.__class__}}", ITEM, SAMPLE), ScoreError)
    assert isinstance(render("{{item.__class__}}", ITEM, SAMPLE), ScoreError)


def test_fields_read_are_named() -> None:
    template = "{{item.a}} {{ item.b.c[0] }} {{sample.output_text}}"
    assert template_fields(template) == {"a", "b"}
