"""Graders in OpenAI's JSON (method 4): read strictly, scored here as far as no model is asked."""

import json

import msgspec
import pytest
from msgspec import UNSET

from whatnext_service.core.grader_json import (
    fields_read,
    grader_bounds,
    not_run_here,
    parse_grader,
    with_embedding_model,
)
from whatnext_service.core.grader_types import EmbeddingPart, Judged, Multi, NeedsModel, Sample, Score, ScoreError
from whatnext_service.core.graders import grade_locally
from whatnext_service.core.text_similarity import cosine_score
from whatnext_service.errors import DomainError

CHECK = {
    "type": "string_check",
    "name": "exact",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}
ALIKE = {
    "type": "text_similarity",
    "name": "alike",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "evaluation_metric": "fuzzy_match",
}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4.1-mini",
    "range": [1, 10],
    "input": [{"role": "user", "content": "Grade {{sample.output_text}}"}],
}
LABEL = {
    "type": "label_model",
    "name": "tone",
    "model": "gpt-4.1-mini",
    "input": [{"role": "user", "content": [{"type": "input_text", "text": "{{sample.output_text}}"}]}],
    "labels": ["polite", "rude"],
    "passing_labels": ["polite"],
}
PYTHON = {"type": "python", "name": "code", "source": "def grade(sample, item): return 1.0"}
MULTI = {
    "type": "multi",
    "name": "both",
    "graders": {"exact": CHECK, "judge": JUDGE},
    "calculate_output": "0.5 * exact + 0.5 * (judge - 1) / 9",
}
ITEM = {"answer": "Paris"}


def grader(document: object, **changes: object):
    return parse_grader(json.dumps({**document, **changes}).encode())


def grade(document: object, output: str, *judged: Judged, **changes: object):
    return grade_locally(grader(document, **changes), ITEM, Sample(output_text=output), judged)


@pytest.mark.parametrize("document", [CHECK, ALIKE, JUDGE, LABEL, PYTHON, MULTI])
def test_every_kind_is_read(document: dict[str, object]) -> None:
    assert grader(document).name == document["name"]


@pytest.mark.parametrize(
    ("operation", "output", "value"),
    [
        ("eq", "Paris", 1.0),
        ("eq", "paris", 0.0),
        ("eq", "Paris.", 0.0),
        ("ne", "Paris", 0.0),
        ("ne", "London", 1.0),
        ("like", "It is Paris.", 1.0),
        ("like", "It is PARIS.", 0.0),
        ("ilike", "It is PARIS.", 1.0),
        ("ilike", "It is London.", 0.0),
        ("eq", "", 0.0),
    ],
)
def test_string_check(operation: str, output: str, value: float) -> None:
    outcome = grade(CHECK, output, operation=operation)
    assert isinstance(outcome, Score)
    assert (outcome.value, outcome.passed) == (value, value == 1.0)


@pytest.mark.parametrize(("threshold", "passed"), [(None, None), (0.9, False), (0.5, True)])
def test_text_similarity_with_its_threshold(threshold: float | None, passed: bool | None) -> None:
    outcome = grade(ALIKE, "Pariss!", pass_threshold=threshold)
    assert isinstance(outcome, Score)
    assert outcome.value == pytest.approx(10 / 12)
    assert outcome.passed is passed


@pytest.mark.parametrize(
    ("document", "changes", "fault"),
    [
        (PYTHON, {}, "python_grader_not_run"),
        (CHECK, {"reference": "{{item.absent}}"}, "invalid_variable_error"),
        (ALIKE, {"input": "{{item.absent}}"}, "invalid_variable_error"),
        (CHECK, {"input": "{{sample.output_json.city}}"}, "sample_parse_error"),
    ],
)
def test_every_missing_score_has_a_typed_reason(document: object, changes: dict[str, object], fault: str) -> None:
    outcome = grade(document, "Paris", **changes)
    assert isinstance(outcome, ScoreError)
    assert outcome.fault == fault


COSINE: dict[str, object] = {**ALIKE, "evaluation_metric": "cosine", "embedding_model": "vectors"}


def test_cosine_waits_for_the_vectors_of_both_texts() -> None:
    waiting = grade(COSINE, "The French capital", pass_threshold=0.5)
    assert isinstance(waiting, NeedsModel)
    (part,) = waiting.parts
    assert isinstance(part, EmbeddingPart)
    assert (part.model, part.texts) == ("vectors", ("The French capital", "Paris"))
    scored = cosine_score(part.grader, ((1.0, 1.0), (1.0, 0.0)))
    assert isinstance(scored, Score)
    assert (scored.value, scored.passed) == (pytest.approx(0.70710678), True)
    assert grade(COSINE, "The French capital", Judged(key=part.key, outcome=scored)) == scored


@pytest.mark.parametrize(("output", "value"), [("Paris", 1.0), ("", 0.0), ("  ", 0.0), (" Paris ", 1.0)])
def test_equal_and_empty_texts_need_no_vectors(output: str, value: float) -> None:
    outcome = grade(COSINE, output)
    if output == " Paris ":
        assert isinstance(outcome, NeedsModel)
    else:
        assert isinstance(outcome, Score)
        assert outcome.value == value


def test_cosine_without_a_model_is_no_score() -> None:
    outcome = grade({**ALIKE, "evaluation_metric": "cosine"}, "The French capital")
    assert isinstance(outcome, ScoreError)
    assert outcome.fault == "embedding_model_missing"


def test_the_configured_embedding_model_is_written_in_where_none_is_named() -> None:
    bare: dict[str, object] = {**ALIKE, "evaluation_metric": "cosine"}
    both = {"type": "multi", "name": "m", "graders": {"a": bare, "b": COSINE, "c": ALIKE}, "calculate_output": "a*b*c"}
    named = with_embedding_model(grader(both), "configured")
    assert isinstance(named, Multi)
    models = {key: getattr(part, "embedding_model", None) for key, part in named.graders.items()}
    assert models == {"a": "configured", "b": "vectors", "c": UNSET}
    assert msgspec.to_builtins(grader(ALIKE)) == msgspec.to_builtins(with_embedding_model(grader(ALIKE), "configured"))
    assert "embedding_model" not in msgspec.to_builtins(grader(ALIKE))
    assert with_embedding_model(grader(bare), None) == grader(bare)


@pytest.mark.parametrize("document", [JUDGE, LABEL])
def test_a_model_grader_waits_for_its_judge(document: dict[str, object]) -> None:
    waiting = grade(document, "Paris")
    assert isinstance(waiting, NeedsModel)
    (part,) = waiting.parts
    answered = Score(value=1.0, low=0.0, high=1.0)
    assert grade(document, "Paris", Judged(key=part.key, outcome=answered)) == answered


def test_multi_joins_its_parts_by_the_formula() -> None:
    waiting = grade(MULTI, "Paris")
    assert isinstance(waiting, NeedsModel)
    assert [part.key for part in waiting.parts] == ["judge"]
    done = grade(MULTI, "Paris", Judged(key="judge", outcome=Score(value=5.5, low=1.0, high=10.0)))
    assert isinstance(done, Score)
    assert (done.value, done.low, done.high) == (pytest.approx(0.75), pytest.approx(0.0), pytest.approx(1.0))


def test_multi_with_a_failed_part_has_no_score_and_asks_no_judge() -> None:
    broken = {**MULTI, "graders": {"judge": JUDGE, "exact": {**CHECK, "reference": "{{item.absent}}"}}}
    outcome = grade(broken, "Paris")
    assert isinstance(outcome, ScoreError)
    assert outcome.fault == "invalid_variable_error"


def test_multi_passes_a_judges_error_on() -> None:
    refused = ScoreError(fault="model_grader_refusal_error", detail="no")
    outcome = grade(MULTI, "Paris", Judged(key="judge", outcome=refused))
    assert isinstance(outcome, ScoreError)
    assert outcome.fault == "model_grader_refusal_error"


def test_multi_reports_that_an_answer_instructs_its_judge() -> None:
    told = Score(value=10.0, low=1.0, high=10.0, instructs_judge=True)
    outcome = grade(MULTI, "Paris", Judged(key="judge", outcome=told))
    assert isinstance(outcome, Score)
    assert outcome.instructs_judge


@pytest.mark.parametrize(
    ("formula", "fault"),
    [("1 / (exact - 1)", "formula_parse_error"), ("5 / (exact + exact - 1)", "out_of_range_error")],
)
def test_multi_whose_formula_has_no_value_has_no_score(formula: str, fault: str) -> None:
    outcome = grade(MULTI, "Paris", graders={"exact": CHECK}, calculate_output=formula)
    assert isinstance(outcome, ScoreError)
    assert outcome.fault == fault


@pytest.mark.parametrize(
    ("document", "bounds"),
    [
        (CHECK, (0.0, 1.0)),
        (JUDGE, (1.0, 10.0)),
        ({**MULTI, "calculate_output": "(judge + 10 * exact) / 2"}, (0.5, 10.0)),
        ({**MULTI, "calculate_output": "judge / exact"}, (0.0, 1.0)),
    ],
)
def test_bounds(document: object, bounds: tuple[float, float]) -> None:
    assert grader_bounds(grader(document)) == pytest.approx(bounds)


@pytest.mark.parametrize(
    ("document", "changes", "pointer"),
    [
        (CHECK, {"type": "regex"}, "/type"),
        (CHECK, {"operation": "equals"}, "/operation"),
        (CHECK, {"operation": None}, "/operation"),
        (CHECK, {"extra": 1}, ""),
        (CHECK, {"input": "{{output}}"}, "/input"),
        (CHECK, {"reference": "{{sample.answer}}"}, "/reference"),
        (ALIKE, {"evaluation_metric": "rouge_9"}, "/evaluation_metric"),
        (JUDGE, {"range": [10, 1]}, "/range"),
        (JUDGE, {"range": [1]}, "/range"),
        (JUDGE, {"input": []}, "/input"),
        (JUDGE, {"input": [{"role": "tool", "content": "x"}]}, "/input/0/role"),
        (JUDGE, {"input": [{"role": "user", "content": "{{x}}"}]}, "/input/0/content"),
        (JUDGE, {"sampling_params": {"temperature": 3}}, "/sampling_params/temperature"),
        (LABEL, {"passing_labels": ["kind"]}, "/passing_labels/0"),
        (LABEL, {"labels": ["polite", "polite"]}, "/labels"),
        (
            LABEL,
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": "{{y}}"}]}]},
            "/input/0/content/0/text",
        ),
        (PYTHON, {"source": ""}, "/source"),
        (PYTHON, {"source": "  "}, "/source"),
        (MULTI, {"calculate_output": "exact + other"}, "/calculate_output"),
        (MULTI, {"calculate_output": "__import__('os')"}, "/calculate_output"),
        (MULTI, {"graders": {}}, "/graders"),
        (MULTI, {"graders": {"a b": CHECK}, "calculate_output": "1"}, "/graders/a b"),
        (MULTI, {"graders": {"min": CHECK}, "calculate_output": "1"}, "/graders/min"),
        (MULTI, {"graders": {"a": {**CHECK, "operation": "is"}}}, "/graders/a/operation"),
        (MULTI, {"graders": {"a": MULTI}}, "/graders/a"),
        (MULTI, {"graders": {"a/b": {**CHECK, "input": 3}}}, "/graders/a~1b/input"),
    ],
)
def test_a_fault_is_refused_with_its_place(
    document: dict[str, object], changes: dict[str, object], pointer: str
) -> None:
    raw = json.dumps({**document, **changes}).encode()
    with pytest.raises(DomainError) as refusal:
        parse_grader(raw, "/graders/0/grader")
    assert refusal.value.code == "invalid_grader"
    assert "/graders/0/grader" + pointer in [error.pointer for error in refusal.value.errors]


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{}", b"{", b'"x"', b"\xff", b'{"type": 3}', b"[" * 10_000])
def test_what_is_no_grader_at_all_is_refused(raw: bytes) -> None:
    with pytest.raises(DomainError, match="invalid_grader"):
        parse_grader(raw)


@pytest.mark.parametrize(
    ("document", "has_judge", "refused"),
    [
        (CHECK, False, False),
        (JUDGE, True, False),
        (JUDGE, False, True),
        (MULTI, False, True),
        (PYTHON, True, True),
        ({**ALIKE, "evaluation_metric": "cosine"}, True, True),
        (COSINE, True, True),
    ],
)
def test_what_the_service_cannot_run_is_known_before_it_starts(
    document: object, has_judge: bool, refused: bool
) -> None:
    assert (not_run_here(grader(document), has_judge=has_judge) is not None) == refused


def test_fields_that_a_grader_reads() -> None:
    assert fields_read(grader(MULTI)) == {"answer"}
