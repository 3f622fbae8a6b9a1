"""Scoring one answer with one grader, as far as no model has to be asked."""

from typing import assert_never

from whatnext_service.core.formula import FormulaError, evaluate_formula
from whatnext_service.core.grader_json import grader_bounds
from whatnext_service.core.grader_types import (
    Grader,
    Judged,
    JudgePart,
    LabelModel,
    Multi,
    NeedsJudge,
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
from whatnext_service.core.text_similarity import text_similarity


def grade_locally(
    grader: Grader, item: JsonObject, sample: Sample, judged: tuple[Judged, ...] = ()
) -> Score | NeedsJudge | ScoreError:
    """Score an answer; `NeedsJudge` names the judges to ask first, whose answers come back as `judged`.

    A `multi` whose computed part fails is an error at once: no judge is paid for it.
    """
    if not isinstance(grader, Multi):
        return _grade_part(grader.name, grader, item, sample, judged)
    values: dict[str, float] = {}
    waiting: list[JudgePart] = []
    instructs_judge = False
    for key, part in grader.graders.items():
        outcome = _grade_part(key, part, item, sample, judged)
        match outcome:
            case Score():
                values[key] = outcome.value
                instructs_judge = instructs_judge or outcome.instructs_judge
            case NeedsJudge():
                waiting += outcome.parts
            case ScoreError():
                return ScoreError(fault=outcome.fault, detail=f"{key}: {outcome.detail}")
    if waiting:
        return NeedsJudge(parts=tuple(waiting))
    return _joined(grader, values, instructs_judge)


def _grade_part(
    key: str, grader: PlainGrader, item: JsonObject, sample: Sample, judged: tuple[Judged, ...]
) -> Score | NeedsJudge | ScoreError:
    match grader:
        case StringCheck():
            return _compare(grader, item, sample)
        case TextSimilarity():
            return _measure(grader, item, sample)
        case PythonCode():
            return ScoreError(fault="python_grader_not_run", detail="a python grader is never run by the service")
        case ScoreModel() | LabelModel():
            for one in judged:
                if one.key == key:
                    return one.outcome
            return NeedsJudge(parts=(JudgePart(key=key, grader=grader),))
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


def _measure(grader: TextSimilarity, item: JsonObject, sample: Sample) -> Score | ScoreError:
    if grader.evaluation_metric == "cosine":
        return ScoreError(fault="embedding_model_missing", detail="cosine similarity needs an embedding model")
    text, reference = render(grader.input, item, sample), render(grader.reference, item, sample)
    if isinstance(text, ScoreError):
        return text
    if isinstance(reference, ScoreError):
        return reference
    value = text_similarity(text, reference, grader.evaluation_metric)
    passed = None if grader.pass_threshold is None else value >= grader.pass_threshold
    return Score(value=value, low=0.0, high=1.0, passed=passed)


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
