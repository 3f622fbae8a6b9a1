"""Scoring one answer with one grader, as far as no model has to be asked."""

from typing import assert_never

from msgspec import UNSET

from whatnext_service.core.formula import FormulaError, evaluate_formula
from whatnext_service.core.grader_json import grader_bounds
from whatnext_service.core.grader_types import (
    EmbeddingPart,
    Grader,
    Judged,
    JudgePart,
    LabelModel,
    Multi,
    NeedsModel,
    PlainGrader,
    PythonCode,
    Sample,
    Score,
    ScoreError,
    ScoreModel,
    StringCheck,
    TextSimilarity,
)
from whatnext_service.core.json_values import JsonObject
from whatnext_service.core.templates import render
from whatnext_service.core.text_similarity import similarity_score, text_similarity


def grade_locally(
    grader: Grader, item: JsonObject, sample: Sample, judged: tuple[Judged, ...] = ()
) -> Score | NeedsModel | ScoreError:
    """Score an answer; `NeedsModel` names the models to ask first, whose answers come back as `judged`.

    A `multi` whose computed part fails is an error at once: no model is paid for it.
    """
    if not isinstance(grader, Multi):
        return _grade_part(grader.name, grader, item, sample, judged)
    values: dict[str, float] = {}
    waiting: list[JudgePart | EmbeddingPart] = []
    instructs_judge = False
    for key, part in grader.graders.items():
        outcome = _grade_part(key, part, item, sample, judged)
        match outcome:
            case Score():
                values[key] = outcome.value
                instructs_judge = instructs_judge or outcome.instructs_judge
            case NeedsModel():
                waiting += outcome.parts
            case ScoreError():
                return ScoreError(fault=outcome.fault, detail=f"{key}: {outcome.detail}")
    if waiting:
        return NeedsModel(parts=tuple(waiting))
    return _joined(grader, values, instructs_judge)


def _grade_part(
    key: str, grader: PlainGrader, item: JsonObject, sample: Sample, judged: tuple[Judged, ...]
) -> Score | NeedsModel | ScoreError:
    for one in judged:
        if one.key == key:
            return one.outcome
    match grader:
        case StringCheck():
            return _compare(grader, item, sample)
        case TextSimilarity():
            return _measure(key, grader, item, sample)
        case PythonCode():
            return ScoreError(fault="python_grader_not_run", detail="a python grader is never run by the service")
        case ScoreModel() | LabelModel():
            return NeedsModel(parts=(JudgePart(key=key, grader=grader),))
        case _:
            assert_never(grader)


def _compare(grader: StringCheck, item: JsonObject, sample: Sample) -> Score | ScoreError:
    text, reference = render(grader.input, item, sample), render(grader.reference, item, sample)
    if isinstance(text, ScoreError):
        return text
    if isinstance(reference, ScoreError):
        return reference
    match grader.operation:
        case "eq":
            holds = text == reference
        case "ne":
            holds = text != reference
        case "like":
            holds = reference in text
        case "ilike":
            holds = reference.casefold() in text.casefold()
        case _:
            assert_never(grader.operation)
    return Score(value=float(holds), low=0.0, high=1.0, passed=holds)


def _measure(key: str, grader: TextSimilarity, item: JsonObject, sample: Sample) -> Score | NeedsModel | ScoreError:
    text, reference = render(grader.input, item, sample), render(grader.reference, item, sample)
    if isinstance(text, ScoreError):
        return text
    if isinstance(reference, ScoreError):
        return reference
    if grader.evaluation_metric != "cosine":
        return similarity_score(grader, text_similarity(text, reference, grader.evaluation_metric))
    if text == reference or not text.strip() or not reference.strip():
        return similarity_score(grader, float(text.strip() == reference.strip()))
    if grader.embedding_model is UNSET:
        return ScoreError(fault="embedding_model_missing", detail="cosine similarity needs an embedding model")
    part = EmbeddingPart(key=key, grader=grader, model=grader.embedding_model, texts=(text, reference))
    return NeedsModel(parts=(part,))


def _joined(grader: Multi, values: dict[str, float], instructs_judge: bool) -> Score | ScoreError:
    low, high = grader_bounds(grader)
    try:
        value = evaluate_formula(grader.calculate_output, values)
    except FormulaError as error:
        return ScoreError(fault="formula_parse_error", detail=str(error))
    if not low - 1e-9 <= value <= high + 1e-9:
        detail = f"{value:g} lies outside {low:g} to {high:g}"
        return ScoreError(fault="out_of_range_error", detail=detail)
    return Score(value=min(high, max(low, value)), low=low, high=high, instructs_judge=instructs_judge)
