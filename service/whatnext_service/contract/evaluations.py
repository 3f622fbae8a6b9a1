"""Eval suites and evaluations on the wire."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from whatnext_service.contract.common import Body, Name, Reference, Resource, UtcTime
from whatnext_service.core.early_end import EndedEarly
from whatnext_service.core.evaluations import EvaluationOrigin, EvaluationStatus, SubjectKind, SuiteRole
from whatnext_service.core.judge_canaries import CanaryReading
from whatnext_service.core.noise_floor import RegradeNoise

Money = Annotated[str, Meta(pattern=r"^\d{1,12}(\.\d{1,6})?$")]


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
    """A grader as OpenAI writes it: `string_check`, `text_similarity`, `score_model`, `label_model`, `multi`. For the
    metric `cosine` it may name an `embedding_model`."""


class SuiteGuardrail(Body, kw_only=True, frozen=True):
    """A metric that a better model must not pay with."""

    name: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
    """A grader of the suite by its name, or `completion_tokens` or `latency_s`, of which less is better."""
    tolerance: Annotated[float, Meta(ge=0)] = 0.0
    """How much may be lost: in points of the scale, in tokens, in seconds."""


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
    guardrails: Annotated[tuple[SuiteGuardrail, ...], Meta(max_length=16)] = ()


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
    judged: bool
    """Whether a grader asks a model."""
    guardrails: tuple[SuiteGuardrail, ...]
    canaries: CanaryReading | None
    """How the judge treated answers that only try to influence it; null until its first evaluation, or without one."""
    regrade_sd: float | None
    """What grading the same answer again changes: standard deviation of one item's score; null until measured."""
    regrade: RegradeNoise | None


class RegisteredItem(Body, kw_only=True, frozen=True):
    """One item's outcome as measured elsewhere."""

    index: Annotated[int, Meta(ge=0, le=10_000_000)]
    """The item's place in the suite, from 0."""
    score: float | None
    """On the suite's scale; null where there is none. A missing score is never a zero."""
    output: Annotated[str, Meta(max_length=100_000)] | None = None
    completion_tokens: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None


class NewTokenPrices(Body, kw_only=True, frozen=True):
    """Prices of a million tokens, in the currency of the loop's budget."""

    prompt: Money
    completion: Money
    judge_prompt: Money = "0"
    judge_completion: Money = "0"
    embedding: Money = "0"
    """Of the model behind `cosine`."""


class NewEvaluation(Body, kw_only=True, frozen=True):
    """An evaluation to be run by the service, or, with `items`, registered from outside."""

    loop_id: Reference
    suite_id: Reference
    subject: SubjectKind | None = None
    """Needed, but with `regrade_of`: then it is that evaluation's."""
    base_model: Annotated[str, Meta(max_length=256)] | None = None
    run_id: Reference | None = None
    checkpoint_id: Reference | None = None
    provider: Annotated[str, Meta(pattern="^[a-z]{1,32}$")] | None = None
    """Where a base model is served; null: the service's default provider."""
    recommendation_id: Reference | None = None
    items: Annotated[tuple[RegisteredItem, ...], Meta(min_length=1, max_length=100_000)] | None = None
    regrade_of: Reference | None = None
    """Grade the stored answers of this evaluation with the suite named, which must have the same items; no model under
    test is asked. With the same suite it measures the judge's own noise and drift."""
    indexes: Annotated[tuple[int, ...], Meta(min_length=1, max_length=10_000)] | None = None
    """With `regrade_of`: only these items, such as the anchors by which a judge's drift is watched."""
    n_gradings: Annotated[int, Meta(ge=1, le=10)] = 1
    """How often a judge grades each answer; the score is the mean, the spread is kept as `regrade_sd` of the suite."""
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000_000_000)] | None = None
    """Ends the evaluation once so many tokens were used, the judge's and those of vectors included."""
    max_cost: Money | None = None
    """Ends the evaluation once it has cost so much by `prices`."""
    prices: NewTokenPrices | None = None
    stop_if_hopeless_against: Reference | None = None
    """Ends the evaluation as soon as it is clear that the subject is worse than in this one."""


class DimensionScore(Resource, kw_only=True, frozen=True):
    """One graded dimension."""

    name: str
    weight: float
    mean: float | None
    n_scored: int


class ErrorCount(msgspec.Struct, kw_only=True, frozen=True):
    """How many items ended with an error."""

    code: str
    n: int


class Pause(msgspec.Struct, kw_only=True, frozen=True):
    """What is waited for before the next request is sent."""

    until: UtcTime
    reason: str


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
    instrument: str | None
    """What graded it, where that was not the suite: the outside tool and its scorer."""
    regrade_of: str | None
    n_gradings: int
    ended_early: EndedEarly | str | None
    """Why it ended before its last item; null when it did not."""
    max_tokens: int | None
    max_cost: Decimal | None
    prices: NewTokenPrices | None
    cost: Decimal | None
    """By `prices`; null without them."""
    judge_tokens: int
    embedding_tokens: int
    """For the vectors that `cosine` compares."""
    stop_if_hopeless_against: str | None
    errors: tuple[ErrorCount, ...]
    """Why items have no score, with counts."""
    pause: Pause | None
    """While a platform is to be left alone; null otherwise."""
    n_repeated: int
    """Items that were asked for more than once, because an answer was lost, a server was busy or a worker died."""


class Judgement(msgspec.Struct, kw_only=True, frozen=True):
    """What a judge said of one answer."""

    dimension: str
    score: float | None
    """On the suite's scale."""
    reasoning: str | None
    instructs_judge: bool
    """Whether the judge reports that the answer tries to influence its grading."""


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
    attempts: int
    """How often the model under test was asked."""
    tool_calls: list[Any] | None
    gradings: tuple[float, ...]
    """The combined score of each grading, where an answer was graded more than once."""
    judgements: tuple[Judgement, ...]
