"""Graders as OpenAI writes them, and what a grader makes of one answer."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from whatnext_service.core.json_values import JsonValue

Text = Annotated[str, Meta(max_length=65_536)]
GraderName = Annotated[str, Meta(min_length=1, max_length=256)]
SimilarityMetric = Literal[
    "cosine",
    "fuzzy_match",
    "bleu",
    "gleu",
    "meteor",
    "rouge_1",
    "rouge_2",
    "rouge_3",
    "rouge_4",
    "rouge_5",
    "rouge_l",
]


class StringCheck(
    msgspec.Struct, kw_only=True, frozen=True, tag_field="type", tag="string_check", forbid_unknown_fields=True
):
    """1 when the input equals (`eq`), differs from (`ne`) or contains (`like`, `ilike` without case) the reference."""

    name: GraderName
    input: Text
    reference: Text
    operation: Literal["eq", "ne", "like", "ilike"]


class TextSimilarity(
    msgspec.Struct, kw_only=True, frozen=True, tag_field="type", tag="text_similarity", forbid_unknown_fields=True
):
    """How alike input and reference are, 0 to 1."""

    name: GraderName
    input: Text
    reference: Text
    evaluation_metric: SimilarityMetric
    pass_threshold: float | None = None
    embedding_model: GraderName | UnsetType = UNSET
    """`cosine`: the model whose vectors are compared. Not among OpenAI's fields; left out, it is the configured one."""


class TextPart(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A text block of a judge's message."""

    type: Literal["input_text", "output_text", "text"]
    text: Text


class JudgeTurn(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A message template for a judge."""

    role: Literal["user", "assistant", "system", "developer"]
    content: Text | TextPart | tuple[TextPart, ...]
    type: Literal["message"] | None = None


class JudgeSampling(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How the judge is sampled; null leaves a value to the platform."""

    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    seed: int | None = None
    max_completions_tokens: Annotated[int, Meta(ge=1)] | None = None
    """Spelt as OpenAI spells it in graders."""
    reasoning_effort: str | None = None


class ScoreModel(
    msgspec.Struct, kw_only=True, frozen=True, tag_field="type", tag="score_model", forbid_unknown_fields=True
):
    """A judge that gives a number in `range`."""

    name: GraderName
    model: GraderName
    input: Annotated[tuple[JudgeTurn, ...], Meta(min_length=1, max_length=64)]
    range: tuple[float, float] = (0.0, 1.0)
    sampling_params: JudgeSampling | None = None
    pass_threshold: float | None = None


class LabelModel(
    msgspec.Struct, kw_only=True, frozen=True, tag_field="type", tag="label_model", forbid_unknown_fields=True
):
    """A judge that chooses a label; 1 when it is a passing one."""

    name: GraderName
    model: GraderName
    input: Annotated[tuple[JudgeTurn, ...], Meta(min_length=1, max_length=64)]
    labels: Annotated[tuple[GraderName, ...], Meta(min_length=2, max_length=256)]
    passing_labels: Annotated[tuple[GraderName, ...], Meta(min_length=1)]
    sampling_params: JudgeSampling | None = None


class PythonCode(msgspec.Struct, kw_only=True, frozen=True, tag_field="type", tag="python", forbid_unknown_fields=True):
    """A grader's own program. It is passed on to a platform that offers to run it, never run here."""

    name: GraderName
    source: Annotated[str, Meta(min_length=1, max_length=262_144)]
    image_tag: str | None = None
    pass_threshold: float | None = None


PlainGrader = StringCheck | TextSimilarity | ScoreModel | LabelModel | PythonCode


class Multi(msgspec.Struct, kw_only=True, frozen=True, tag_field="type", tag="multi", forbid_unknown_fields=True):
    """Several graders joined by a formula over their names."""

    name: GraderName
    graders: Mapping[str, PlainGrader]
    calculate_output: Text


Grader = PlainGrader | Multi
ModelGrader = ScoreModel | LabelModel

ScoreFault = Literal[
    "formula_parse_error",
    "invalid_variable_error",
    "sample_parse_error",
    "model_grader_parse_error",
    "model_grader_refusal_error",
    "model_grader_server_error",
    "python_grader_not_run",
    "embedding_model_missing",
    "embedding_error",
    "out_of_range_error",
]
"""Why there is no score, in the words of OpenAI's grader errors where it has one."""


class Score(msgspec.Struct, kw_only=True, frozen=True):
    """What a grader gave, and the range it could have given."""

    value: float
    low: float
    high: float
    passed: bool | None = None
    """Whether it reached the grader's own pass threshold; null without one."""
    instructs_judge: bool = False
    """Whether the judge reports that the answer tries to influence its grading."""
    reasoning: str | None = None
    """The judge's own words; null for a grader that computes."""


class ScoreError(msgspec.Struct, kw_only=True, frozen=True):
    """Why there is no score. A missing score is never a zero (evidence 4)."""

    fault: ScoreFault
    detail: str


class JudgePart(msgspec.Struct, kw_only=True, frozen=True):
    """A judge that must be asked: the grader itself, or one inside a `multi`."""

    key: str
    """Its key in `multi.graders`; the grader's own name otherwise."""
    grader: ModelGrader


class EmbeddingPart(msgspec.Struct, kw_only=True, frozen=True):
    """Two texts whose vectors must be asked for."""

    key: str
    grader: TextSimilarity
    model: str
    texts: tuple[str, str]
    """Input and reference; neither is empty, and they differ."""


class NeedsModel(msgspec.Struct, kw_only=True, frozen=True):
    """The score cannot be computed here before these models have answered."""

    parts: tuple[JudgePart | EmbeddingPart, ...]


class Judged(msgspec.Struct, kw_only=True, frozen=True):
    """What a model's answer to the part of that key is worth."""

    key: str
    outcome: Score | ScoreError


class Sample(msgspec.Struct, kw_only=True, frozen=True):
    """A model's answer to one item: hostile input to whoever grades it (evidence 1)."""

    output_text: str
    output_tools: JsonValue = None
    """The tool calls it made, as the platform gave them; null when it made none."""
