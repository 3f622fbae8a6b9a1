"""Reading a grader from JSON: strict, and every fault with a pointer to it."""

import math
import re
from collections.abc import Iterator

import msgspec
from msgspec import UNSET

from whatnext_service.core.formula import FUNCTIONS, Bounds, FormulaError, check_formula, formula_bounds
from whatnext_service.core.grader_types import (
    Grader,
    GraderName,
    JudgeTurn,
    LabelModel,
    Multi,
    PlainGrader,
    PythonCode,
    ScoreModel,
    StringCheck,
    Text,
    TextSimilarity,
)
from whatnext_service.core.templates import template_fault, template_fields
from whatnext_service.errors import DomainError, FieldError

KINDS = ("string_check", "text_similarity", "score_model", "label_model", "python", "multi")
MAX_PARTS = 16
"""Graders that one `multi` may join."""

_PLACE = re.compile(r" - at `\$?([^`]*)`$")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


class _Kind(msgspec.Struct):
    type: str


class _MultiJson(msgspec.Struct, kw_only=True, tag_field="type", tag="multi", forbid_unknown_fields=True):
    name: GraderName
    graders: dict[str, msgspec.Raw]
    calculate_output: Text


def parse_grader(raw: bytes, pointer: str = "") -> Grader:
    """Read one grader; raises `DomainError("invalid_grader")` with pointers below `pointer`."""
    faults: list[FieldError] = []
    grader = _decode(raw, pointer, faults)
    if grader is not None:
        faults += [FieldError(pointer=pointer + place, message=message) for place, message in _faults(grader)]
    if grader is None or faults:
        raise DomainError("invalid_grader", faults[0].message, errors=tuple(faults))
    return grader


def with_embedding_model(grader: Grader, model: str | None) -> Grader:
    """The grader with the configured embedding model written into it wherever it names none: the instrument is then
    fixed, whatever is configured later."""
    match grader:
        case Multi():
            parts = {key: _with_embedding_model(part, model) for key, part in grader.graders.items()}
            return msgspec.structs.replace(grader, graders=parts)
        case _:
            return _with_embedding_model(grader, model)


def _with_embedding_model(grader: PlainGrader, model: str | None) -> PlainGrader:
    match grader:
        case TextSimilarity(evaluation_metric="cosine") if grader.embedding_model is UNSET and model is not None:
            return msgspec.structs.replace(grader, embedding_model=model)
        case _:
            return grader


def not_run_here(grader: Grader, *, has_judge: bool, has_embeddings: bool = False) -> str | None:
    """Why the service cannot score with this grader; null when it can.

    Code of a `python` grader runs at a platform that offers it, never in the service (evidence 4).
    """
    parts = grader.graders.values() if isinstance(grader, Multi) else (grader,)
    for part in parts:
        match part:
            case PythonCode():
                return "a python grader runs only at a training platform that offers it"
            case TextSimilarity(evaluation_metric="cosine") if not has_embeddings:
                return "cosine similarity needs an embedding model, and none is configured (WHATNEXT_EMBEDDING_MODEL)"
            case ScoreModel() | LabelModel() if not has_judge:
                return "a grader that asks a model needs a judge, and none is configured"
            case _:
                pass
    return None


def grader_bounds(grader: Grader) -> Bounds:
    """The range of a grader's score: as stated, 0 to 1 for checks, and by interval arithmetic for a formula.

    A formula without finite bounds counts as 0 to 1, which is what OpenAI's graders return.
    """
    match grader:
        case ScoreModel():
            return grader.range
        case Multi():
            bounds = {key: grader_bounds(part) for key, part in grader.graders.items()}
            low, high = formula_bounds(grader.calculate_output, bounds) or (0.0, 1.0)
            return (low, high) if low < high else (0.0, 1.0)
        case _:
            return 0.0, 1.0


def fields_read(grader: Grader) -> frozenset[str]:
    """The item fields that a grader's templates name."""
    parts = grader.graders.values() if isinstance(grader, Multi) else (grader,)
    return frozenset(name for part in parts for _, text in templates_of(part) for name in template_fields(text))


def templates_of(grader: PlainGrader) -> Iterator[tuple[str, str]]:
    """Every template of a grader with its pointer."""
    match grader:
        case StringCheck() | TextSimilarity():
            yield "/input", grader.input
            yield "/reference", grader.reference
        case ScoreModel() | LabelModel():
            for index, turn in enumerate(grader.input):
                for place, text in turn_texts(turn):
                    yield f"/input/{index}/content{place}", text
        case PythonCode():
            pass


def turn_texts(turn: JudgeTurn) -> Iterator[tuple[str, str]]:
    """The texts of a judge's message with their pointers below `content`."""
    if isinstance(turn.content, str):
        yield "", turn.content
    elif isinstance(turn.content, tuple):
        for index, part in enumerate(turn.content):
            yield f"/{index}/text", part.text
    else:
        yield "/text", turn.content.text


def _decode(raw: bytes, pointer: str, faults: list[FieldError]) -> Grader | None:
    try:
        kind = msgspec.json.decode(raw, type=_Kind).type
        if kind not in KINDS:
            faults.append(FieldError(pointer=f"{pointer}/type", message=f"type is one of {', '.join(KINDS)}"))
            return None
        if kind != "multi":
            plain: PlainGrader = msgspec.json.decode(raw, type=PlainGrader)
            return plain
        wire = msgspec.json.decode(raw, type=_MultiJson)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        message, place = _located(str(error))
        faults.append(FieldError(pointer=pointer + place, message=message))
        return None
    parts: dict[str, PlainGrader] = {}
    for key, part_raw in wire.graders.items():
        place = f"{pointer}/graders/{_escaped(key)}"
        part = _decode(bytes(part_raw), place, faults)
        if isinstance(part, Multi):
            faults.append(FieldError(pointer=place, message="a multi grader holds no other multi grader"))
        elif part is not None:
            parts[key] = part
    if len(parts) < len(wire.graders):
        return None
    return Multi(name=wire.name, graders=parts, calculate_output=wire.calculate_output)


def _faults(grader: Grader) -> Iterator[tuple[str, str]]:
    if not isinstance(grader, Multi):
        yield from _plain_faults(grader)
        return
    if not 1 <= len(grader.graders) <= MAX_PARTS:
        yield "/graders", f"a multi grader joins 1 to {MAX_PARTS} graders"
        return
    for key, part in grader.graders.items():
        place = f"/graders/{_escaped(key)}"
        if not key.isidentifier() or key in FUNCTIONS:
            yield place, f"{key!r} cannot stand in a formula: letters, digits and _ only, and no function's name"
        for below, message in _plain_faults(part):
            yield place + below, message
    try:
        check_formula(grader.calculate_output, frozenset(grader.graders))
    except FormulaError as error:
        yield "/calculate_output", str(error)


def _plain_faults(grader: PlainGrader) -> Iterator[tuple[str, str]]:
    for place, template in templates_of(grader):
        fault = template_fault(template)
        if fault is not None:
            yield place, fault
    match grader:
        case ScoreModel():
            low, high = grader.range
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                yield "/range", "the range is two numbers, the lower one first"
        case LabelModel():
            if len(set(grader.labels)) < len(grader.labels):
                yield "/labels", "a label is named twice"
            for index, label in enumerate(grader.passing_labels):
                if label not in grader.labels:
                    yield f"/passing_labels/{index}", f"{label!r} is not among the labels"
        case TextSimilarity() if grader.embedding_model is not UNSET and grader.evaluation_metric != "cosine":
            yield "/embedding_model", "goes with the metric cosine only"
        case PythonCode():
            if not grader.source.strip():
                yield "/source", "the program is empty"
        case _:
            pass


def _located(message: str) -> tuple[str, str]:
    """Take the place off msgspec's message, as a JSON pointer."""
    match = _PLACE.search(message)
    if match is None:
        return message, ""
    steps = (_escaped(name or index) for name, index in _STEP.findall(match[1]))
    return message[: match.start()], "".join(f"/{step}" for step in steps)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
