"""Eval suites and evaluations on the wire."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from whatnext_service.contract.common import Body, Name, Reference, Resource, UtcTime
from whatnext_service.core.evaluations import EvaluationOrigin, EvaluationStatus, SubjectKind, SuiteRole


class Scale(Body, kw_only=True, frozen=True):
    """The range of the combined score."""

    min: float = 1.0
    max: float = 10.0


class Sampling(Body, kw_only=True, frozen=True):
    """How the model is sampled."""

    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.0
    max_completion_tokens: Annotated[int, Meta(ge=1, le=100_000)] = 512
    seed: int | None = None


class WeightedGrader(Body, kw_only=True, frozen=True):
    """One dimension of the combined score and the grader that scores it."""

    name: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
    weight: Annotated[float, Meta(gt=0, le=1000)] = 1.0
    grader: dict[str, Any]
    """A grader as OpenAI writes it: `string_check`, `text_similarity`, `score_model`, `label_model`, `multi`."""


class NewEvalSuite(Body, kw_only=True, frozen=True):
    """A suite to be created from a held-out dataset version."""

    loop_id: Reference
    name: Name
    role: SuiteRole = "selection"
    dataset_version_id: Reference
    graders: Annotated[tuple[WeightedGrader, ...], Meta(min_length=1, max_length=16)] | None = None
    """Null: a judge scoring correctness (0.7) and conciseness (0.3) from 1 to 10."""
    scale: Scale = Scale()
    sampling: Sampling = Sampling()


class EvalSuite(Resource, kw_only=True, frozen=True):
    """An immutable definition of an evaluation."""

    id: str
    loop_id: str
    name: str
    role: SuiteRole | str
    dataset_version_id: str | None
    graders: tuple[WeightedGrader, ...]
    scale: Scale
    sampling: Sampling
    fingerprint: str
    """SHA-256 over items, graders, judge and sampling: results compare only when it is equal."""
    n_items: int
    n_looks: int
    """Evaluations that have used it: each look weakens it a little."""
    created_at: UtcTime


class RegisteredItem(Body, kw_only=True, frozen=True):
    """One item's outcome as measured elsewhere."""

    index: Annotated[int, Meta(ge=0, le=10_000_000)]
    """The item's place in the suite, from 0."""
    score: float | None
    """On the suite's scale; null where there is none. A missing score is never a zero."""
    output: Annotated[str, Meta(max_length=100_000)] | None = None
    completion_tokens: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None


class NewEvaluation(Body, kw_only=True, frozen=True):
    """An evaluation to be run by the service, or, with `items`, registered from outside."""

    loop_id: Reference
    suite_id: Reference
    subject: SubjectKind
    base_model: Annotated[str, Meta(max_length=256)] | None = None
    run_id: Reference | None = None
    checkpoint_id: Reference | None = None
    provider: Annotated[str, Meta(pattern="^[a-z]{1,32}$")] | None = None
    """Where a base model is served; null: the service's default provider."""
    recommendation_id: Reference | None = None
    items: Annotated[tuple[RegisteredItem, ...], Meta(min_length=1, max_length=100_000)] | None = None


class DimensionScore(Resource, kw_only=True, frozen=True):
    """One graded dimension."""

    name: str
    weight: float
    mean: float | None
    n_scored: int


class Evaluation(Resource, kw_only=True, frozen=True):
    """A suite's result on a base model, a run or a checkpoint."""

    id: str
    loop_id: str
    suite_id: str
    fingerprint: str
    subject: SubjectKind | str
    base_model: str | None
    run_id: str | None
    checkpoint_id: str | None
    origin: EvaluationOrigin | str
    provider: str | None
    model: str | None
    status: EvaluationStatus | str
    combined: float | None
    """Mean combined score over the scored items; null until there is one."""
    dimensions: tuple[DimensionScore, ...]
    n_items: int
    n_done: int
    n_scored: int
    prompt_tokens: int | None
    completion_tokens: int | None
    completion_tokens_mean: float | None
    recommendation_id: str | None
    failure: str | None
    version: int
    created_at: UtcTime
    started_at: UtcTime | None
    finished_at: UtcTime | None
    updated_at: UtcTime


class ItemError(msgspec.Struct, kw_only=True, frozen=True):
    """Why an item has no score."""

    code: str
    message: str


class EvaluationItem(Resource, kw_only=True, frozen=True):
    """One item of an evaluation: the answer, its scores, what it took."""

    index: int
    done: bool
    messages: tuple[dict[str, Any], ...]
    reference: str | None
    tags: tuple[str, ...]
    output: str | None
    finish_reason: str | None
    combined: float | None
    scores: dict[str, float | None]
    prompt_tokens: int | None
    completion_tokens: int | None
    latency_s: float | None
    error: ItemError | None


class EvaluationSummary(Resource, kw_only=True, frozen=True):
    """An evaluation in one line."""

    id: str
    combined: float | None
    n_scored: int
