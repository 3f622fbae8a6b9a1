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


class CurveThresholds(TypedDict):
    """The numbers every rule of curve reading compares with. "Measured" is measured on labelled real curves."""

    abrupt: NotRequired[float]
    """Loss before the zeros, over the first loss, above which they came at once: a collapse (hazards g; measured)."""
    accuracy_easy: NotRequired[float]
    """Validation accuracy from which a training loss of about 0 means an easy task, no fault (method 3, hazards g)."""
    accuracy_gain: NotRequired[float]
    """Gain of validation accuracy after the best loss from which loss and accuracy disagree (hazards d)."""
    accuracy_learned: NotRequired[float]
    """Accuracy from which an exact zero of the loss is learning, not collapse (hazards g)."""
    barely_falls: NotRequired[float]
    """Last over first training loss above which it "barely falls" (method 3, evidence 8)."""
    best_early: NotRequired[float]
    """Share of training before which a best step says that training was far too long (evidence 3)."""
    chance_band: NotRequired[float]
    """Relative distance from ln 2 within which a loss sits at the chance level of two classes (hazards h)."""
    crashed: NotRequired[float]
    """Training loss that counts as "about 0" (method 3 calls a ratio at 0.008 misleading)."""
    diverged_train: NotRequired[float]
    """Last over first training loss from which training has diverged (method 3: "loss explodes")."""
    early_share: NotRequired[float]
    """Share of the planned training in which no alarm is raised (evidence 2)."""
    epochs_max: NotRequired[float]
    """Epochs, twice the method's widest range, that are an extreme (hazards h: 889)."""
    gap_hacking: NotRequired[float]
    """RFT: train minus validation reward from which reward hacking is likely (method 3)."""
    gap_watch: NotRequired[float]
    """RFT: train minus validation reward from which to watch (method 3)."""
    hides_anything: NotRequired[float]
    """Noise of a level, relative to it, from which a series can be called neither flat nor healthy (measured)."""
    initial_gap: NotRequired[float]
    """Validation over training loss in the first tenth of training that is a large gap from the start (method 3)."""
    leak_level: NotRequired[float]
    """Last over first loss below which validation as low as training looks like a leak (hazards e; measured)."""
    learning_rate_max: NotRequired[float]
    """Logged learning rate from which a typing error is likely (hazards h: 5)."""
    min_points: NotRequired[int]
    """Logged points below which a curve is too short to read (measured)."""
    min_steps: NotRequired[int]
    """Steps below which a curve with fewer than three evaluations is too short to read (measured)."""
    multiplier_max: NotRequired[float]
    """Requested learning rate above which a typing error is likely: the widest multiplier advised (evidence 3)."""
    multiplier_min: NotRequired[float]
    """Requested learning rate below which it is no multiplier but absolute: the least advised (evidence 3)."""
    near_zero: NotRequired[float]
    """Training loss below which the ratio means nothing (method 3: 0.02/0.008 and nothing is wrong)."""
    neighbour_share: NotRequired[float]
    """Share of the training points averaged around an evaluated step (method 3: "the neighbouring steps")."""
    noise_factor: NotRequired[float]
    """Standard errors by which a rise must exceed the series' own noise (evidence 2; measured on simulated healthy
    runs: 2.5 raises 1.5 % false alarms, 2 raises 4 %, 3 raises 0.4 % and misses more of the real rises).
    """
    noise_points: NotRequired[int]
    """Evaluated points from which the noise of a full-pass series is estimated from its differences, and below which
    from its highest peak (measured).
    """
    noisy: NotRequired[float]
    """Noise of a single full-pass value, relative to the best level, from which the series is smoothed (measured)."""
    oscillation: NotRequired[float]
    """Noise of a full-pass value, relative to its level, from which validation loss oscillates (measured)."""
    period_strength: NotRequired[float]
    """Autocorrelation from which a per-step validation loss is periodic (hazards a; measured)."""
    plateau_change: NotRequired[float]
    """Relative change of validation loss, after the first fifth of training, that counts as none (measured)."""
    plateau_from: NotRequired[float]
    """Share of training after which a plateau is looked for (method 3: "flat after epoch 1")."""
    preference_chance: NotRequired[float]
    """DPO: preference accuracy at the end below which nothing was learned; guessing gives 0.5 (evidence 2)."""
    rate_mismatch: NotRequired[float]
    """Requested over logged learning rate, or the reverse, from which the change did not take (hazards f)."""
    ratio_mild: NotRequired[float]
    """Validation over training loss from which overfitting is at least mild (method 3)."""
    ratio_moderate: NotRequired[float]
    """The same, moderate (method 3)."""
    ratio_severe: NotRequired[float]
    """The same, severe (method 3)."""
    reward_flat: NotRequired[float]
    """RFT: change of the smoothed reward that counts as none (method 3 "flat"; the size of the watched gap)."""
    reward_high: NotRequired[float]
    """RFT: a flat reward above it from the start means a grader too lenient (method 3)."""
    reward_near_zero: NotRequired[float]
    """RFT: a flat reward below it means a broken or too strict grader (method 3)."""
    rise_mild: NotRequired[float]
    """Last over best validation loss below which nothing rises (measured: readers call +1.3 % healthy, +2.2 % mild)."""
    rise_strong: NotRequired[float]
    """Last over best validation loss that is a sign of overfitting of its own (method 3)."""
    rise_usable: NotRequired[float]
    """Last over best full-pass loss from which the rise says something about quality (evidence 8)."""
    same_curve: NotRequired[float]
    """Median relative difference of two curves below which they are the same (hazards f; measured)."""
    scale_mismatch: NotRequired[float]
    """Validation over training loss, at first and at last, below which the two are on different scales (hazards c)."""
    suspect_row: NotRequired[float]
    """Loss of one validation row over the median row from which the row is suspect (hazards a)."""
    tokens_normal: NotRequired[float]
    """RFT: growth of completion tokens that is still normal (method 3)."""
    tokens_verbose: NotRequired[float]
    """RFT: growth of completion tokens that suggests a grader paying for verbosity (method 3)."""
    zero_tail: NotRequired[int]
    """Exact zeros at the end of a loss that must be explained: collapse, memorisation or saturation (hazards g)."""


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
    """The item's place in the suite, from 0."""
    score: float
    """On the suite's scale."""


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
    """One grader of the suite; null: the combined score."""
    grades: list[HandGrade]


class NewCheckpoint(TypedDict):
    """A checkpoint of an external run."""

    deployable: NotRequired[bool]
    epoch: NotRequired[int | None]
    final: NotRequired[bool]
    full_valid_loss: NotRequired[float | None]
    full_valid_mean_token_accuracy: NotRequired[float | None]
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
    """The loop whose training dataset it becomes, when that loop has none yet."""
    name: str


class NewDecision(TypedDict):
    """What someone decided about a recommendation."""

    actor: NotRequired[str | None]
    reason: NotRequired[str | None]
    verdict: Literal["accepted", "declined"]


class NewDeployment(TypedDict):
    """A model to be shipped. Refused unless it is better than the baseline, or a reason is given."""

    checkpoint_id: NotRequired[str | None]
    """Null: the run's final model."""
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
    """Null: chosen from the catalogue by the method's rule."""
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
    """Ends it once it has cost so much by `prices`."""
    max_tokens: NotRequired[int | None]
    """Ends it once so many tokens were used; requests under way are still paid for."""
    model: NotRequired[str | None]
    """The judge, by the name under which the configured endpoint serves it; null: the configured judge."""
    n_rows: NotRequired[int]
    """How many rows, by lot. A larger number later adds to them: rows that this judge has scored, in this version or in
    another, are not paid for again.
    """
    prices: NotRequired[JudgePrices | None]
    threshold: NotRequired[float]
    """The quality report's check `judge` points at rows that score less."""


class NewTokenPrices(TypedDict):
    """Prices of a million tokens, in the currency of the loop's budget."""

    completion: str
    embedding: NotRequired[str]
    """Of the model behind `cosine`."""
    judge_completion: NotRequired[str]
    judge_prompt: NotRequired[str]
    prompt: str


class NewWebhookEndpoint(TypedDict):
    """An endpoint that is told of events."""

    description: NotRequired[str | None]
    event_types: NotRequired[list[str] | None]
    """Only these types, such as `run.succeeded`; null: every type."""
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
    """The item's place in the suite, from 0."""
    output: NotRequired[str | None]
    score: float | None
    """On the suite's scale; null where there is none. A missing score is never a zero."""


class Rules(TypedDict):
    """When a loop is good enough or not worth going on (method, section 7)."""

    min_gain: NotRequired[float]
    """Points of the metric below which an experiment's gain counts as diminishing."""
    min_margin_pct: NotRequired[float]
    """Percent over the baseline that counts as a meaningful margin."""
    patience: NotRequired[int]
    """Experiments without improvement before the loop counts as flat."""
    target: NotRequired[float | None]
    """Score at which the model is good enough for production; its interval must be clear of it."""


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
    """DPO: weight of the penalty that keeps the model near its reference."""
    compute_multiplier: NotRequired[float | None]
    """RFT: how much exploration a step buys."""
    dataset_version_id: str
    eval_interval: NotRequired[int | None]
    """RFT: steps between evaluations."""
    eval_samples: NotRequired[int | None]
    """RFT: samples per item of an evaluation."""
    grader: NotRequired[str | None]
    """RFT: the training grader, as canonical JSON text of an OpenAI grader."""
    l2_multiplier: NotRequired[float | None]
    """DPO: weight of the L2 penalty."""
    learning_rate_multiplier: NotRequired[float | None]
    method: NotRequired[Literal["dpo", "rft", "sft"]]
    n_epochs: NotRequired[int | None]
    reasoning_effort: NotRequired[Literal["high", "low", "medium"] | None]
    """RFT: reasoning effort while sampling."""
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
    """A grader of the suite by its name, or `completion_tokens` or `latency_s`, of which less is better."""
    tolerance: NotRequired[float]
    """How much may be lost: in points of the scale, in tokens, in seconds."""


class ThresholdsPatch(TypedDict):
    """Thresholds to change; what is absent stays, null resets to the default. `CurveThresholds` says what each is."""

    abrupt: NotRequired[float | None]
    accuracy_easy: NotRequired[float | None]
    accuracy_gain: NotRequired[float | None]
    accuracy_learned: NotRequired[float | None]
    barely_falls: NotRequired[float | None]
    best_early: NotRequired[float | None]
    chance_band: NotRequired[float | None]
    crashed: NotRequired[float | None]
    diverged_train: NotRequired[float | None]
    early_share: NotRequired[float | None]
    epochs_max: NotRequired[float | None]
    gap_hacking: NotRequired[float | None]
    gap_watch: NotRequired[float | None]
    hides_anything: NotRequired[float | None]
    initial_gap: NotRequired[float | None]
    leak_level: NotRequired[float | None]
    learning_rate_max: NotRequired[float | None]
    min_points: NotRequired[int | None]
    min_steps: NotRequired[int | None]
    multiplier_max: NotRequired[float | None]
    multiplier_min: NotRequired[float | None]
    near_zero: NotRequired[float | None]
    neighbour_share: NotRequired[float | None]
    noise_factor: NotRequired[float | None]
    noise_points: NotRequired[int | None]
    noisy: NotRequired[float | None]
    oscillation: NotRequired[float | None]
    period_strength: NotRequired[float | None]
    plateau_change: NotRequired[float | None]
    plateau_from: NotRequired[float | None]
    preference_chance: NotRequired[float | None]
    rate_mismatch: NotRequired[float | None]
    ratio_mild: NotRequired[float | None]
    ratio_moderate: NotRequired[float | None]
    ratio_severe: NotRequired[float | None]
    reward_flat: NotRequired[float | None]
    reward_high: NotRequired[float | None]
    reward_near_zero: NotRequired[float | None]
    rise_mild: NotRequired[float | None]
    rise_strong: NotRequired[float | None]
    rise_usable: NotRequired[float | None]
    same_curve: NotRequired[float | None]
    scale_mismatch: NotRequired[float | None]
    suspect_row: NotRequired[float | None]
    tokens_normal: NotRequired[float | None]
    tokens_verbose: NotRequired[float | None]
    zero_tail: NotRequired[int | None]


class WebhookEndpointPatch(TypedDict):
    """Changes to an endpoint; what is absent stays."""

    description: NotRequired[str | None]
    event_types: NotRequired[list[str] | None]
    status: NotRequired[Literal["disabled", "enabled"]]
    url: NotRequired[str]


class WeightedGrader(TypedDict):
    """One dimension of the combined score and the grader that scores it."""

    grader: dict[str, Any]
    """A grader as OpenAI writes it: `string_check`, `text_similarity`, `score_model`, `label_model`, `multi`. For the
    metric `cosine` it may name an `embedding_model`.
    """
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
    """`convert` from RFT to SFT: the field that holds the answer."""
    checks: NotRequired[
        list[
            Literal[
                "answer_shape",
                "contradictions",
                "exact_duplicates",
                "grader_fields",
                "judge",
                "label_balance",
                "label_errors",
                "label_spelling",
                "leakage",
                "length_mix",
                "near_contradictions",
                "near_duplicates",
                "near_leakage",
                "personal_data",
                "refusals",
                "row_length",
                "secrets",
                "size",
                "system_prompt",
            ]
        ]
        | None
    ]
    """`drop_ids`: checks of the quality report, in place of names or beside them: every row that one of them points at
    (`/quality/rows?check=` lists them).
    """
    examples: NotRequired[list[dict[str, Any]] | None]
    """`add_examples`: rows in the version's own format."""
    ids: NotRequired[list[str] | None]
    """`drop_ids`: names of rows, as the quality report gives them."""
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
    """`drop_ids`: the lines that rows begin on, in place of their names or beside them."""
    method: NotRequired[Literal["dpo", "rft", "sft"] | None]
    """`convert`: the format to convert to."""
    min_judge_score: NotRequired[float | None]
    """`keep_by_score`: rows that a judge scored lower are dropped, in place of or beside `min_score`; rows that it did
    not score are kept. Needs a judging.
    """
    min_score: NotRequired[float | None]
    """`keep_by_score`: rows with a lower score in the quality report are dropped."""
    near: NotRequired[bool]
    """`drop_duplicates`: also rows nearly like an earlier one with the same answer; needs the quality report."""
    parts: NotRequired[list[SplitPart] | None]
    """`split`: names and shares, which add up to 1. Rows with the same input, and near duplicates where the quality
    report knows them, stay together. Each part becomes the next version of the dataset `<dataset>-<part>`.
    """


class LoopPatch(TypedDict):
    """Changes to a loop. What is absent stays as it is; nested objects are merged."""

    autopilot: NotRequired[Literal["auto", "off", "propose"]]
    budget: NotRequired[BudgetPatch]
    choices: NotRequired[ChoicesPatch]
    dataset_id: NotRequired[str | None]
    rules: NotRequired[RulesPatch]
    task: NotRequired[str]
    thresholds: NotRequired[ThresholdsPatch | None]
    """Null resets all of them. Every curve of the loop is read anew when they change."""
    validation_version_id: NotRequired[str | None]


class NewDerivation(TypedDict):
    """A new version made from this one; with `dry_run` it is only shown, not stored."""

    dry_run: NotRequired[bool]
    operations: list[DatasetOperation]
    """Carried out one after the other; after `split` only `convert` may follow."""
    recommendation_id: NotRequired[str | None]


class NewEvalSuite(TypedDict):
    """A suite to be created from a held-out dataset version."""

    dataset_version_id: str
    graders: NotRequired[list[WeightedGrader] | None]
    """Null: a judge scoring correctness (0.7) and conciseness (0.3) from 1 to 10."""
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
    """With `regrade_of`: only these items, such as the anchors by which a judge's drift is watched."""
    items: NotRequired[list[RegisteredItem] | None]
    loop_id: str
    max_cost: NotRequired[str | None]
    """Ends the evaluation once it has cost so much by `prices`."""
    max_tokens: NotRequired[int | None]
    """Ends the evaluation once so many tokens were used, the judge's and those of vectors included."""
    n_gradings: NotRequired[int]
    """How often a judge grades each answer; the score is the mean, the spread is kept as `regrade_sd` of the suite."""
    prices: NotRequired[NewTokenPrices | None]
    provider: NotRequired[str | None]
    """Where a base model is served; null: the service's default provider."""
    recommendation_id: NotRequired[str | None]
    regrade_of: NotRequired[str | None]
    """Grade the stored answers of this evaluation with the suite named, which must have the same items; no model under
    test is asked. With the same suite it measures the judge's own noise and drift.
    """
    run_id: NotRequired[str | None]
    stop_if_hopeless_against: NotRequired[str | None]
    """Ends the evaluation as soon as it is clear that the subject is worse than in this one."""
    subject: NotRequired[Literal["base_model", "checkpoint", "run"] | None]
    """Needed, but with `regrade_of`: then it is that evaluation's."""
    suite_id: str


class NewLoop(TypedDict):
    """A loop to be created."""

    autopilot: NotRequired[Literal["auto", "off", "propose"]]
    budget: NotRequired[NewBudget]
    choices: NotRequired[Choices]
    dataset_id: NotRequired[str | None]
    """The training dataset; may be attached later."""
    metric: NotRequired[Metric]
    rules: NotRequired[Rules]
    slug: str
    """A short name, unique in the workspace; usable wherever the loop's id is."""
    task: str
    """What the model is being tuned for, in a sentence."""
    thresholds: NotRequired[CurveThresholds]
    validation_version_id: NotRequired[str | None]
    """The dataset version used as validation file by every run."""


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
    """Accept more than one change; the run is then marked as confounded wherever it is shown."""
    config: NotRequired[RunConfig | None]
    effective: NotRequired[EffectivePatch | None]
    """External runs only: the values as they were resolved."""
    loop_id: str
    note: NotRequired[str | None]
    overrides: NotRequired[Overrides | None]
    parent_run_id: NotRequired[str | None]
    provider: NotRequired[Literal["external", "openai", "sandbox"] | None]
    """Null: the parent's, or the service's default."""
    recommendation_id: NotRequired[str | None]
    """The advice that this run carries out; it is carried out once, whoever asks."""
    status: NotRequired[Literal["cancelled", "failed", "paused", "queued", "running", "succeeded"] | None]
    """External runs only: where it stands; null means `running`."""
