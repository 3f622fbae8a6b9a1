# Generated from openapi.json; do not edit.
# ruff: noqa
"""What requests are made of, as plain dicts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict


class BudgetPatch(TypedDict):
    """Limits to change; what is absent stays, null lifts a limit."""

    currency: NotRequired[str]
    deadline: NotRequired[datetime | None]
    max_cost: NotRequired[str | None]
    max_runs: NotRequired[int | None]


class EffectivePatch(TypedDict):
    """What an external run really trained with, as far as it is known.

    What is absent stays as it was; in a new run it is null, which is "not known".
    """

    base_model_snapshot: NotRequired[str | None]
    batch_size: NotRequired[int | None]
    dataset_sha256: NotRequired[str | None]
    learning_rate_multiplier: NotRequired[float | None]
    n_epochs: NotRequired[int | None]
    n_examples: NotRequired[int | None]
    n_steps: NotRequired[int | None]
    seed: NotRequired[int | None]
    validation_sha256: NotRequired[str | None]


class HandGrade(TypedDict):
    """A person's score of one stored answer."""

    evaluation_id: str
    index: int
    score: float


class JudgePrices(TypedDict):
    """Prices of a million of the judge's tokens, in a currency of your own."""

    completion: str
    prompt: str


class Metric(TypedDict):
    """The primary metric of a loop: what "better" means, and on which scale."""

    direction: NotRequired[Literal["down", "up"]]
    name: NotRequired[str]
    scale_max: NotRequired[float]
    scale_min: NotRequired[float]


class NewBaseline(TypedDict):
    """Which evaluation of the untuned model everything is compared with."""

    evaluation_id: str


class NewBudget(TypedDict):
    """What a loop may spend; null means unlimited."""

    currency: NotRequired[str]
    deadline: NotRequired[datetime | None]
    max_cost: NotRequired[str | None]
    max_runs: NotRequired[int | None]


class NewCalibration(TypedDict):
    """Hand grades to check a suite's graders against."""

    dimension: NotRequired[str | None]
    grades: list[HandGrade]


class NewCheckpoint(TypedDict):
    """A checkpoint of an external run."""

    deployable: NotRequired[bool]
    epoch: NotRequired[int | None]
    final: NotRequired[bool]
    full_valid_loss: NotRequired[float | None]
    model: NotRequired[str | None]
    step: int
    train_loss: NotRequired[float | None]
    valid_loss: NotRequired[float | None]


class NewCleanup(TypedDict):
    """What is left over; only listed unless `dry_run` is false."""

    dry_run: NotRequired[bool]
    loop_id: NotRequired[str | None]


class NewDataset(TypedDict):
    """A dataset to be created; its versions are uploaded to it."""

    loop_id: NotRequired[str | None]
    name: str


class NewDecision(TypedDict):
    """What someone decided about a recommendation."""

    actor: NotRequired[str | None]
    reason: NotRequired[str | None]
    verdict: Literal["accepted", "declined"]


class NewDeployment(TypedDict):
    """A model to be shipped. Refused unless it is better than the baseline, or a reason is given."""

    checkpoint_id: NotRequired[str | None]
    loop_id: str
    override_reason: NotRequired[str | None]
    recommendation_id: NotRequired[str | None]
    run_id: str


class NewDiagnosis(TypedDict):
    """Ask what a run shows."""

    run_id: str


class NewKey(TypedDict):
    """An API key to be made for this workspace."""

    name: str
    scopes: NotRequired[list[Literal["admin", "read", "write"]]]


class NewMultiModel(TypedDict):
    """The same training through two or three base models."""

    base_models: NotRequired[list[str] | None]
    batch_size: NotRequired[int | None]
    dataset_version_id: str
    learning_rate_multiplier: NotRequired[float | None]
    method: NotRequired[Literal["dpo", "rft", "sft"]]
    n_epochs: NotRequired[int | None]
    provider: NotRequired[Literal["external", "openai", "sandbox"] | None]


class NewPoint(TypedDict):
    """Named values at a step. What is no number is sent as `"NaN"`, `"Infinity"` or `"-Infinity"`."""

    step: int
    values: dict[str, float | Literal["-Infinity", "Infinity", "NaN"]]


class NewRowJudging(TypedDict):
    """A judge to be asked about the rows of a version. It costs one request for each row and dimension."""

    dimensions: NotRequired[list[Literal["correctness", "quality", "relevance"]]]
    max_cost: NotRequired[str | None]
    max_tokens: NotRequired[int | None]
    model: NotRequired[str | None]
    n_rows: NotRequired[int]
    prices: NotRequired[JudgePrices | None]
    threshold: NotRequired[float]


class NewTokenPrices(TypedDict):
    """Prices of a million tokens, in the currency of the loop's budget."""

    completion: str
    judge_completion: NotRequired[str]
    judge_prompt: NotRequired[str]
    prompt: str


class NewWebhookEndpoint(TypedDict):
    """An endpoint that is told of events."""

    description: NotRequired[str | None]
    event_types: NotRequired[list[str] | None]
    url: str


class Overrides(TypedDict):
    """What a run changes against its parent: exactly one field, or `seed` alone for a repeat."""

    base_model: NotRequired[str | None]
    batch_size: NotRequired[int | None]
    beta: NotRequired[float | None]
    compute_multiplier: NotRequired[float | None]
    dataset_version_id: NotRequired[str | None]
    eval_interval: NotRequired[int | None]
    eval_samples: NotRequired[int | None]
    grader: NotRequired[str | None]
    l2_multiplier: NotRequired[float | None]
    learning_rate_multiplier: NotRequired[float | None]
    method: NotRequired[Literal["dpo", "rft", "sft"] | None]
    n_epochs: NotRequired[int | None]
    reasoning_effort: NotRequired[Literal["high", "low", "medium"] | None]
    seed: NotRequired[int | None]


class Range(TypedDict):
    """An inclusive range of allowed values."""

    max: float
    min: float


class RegisteredItem(TypedDict):
    """One item's outcome as measured elsewhere."""

    completion_tokens: NotRequired[int | None]
    index: int
    output: NotRequired[str | None]
    score: float | None


class Rules(TypedDict):
    """When a loop is good enough or not worth going on (method, section 7)."""

    min_gain: NotRequired[float]
    min_margin_pct: NotRequired[float]
    patience: NotRequired[int]
    target: NotRequired[float | None]


class RulesPatch(TypedDict):
    """Rules to change; what is absent stays."""

    min_gain: NotRequired[float]
    min_margin_pct: NotRequired[float]
    patience: NotRequired[int]
    target: NotRequired[float | None]


class RunConfig(TypedDict):
    """What was asked for. Null leaves a value to the provider ("auto")."""

    base_model: str
    batch_size: NotRequired[int | None]
    beta: NotRequired[float | None]
    compute_multiplier: NotRequired[float | None]
    dataset_version_id: str
    eval_interval: NotRequired[int | None]
    eval_samples: NotRequired[int | None]
    grader: NotRequired[str | None]
    l2_multiplier: NotRequired[float | None]
    learning_rate_multiplier: NotRequired[float | None]
    method: NotRequired[Literal["dpo", "rft", "sft"]]
    n_epochs: NotRequired[int | None]
    reasoning_effort: NotRequired[Literal["high", "low", "medium"] | None]
    seed: NotRequired[int | None]


class RunPatch(TypedDict):
    """Changes to a run. Only an external run's status, failure, cost and effective values may be reported."""

    cost: NotRequired[str | None]
    effective: NotRequired[EffectivePatch | None]
    failure: NotRequired[str | None]
    note: NotRequired[str | None]
    status: NotRequired[Literal["cancelled", "failed", "paused", "queued", "running", "succeeded"]]


class Sampling(TypedDict):
    """How the model is sampled."""

    max_completion_tokens: NotRequired[int]
    seed: NotRequired[int | None]
    temperature: NotRequired[float]


class Scale(TypedDict):
    """The range of the combined score."""

    max: NotRequired[float]
    min: NotRequired[float]


class SplitPart(TypedDict):
    """One part of a split."""

    name: str
    share: float


class SuiteGuardrail(TypedDict):
    """A metric that a better model must not pay with."""

    name: str
    tolerance: NotRequired[float]


class WebhookEndpointPatch(TypedDict):
    """Changes to an endpoint; what is absent stays."""

    description: NotRequired[str | None]
    event_types: NotRequired[list[str] | None]
    status: NotRequired[Literal["disabled", "enabled"]]
    url: NotRequired[str]


class WeightedGrader(TypedDict):
    """One dimension of the combined score and the grader that scores it."""

    grader: dict[str, Any]
    name: str
    weight: NotRequired[float]


class Choices(TypedDict):
    """What advice may choose from; null leaves a variable to the model catalogue's and the method's range."""

    base_models: NotRequired[list[str] | None]
    batch_size: NotRequired[Range | None]
    learning_rate_multiplier: NotRequired[Range | None]
    methods: NotRequired[list[Literal["dpo", "rft", "sft"]] | None]
    n_epochs: NotRequired[Range | None]


class ChoicesPatch(TypedDict):
    """Choices to change; what is absent stays, null lifts a restriction."""

    base_models: NotRequired[list[str] | None]
    batch_size: NotRequired[Range | None]
    learning_rate_multiplier: NotRequired[Range | None]
    methods: NotRequired[list[Literal["dpo", "rft", "sft"]] | None]
    n_epochs: NotRequired[Range | None]


class DatasetOperation(TypedDict):
    """One operation that makes a new version; each kind reads its own fields."""

    answer_field: NotRequired[str]
    examples: NotRequired[list[dict[str, Any]] | None]
    ids: NotRequired[list[str] | None]
    kind: Literal[
        "add_examples",
        "convert",
        "drop_contradictions",
        "drop_duplicates",
        "drop_ids",
        "fix_contradictions",
        "keep_by_score",
        "split",
    ]
    lines: NotRequired[list[int] | None]
    method: NotRequired[Literal["dpo", "rft", "sft"] | None]
    min_judge_score: NotRequired[float | None]
    min_score: NotRequired[float | None]
    near: NotRequired[bool]
    parts: NotRequired[list[SplitPart] | None]


class LoopPatch(TypedDict):
    """Changes to a loop. What is absent stays as it is; nested objects are merged."""

    autopilot: NotRequired[Literal["auto", "off", "propose"]]
    budget: NotRequired[BudgetPatch]
    choices: NotRequired[ChoicesPatch]
    dataset_id: NotRequired[str | None]
    rules: NotRequired[RulesPatch]
    task: NotRequired[str]
    validation_version_id: NotRequired[str | None]


class NewDerivation(TypedDict):
    """A new version made from this one; with `dry_run` it is only shown, not stored."""

    dry_run: NotRequired[bool]
    operations: list[DatasetOperation]
    recommendation_id: NotRequired[str | None]


class NewEvalSuite(TypedDict):
    """A suite to be created from a held-out dataset version."""

    dataset_version_id: str
    graders: NotRequired[list[WeightedGrader] | None]
    guardrails: NotRequired[list[SuiteGuardrail]]
    loop_id: str
    name: str
    role: NotRequired[Literal["final_test", "selection"]]
    sampling: NotRequired[Sampling]
    scale: NotRequired[Scale]


class NewEvaluation(TypedDict):
    """An evaluation to be run by the service, or, with `items`, registered from outside."""

    base_model: NotRequired[str | None]
    checkpoint_id: NotRequired[str | None]
    indexes: NotRequired[list[int] | None]
    items: NotRequired[list[RegisteredItem] | None]
    loop_id: str
    max_cost: NotRequired[str | None]
    max_tokens: NotRequired[int | None]
    n_gradings: NotRequired[int]
    prices: NotRequired[NewTokenPrices | None]
    provider: NotRequired[str | None]
    recommendation_id: NotRequired[str | None]
    regrade_of: NotRequired[str | None]
    run_id: NotRequired[str | None]
    stop_if_hopeless_against: NotRequired[str | None]
    subject: NotRequired[Literal["base_model", "checkpoint", "run"] | None]
    suite_id: str


class NewLoop(TypedDict):
    """A loop to be created."""

    autopilot: NotRequired[Literal["auto", "off", "propose"]]
    budget: NotRequired[NewBudget]
    choices: NotRequired[Choices]
    dataset_id: NotRequired[str | None]
    metric: NotRequired[Metric]
    rules: NotRequired[Rules]
    slug: str
    task: str
    validation_version_id: NotRequired[str | None]


class NewMetrics(TypedDict):
    """Points to append. A value already known under the same name and step is replaced.

    Other tools' names, such as `loss` or `eval/loss`, are read as in a result file: `train_loss`, `full_valid_loss`.
    """

    points: list[NewPoint]


class NewRun(TypedDict):
    """A run to start at a provider, or to register when it trains elsewhere (`external`).

    Give either `config` (a first run) or `parent_run_id` with `overrides`: exactly one variable, or `seed` alone for
    a repeat.
    """

    allow_confounded: NotRequired[bool]
    config: NotRequired[RunConfig | None]
    effective: NotRequired[EffectivePatch | None]
    loop_id: str
    note: NotRequired[str | None]
    overrides: NotRequired[Overrides | None]
    parent_run_id: NotRequired[str | None]
    provider: NotRequired[Literal["external", "openai", "sandbox"] | None]
    recommendation_id: NotRequired[str | None]
    status: NotRequired[Literal["cancelled", "failed", "paused", "queued", "running", "succeeded"] | None]
