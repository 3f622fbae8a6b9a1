# Generated from openapi.json; do not edit.
# ruff: noqa
"""What the service answers with."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from whatnext._model import NOT_SENT, Model, Sent


class AlternativeChange(Model, kw_only=True, frozen=True):
    """The one variable an alternative would change."""

    variable: (
        Literal[
            "base_model",
            "batch_size",
            "beta",
            "compute_multiplier",
            "dataset_version_id",
            "eval_interval",
            "eval_samples",
            "grader",
            "l2_multiplier",
            "learning_rate_multiplier",
            "method",
            "n_epochs",
            "reasoning_effort",
        ]
        | str
    )
    from_value: str | int | float | None = None
    to_value: str | int | float | None = None


class BaseModel(Model, kw_only=True, frozen=True):
    """One entry of the model catalogue (method, section 6.3)."""

    best_for: str
    epochs_max: int
    family: str
    learning_rate_max: float
    learning_rate_min: float
    methods: list[Literal["dpo", "rft", "sft"] | str]
    name: str
    notes: str
    provider: str
    """The provider that trains it: `openai` or `sandbox`; `any` when several do."""
    source: str
    start_epochs: int
    start_learning_rate: float
    min_examples: int | None = None
    """Fewest examples with which it is worth trying; null when any number will do."""
    retires: date | None = None
    """Last day on which it is served; null when none is announced."""
    training_ends: date | None = None
    """Last day on which a new training job is accepted; null when none is announced."""
    training_price_per_mtok: Decimal | None = None
    """Price of a million trained tokens, in US dollars; null when unknown."""


class Budget(Model, kw_only=True, frozen=True):
    """What a loop may spend; null means unlimited."""

    currency: str = NOT_SENT
    deadline: datetime | None = None
    max_cost: Decimal | None = None
    max_runs: int | None = None


class BudgetUse(Model, kw_only=True, frozen=True):
    """What was spent, of what may be."""

    cost_used: Decimal
    currency: str
    runs_used: int
    cost_max: Decimal | None = None
    runs_max: int | None = None


class CanaryReading(Model, kw_only=True, frozen=True):
    """How a judge treated the canaries."""

    n_canaries: int
    n_failed: int
    """Canaries that gave an error in place of a score; they gained nothing."""
    n_reported: int
    """Canaries that the judge named as an attempt to influence it."""
    n_resisted: int
    resists: bool
    statement: str
    highest_share: float | None = None
    """Best score a canary obtained, as a share of the range; null when none was scored."""


class ChangedValue(Model, kw_only=True, frozen=True):
    """One variable that a run changed against its parent."""

    from_text: str
    """The value for people: a dataset version by its name and size."""
    to_text: str
    variable: (
        Literal[
            "base_model",
            "batch_size",
            "beta",
            "compute_multiplier",
            "dataset_version_id",
            "eval_interval",
            "eval_samples",
            "grader",
            "l2_multiplier",
            "learning_rate_multiplier",
            "method",
            "n_epochs",
            "reasoning_effort",
        ]
        | str
    )
    from_value: str | int | float | None = None
    to_value: str | int | float | None = None


class Checkpoint(Model, kw_only=True, frozen=True):
    """A deployable state of a run at a step."""

    created_at: datetime
    deployable: bool
    final: bool
    id: str
    run_id: str
    step: int
    epoch: int | None = None
    full_valid_loss: float | None = None
    full_valid_mean_token_accuracy: float | None = None
    """Over the whole validation set, 0 to 1."""
    model: str | None = None
    train_loss: float | None = None
    valid_loss: float | None = None


class ComparedSet(Model, kw_only=True, frozen=True):
    """A set that the version was held against, to find rows that are in both."""

    name: str
    role: Literal["final_test", "selection", "validation"] | str
    version_id: str


class Comparison(Model, kw_only=True, frozen=True):
    """How a candidate's scores differ from a reference's on the items that both were scored on."""

    confidence: float
    """Confidence of all `n_comparisons` intervals together."""
    n_comparisons: int
    n_missing_candidate: int
    n_missing_reference: int
    n_pairs: int
    noise_floor: Literal["items", "regrading", "repeated_runs"] | str
    """What the interval counts beside the items' own spread: nothing (`items`), what grading the same answers again
    changes where the items show less (`regrading`), or what training the same configuration again changes
    (`repeated_runs`), measured in this loop.
    """
    noise_floor_sd: float
    """Standard deviation of the difference that it adds, in points of the metric."""
    statement: str
    verdict: Literal["improved", "inconclusive", "no_difference", "not_comparable", "worse"] | str
    """`improved` or `worse`: the interval is clear of zero and no outcome of the missing items could undo it.
    `no_difference`: the interval lies inside the margin. `inconclusive`: cannot tell. `not_comparable`: suite,
    graders or judge differ.
    """
    best_case: float | None = None
    """The difference if every missing item turned out best for the candidate."""
    difference: float | None = None
    """Mean of candidate minus reference, in points of the metric; null without a shared item."""
    high: float | None = None
    low: float | None = None
    """Lower end of the interval of the difference, corrected for the number of comparisons."""
    minimum_detectable_effect: float | None = None
    """Smallest true difference that a comparison of this precision shows with 80 % power."""
    p_value: float | None = None
    """Two-sided, corrected for the number of comparisons."""
    standard_error: float | None = None
    test: Literal["bootstrap", "clustered_t", "exact_mcnemar", "exact_sign", "paired_t"] | str | None = None
    worst_case: float | None = None
    """The difference if every missing item turned out worst for the candidate."""


class Confidence(Model, kw_only=True, frozen=True):
    """How sure the advice is, in words."""

    basis: str
    level: Literal["high", "low", "medium"] | str
    would_raise_it: str


class Correction(Model, kw_only=True, frozen=True):
    """Hand grade = intercept + slope x judge's score, by least squares."""

    intercept: float
    slope: float


class CurveSeries(Model, kw_only=True, frozen=True):
    """One metric's values at its steps."""

    name: str
    steps: list[int]
    values: list[float | None]
    """Null where the value was NaN or infinite."""


class CurveThresholds(Sent, kw_only=True, frozen=True):
    """The numbers every rule of curve reading compares with. "Measured" is measured on labelled real curves."""

    abrupt: float = NOT_SENT
    """Loss before the zeros, over the first loss, above which they came at once: a collapse (hazards g; measured)."""
    accuracy_easy: float = NOT_SENT
    """Validation accuracy from which a training loss of about 0 means an easy task, no fault (method 3, hazards g)."""
    accuracy_gain: float = NOT_SENT
    """Gain of validation accuracy after the best loss from which loss and accuracy disagree (hazards d)."""
    accuracy_learned: float = NOT_SENT
    """Accuracy from which an exact zero of the loss is learning, not collapse (hazards g)."""
    barely_falls: float = NOT_SENT
    """Last over first training loss above which it "barely falls" (method 3, evidence 8)."""
    best_early: float = NOT_SENT
    """Share of training before which a best step says that training was far too long (evidence 3)."""
    chance_band: float = NOT_SENT
    """Relative distance from ln 2 within which a loss sits at the chance level of two classes (hazards h)."""
    crashed: float = NOT_SENT
    """Training loss that counts as "about 0" (method 3 calls a ratio at 0.008 misleading)."""
    diverged_train: float = NOT_SENT
    """Last over first training loss from which training has diverged (method 3: "loss explodes")."""
    early_share: float = NOT_SENT
    """Share of the planned training in which no alarm is raised (evidence 2)."""
    epochs_max: float = NOT_SENT
    """Epochs, twice the method's widest range, that are an extreme (hazards h: 889)."""
    gap_hacking: float = NOT_SENT
    """RFT: train minus validation reward from which reward hacking is likely (method 3)."""
    gap_watch: float = NOT_SENT
    """RFT: train minus validation reward from which to watch (method 3)."""
    hides_anything: float = NOT_SENT
    """Noise of a level, relative to it, from which a series can be called neither flat nor healthy (measured)."""
    initial_gap: float = NOT_SENT
    """Validation over training loss in the first tenth of training that is a large gap from the start (method 3)."""
    leak_level: float = NOT_SENT
    """Last over first loss below which validation as low as training looks like a leak (hazards e; measured)."""
    learning_rate_max: float = NOT_SENT
    """Logged learning rate from which a typing error is likely (hazards h: 5)."""
    min_points: int = NOT_SENT
    """Logged points below which a curve is too short to read (measured)."""
    min_steps: int = NOT_SENT
    """Steps below which a curve with fewer than three evaluations is too short to read (measured)."""
    multiplier_max: float = NOT_SENT
    """Requested learning rate above which a typing error is likely: the widest multiplier advised (evidence 3)."""
    multiplier_min: float = NOT_SENT
    """Requested learning rate below which it is no multiplier but absolute: the least advised (evidence 3)."""
    near_zero: float = NOT_SENT
    """Training loss below which the ratio means nothing (method 3: 0.02/0.008 and nothing is wrong)."""
    neighbour_share: float = NOT_SENT
    """Share of the training points averaged around an evaluated step (method 3: "the neighbouring steps")."""
    noise_factor: float = NOT_SENT
    """Standard errors by which a rise must exceed the series' own noise (evidence 2; measured on simulated healthy
    runs: 2.5 raises 1.5 % false alarms, 2 raises 4 %, 3 raises 0.4 % and misses more of the real rises).
    """
    noise_points: int = NOT_SENT
    """Evaluated points from which the noise of a full-pass series is estimated from its differences, and below which
    from its highest peak (measured).
    """
    noisy: float = NOT_SENT
    """Noise of a single full-pass value, relative to the best level, from which the series is smoothed (measured)."""
    oscillation: float = NOT_SENT
    """Noise of a full-pass value, relative to its level, from which validation loss oscillates (measured)."""
    period_strength: float = NOT_SENT
    """Autocorrelation from which a per-step validation loss is periodic (hazards a; measured)."""
    plateau_change: float = NOT_SENT
    """Relative change of validation loss, after the first fifth of training, that counts as none (measured)."""
    plateau_from: float = NOT_SENT
    """Share of training after which a plateau is looked for (method 3: "flat after epoch 1")."""
    preference_chance: float = NOT_SENT
    """DPO: preference accuracy at the end below which nothing was learned; guessing gives 0.5 (evidence 2)."""
    rate_mismatch: float = NOT_SENT
    """Requested over logged learning rate, or the reverse, from which the change did not take (hazards f)."""
    ratio_mild: float = NOT_SENT
    """Validation over training loss from which overfitting is at least mild (method 3)."""
    ratio_moderate: float = NOT_SENT
    """The same, moderate (method 3)."""
    ratio_severe: float = NOT_SENT
    """The same, severe (method 3)."""
    reward_flat: float = NOT_SENT
    """RFT: change of the smoothed reward that counts as none (method 3 "flat"; the size of the watched gap)."""
    reward_high: float = NOT_SENT
    """RFT: a flat reward above it from the start means a grader too lenient (method 3)."""
    reward_near_zero: float = NOT_SENT
    """RFT: a flat reward below it means a broken or too strict grader (method 3)."""
    rise_mild: float = NOT_SENT
    """Last over best validation loss below which nothing rises (measured: readers call +1.3 % healthy, +2.2 % mild)."""
    rise_strong: float = NOT_SENT
    """Last over best validation loss that is a sign of overfitting of its own (method 3)."""
    rise_usable: float = NOT_SENT
    """Last over best full-pass loss from which the rise says something about quality (evidence 8)."""
    same_curve: float = NOT_SENT
    """Median relative difference of two curves below which they are the same (hazards f; measured)."""
    scale_mismatch: float = NOT_SENT
    """Validation over training loss, at first and at last, below which the two are on different scales (hazards c)."""
    suspect_row: float = NOT_SENT
    """Loss of one validation row over the median row from which the row is suspect (hazards a)."""
    tokens_normal: float = NOT_SENT
    """RFT: growth of completion tokens that is still normal (method 3)."""
    tokens_verbose: float = NOT_SENT
    """RFT: growth of completion tokens that suggests a grader paying for verbosity (method 3)."""
    zero_tail: int = NOT_SENT
    """Exact zeros at the end of a loss that must be explained: collapse, memorisation or saturation (hazards g)."""


class Curves(Model, kw_only=True, frozen=True):
    """A run's curves, downsampled when `max_points` asks for it."""

    n_points: int
    """Values stored, before downsampling."""
    run_id: str
    series: list[CurveSeries]
    best_step: int | None = None


class Dataset(Model, kw_only=True, frozen=True):
    """A named dataset: a line of immutable versions."""

    created_at: datetime
    id: str
    n_versions: int
    name: str
    updated_at: datetime
    version: int
    loop_id: str | None = None


class Decision(Model, kw_only=True, frozen=True):
    """A decision as it was taken."""

    decided_at: datetime
    verdict: Literal["accepted", "declined"] | str
    actor: str | None = None
    reason: str | None = None


class Deployment(Model, kw_only=True, frozen=True):
    """A served model."""

    created_at: datetime
    id: str
    loop_id: str
    model: str
    provider: str
    run_id: str
    status: str
    """`live` or `deleted`."""
    updated_at: datetime
    version: int
    checkpoint_id: str | None = None
    deleted_at: datetime | None = None
    override_reason: str | None = None
    recommendation_id: str | None = None


class DiagnosisFinding(Model, kw_only=True, frozen=True):
    """One thing a run shows beside the tree, and what it suggests."""

    code: str
    kind: Literal["curve", "data", "evaluation", "process"] | str
    severity: Literal["caution", "critical", "info"] | str
    source: str
    """The rule's source, such as `method 3`."""
    statement: str
    suggestion: str
    threshold: float | None = None
    value: float | None = None


class Difference(Model, kw_only=True, frozen=True):
    """Points better (positive) or worse than a reference."""

    points: float
    high: float | None = None
    low: float | None = None
    """Lower end of the 95 % interval; null without shared per-item scores."""


class DimensionScore(Model, kw_only=True, frozen=True):
    """One graded dimension."""

    n_scored: int
    name: str
    weight: float
    mean: float | None = None


class DriftReading(Model, kw_only=True, frozen=True):
    """Whether a judge still scores the anchor items as it did."""

    comparison: Comparison
    verdict: Literal["cannot_tell", "drifted", "steady"] | str


class Effect(Model, kw_only=True, frozen=True):
    """What mending it did to the held-out score where it was measured, in points of 10."""

    high: float
    low: float
    share_improved_high: float
    share_improved_low: float
    source: str


class EffectiveConfig(Model, kw_only=True, frozen=True):
    """What really trained, as far as it is known: the values the provider resolved, and the facts that follow.

    Two runs are comparable for attribution only by these, never by what was requested (evidence, section 3).
    """

    base_model_snapshot: str | None = None
    batch_size: int | None = None
    dataset_sha256: str | None = None
    learning_rate_multiplier: float | None = None
    n_epochs: int | None = None
    n_examples: int | None = None
    n_steps: int | None = None
    """Steps = ceil(examples / batch) x epochs."""
    seed: int | None = None
    validation_sha256: str | None = None


class ErrorCount(Model, kw_only=True, frozen=True):
    """How many items ended with an error."""

    code: str
    n: int


class Event(Model, kw_only=True, frozen=True):
    """Something that happened, in the order it was committed."""

    created_at: datetime
    id: str
    seq: int
    subject_id: str
    type: str
    """Such as `run.succeeded`; the set grows."""
    version: int
    """The subject's version after the event."""
    loop_id: str | None = None


class Evidence(Model, kw_only=True, frozen=True):
    """One number the advice rests on, and where it came from."""

    code: str
    source_type: Literal["base_model", "dataset_version", "eval_suite", "evaluation", "loop", "rule", "run"] | str
    statement: str
    href: str | None = None
    source_id: str | None = None
    threshold: float | None = None
    value: float | None = None


class Expectation(Model, kw_only=True, frozen=True):
    """What the change should do, stated before it is tried, and scored afterwards."""

    basis: str
    direction: Literal["down", "up"] | str
    metric: str
    rule: str
    """The rule that made the prediction; its track record is kept under this name."""
    by_at_least: float | None = None
    effect: float | None = None
    """Expected change of the score, in points of the metric; null without a basis for a number."""
    effect_high: float | None = None
    effect_low: float | None = None
    """Lower end of the 80 % prediction interval."""
    judged_on: str | None = None
    """The suite that will judge it."""


class FailureGroup(Model, kw_only=True, frozen=True):
    """Failing items of one type."""

    item_ids: list[str]
    n_failed: int
    n_training_rows: int
    """Training rows of the same type."""
    name: str
    """The tag, or the first terms."""
    statement: str
    terms: list[str]
    """Words that tell the group from the rest, most telling first."""
    training_share: float
    n_items: int | None = None
    """Items with the tag; null for a group found by likeness."""
    tag: str | None = None
    """Null for a group found by the likeness of its texts."""


class Failures(Model, kw_only=True, frozen=True):
    """The input types that a model fails on, and how many training examples there are of each."""

    below: float
    """Items that scored less count as failed; items without a score do not count at all."""
    evaluation_id: str
    groups: list[FailureGroup]
    """Most failures first, at most 20."""
    n_failed: int
    n_scored: int
    n_training_rows: int
    status: Literal["failed", "pending", "ready"] | str
    """`pending` until the worker has grouped them: soon after the evaluation has ended, and after each question with
    other parameters.
    """
    version: int
    dataset_version_id: str | None = None
    """The training data that coverage is counted in; null where there is none, and all counts are 0."""
    failure: str | None = None


class Finding(Model, kw_only=True, frozen=True):
    """One thing a curve shows."""

    code: str
    severity: Literal["caution", "critical", "info"] | str
    source: str
    """The rule's source, such as `method 3` or `evidence 2`."""
    statement: str
    would_change: str
    """What observation would change this finding."""
    threshold: float | None = None
    value: float | None = None


class GuardrailReading(Model, kw_only=True, frozen=True):
    """Whether a guardrail held."""

    comparison: Comparison
    name: str
    statement: str
    verdict: Literal["held", "not_comparable", "regressed", "unproven"] | str
    """`held`: the interval excludes a loss beyond the tolerance. `regressed`: the loss is beyond chance and beyond the
    tolerance. `unproven`: neither.
    """


class HandGrade(Sent, kw_only=True, frozen=True):
    """A person's score of one stored answer."""

    evaluation_id: str
    index: int
    """The item's place in the suite, from 0."""
    score: float
    """On the suite's scale."""


class HistoryRow(Model, kw_only=True, frozen=True):
    """One run of the experiment table; the first eight values are the method's own columns."""

    base_model: str
    changed: list[ChangedValue]
    confounded_by: list[str]
    """More than one change, asked for or hidden: no difference may be attributed to any of them."""
    currency: str
    dataset: str
    """Version with its number of examples, such as `v1 (335 ex)`."""
    repeat: bool
    """Whether it repeats its parent, asked to or because its change did not take."""
    run: str
    run_id: str
    status: Literal["cancelled", "failed", "paused", "pending", "queued", "running", "submitting", "succeeded"] | str
    batch_size: int | None = None
    """Null when the provider chose ("default")."""
    best_valid_loss: float | None = None
    combined: float | None = None
    """Best combined score among the run's scored states, on the selection suite in force."""
    cost: Decimal | None = None
    learning_rate_multiplier: float | None = None
    n_epochs: int | None = None
    """As trained where the provider told it, else as requested; null when the provider chose and did not say."""
    overfitting: Literal["cannot_judge", "healthy", "mild", "moderate", "severe"] | str | None = None
    parent: str | None = None
    scored_step: int | None = None
    """Step of the scored checkpoint; null for the end of training."""
    to_baseline: Difference | None = None
    to_parent: Difference | None = None


class ItemError(Model, kw_only=True, frozen=True):
    """Why an item has no score."""

    code: str
    message: str


class JudgePrices(Sent, kw_only=True, frozen=True):
    """Prices of a million of the judge's tokens, in a currency of your own."""

    completion: str
    prompt: str


class Judgement(Model, kw_only=True, frozen=True):
    """What a judge said of one answer."""

    dimension: str
    instructs_judge: bool
    """Whether the judge reports that the answer tries to influence its grading."""
    reasoning: str | None = None
    score: float | None = None
    """On the suite's scale."""


class Key(Model, kw_only=True, frozen=True):
    """An API key; the secret itself is not kept."""

    created_at: datetime
    hint: str
    """The last four characters."""
    id: str
    name: str
    scopes: list[Literal["admin", "read", "write"] | str]
    revoked_at: datetime | None = None


class LabelCount(Model, kw_only=True, frozen=True):
    """How many rows have a label."""

    count: int
    label: str


class Leftover(Model, kw_only=True, frozen=True):
    """A fine-tuned model that nothing uses any more."""

    loop_id: str
    model: str
    reason: str
    run_id: str
    run_name: str


class MethodReading(Model, kw_only=True, frozen=True):
    """What the published method, read literally, would do, and why the advice departs from it where it does."""

    agrees: bool
    headline: str
    departure: str | None = None


class Metric(Sent, kw_only=True, frozen=True):
    """The primary metric of a loop: what "better" means, and on which scale."""

    direction: Literal["down", "up"] | str = NOT_SENT
    name: str = NOT_SENT
    scale_max: float = NOT_SENT
    scale_min: float = NOT_SENT


class MissingItem(Model, kw_only=True, frozen=True):
    """An item that one side has no score for."""

    index: int
    candidate_error: str | None = None
    """Why the candidate has none; null where it has one, or was never asked."""
    reference_error: str | None = None


class NewBudget(Sent, kw_only=True, frozen=True):
    """What a loop may spend; null means unlimited."""

    currency: str = NOT_SENT
    deadline: datetime | None = None
    max_cost: str | None = None
    max_runs: int | None = None


class NewPoint(Sent, kw_only=True, frozen=True):
    """Named values at a step. What is no number is sent as `"NaN"`, `"Infinity"` or `"-Infinity"`."""

    step: int
    values: dict[str, float | Literal["-Infinity", "Infinity", "NaN"] | str]


class NewTokenPrices(Sent, kw_only=True, frozen=True):
    """Prices of a million tokens, in the currency of the loop's budget."""

    completion: str
    prompt: str
    embedding: str = NOT_SENT
    """Of the model behind `cosine`."""
    judge_completion: str = NOT_SENT
    judge_prompt: str = NOT_SENT


class OperationEffect(Model, kw_only=True, frozen=True):
    """What one operation did."""

    kind: (
        Literal[
            "add_examples",
            "convert",
            "drop_contradictions",
            "drop_duplicates",
            "drop_ids",
            "fix_contradictions",
            "keep_by_score",
            "split",
            "upload",
        ]
        | str
    )
    n_after: int
    n_before: int
    places: list[int]
    """Indexes of those rows, from 0; rows that were added stand behind those of the source."""
    rows: list[str]
    """Names of the first rows it dropped or added."""
    statement: str


class Overrides(Sent, kw_only=True, frozen=True):
    """What a run changes against its parent: exactly one field, or `seed` alone for a repeat."""

    base_model: str | None = None
    batch_size: int | None = None
    beta: float | None = None
    compute_multiplier: float | None = None
    dataset_version_id: str | None = None
    eval_interval: int | None = None
    eval_samples: int | None = None
    grader: str | None = None
    l2_multiplier: float | None = None
    learning_rate_multiplier: float | None = None
    method: Literal["dpo", "rft", "sft"] | str | None = None
    n_epochs: int | None = None
    reasoning_effort: Literal["high", "low", "medium"] | str | None = None
    seed: int | None = None


class PairSide(Model, kw_only=True, frozen=True):
    """One row of a pair, shortened."""

    answer: str
    dataset: str
    """`training`, or the name of the set it was compared with."""
    line: int
    prompt: str
    row_id: str


class PassReading(Model, kw_only=True, frozen=True):
    """What a pass threshold does to the base model's outputs."""

    n: int
    statement: str
    threshold: float
    verdict: Literal["cannot_tell", "good", "lenient", "may_diverge", "no_signal", "strict"] | str
    failing_share: float | None = None
    suggested: float | None = None
    """A threshold that fails 25 to 50 %, as near to their middle as the scores allow; null when none does."""


class Pause(Model, kw_only=True, frozen=True):
    """What is waited for before the next request is sent."""

    reason: str
    until: datetime


class Range(Sent, kw_only=True, frozen=True):
    """An inclusive range of allowed values."""

    max: float
    min: float


class RankAgreement(Model, kw_only=True, frozen=True):
    """Spearman's rank correlation with its 95 % interval."""

    n: int
    statement: str
    verdict: Literal["alike", "cannot_tell", "doubtful", "unlike"] | str
    high: float | None = None
    low: float | None = None
    rho: float | None = None
    """Null with too few answers, or when one side gave all the same score."""


class RegisteredItem(Sent, kw_only=True, frozen=True):
    """One item's outcome as measured elsewhere."""

    index: int
    """The item's place in the suite, from 0."""
    score: float | None
    """On the suite's scale; null where there is none. A missing score is never a zero."""
    completion_tokens: int | None = None
    output: str | None = None


class RegradeNoise(Model, kw_only=True, frozen=True):
    """What grading the same answers again changes."""

    changed_share: float
    """Share of the items whose score was not the same each time."""
    item_sd: float
    """Standard deviation of one item's score, in points."""
    largest_shift: float
    """Largest difference between two gradings' means over the items that every grading scored."""
    n_gradings: int
    n_items: int
    """Items graded at least twice."""
    reliability: float | None = None
    """Share of the variance of single scores that is the answers' own; null when all scores are equal."""


class Request(Model, kw_only=True, frozen=True):
    """The literal HTTP call that carries the action out."""

    method: Literal["DELETE", "GET", "PATCH", "POST", "PUT"] | str
    path: str
    body: dict[str, Any] | None = None


class RowJudgement(Model, kw_only=True, frozen=True):
    """What a judge made of a row of training data."""

    judgements: list[Judgement]
    error: ItemError | None = None
    """Why there is no score."""
    score: float | None = None
    """Mean of its dimensions, 1 to 10; null unless every one is scored."""


class RowJudging(Model, kw_only=True, frozen=True):
    """The judging of a version's rows. The scores are in its quality report's check `judge`, and in the report's rows.

    Tokens and cost are those since it was last started.
    """

    created_at: datetime
    dataset_version_id: str
    dimensions: list[Literal["correctness", "quality", "relevance"] | str]
    errors: list[ErrorCount]
    """Why rows have no score, with counts."""
    judge_completion_tokens: int
    judge_prompt_tokens: int
    model: str
    n_done: int
    n_rows: int
    """Rows to be judged: as many as were asked for, or as many different ones as there are."""
    n_scored: int
    status: Literal["cancelled", "failed", "pending", "running", "succeeded"] | str
    threshold: float
    updated_at: datetime
    version: int
    canaries: CanaryReading | None = None
    """How the judge treated attacks in the place of an answer; null until it has been tried."""
    cost: Decimal | None = None
    """By `prices`; null without them."""
    ended_early: Literal["cancelled", "failing", "hopeless", "max_cost", "max_tokens"] | str | None = None
    """Why it ended before its last row; null when it did not."""
    failure: str | None = None
    finished_at: datetime | None = None
    max_cost: Decimal | None = None
    max_tokens: int | None = None
    mean_score: float | None = None
    """Over the scored rows, 1 to 10."""
    pause: Pause | None = None
    """While the judge is to be left alone; null otherwise."""
    prices: JudgePrices | None = None
    started_at: datetime | None = None


class RowMark(Model, kw_only=True, frozen=True):
    """A row that a check points at."""

    excerpt: str
    line: int
    note: str
    row_id: str
    """Name of the row by its content (`row_id`); rows that say the same share it."""
    score: float
    """0 (bad) to 1 (good), as this check sees the row."""


class RowPair(Model, kw_only=True, frozen=True):
    """Two rows to look at side by side."""

    first: PairSide
    kind: Literal["contradiction", "exact_duplicate", "leak", "near_contradiction", "near_duplicate", "near_leak"] | str
    second: PairSide
    similarity: float
    """Of the prompts, 0 to 1."""


class RowText(Model, kw_only=True, frozen=True):
    """The beginning of what a row says, at most 200 characters of each; white space is folded."""

    answer: str
    prompt: str
    """The last question."""
    rejected: str | None = None
    """Preference pairs: the output that is not preferred."""


class RowWarning(Model, kw_only=True, frozen=True):
    """Something about one row that does not stop it from being used."""

    code: str
    line: int
    message: str
    remedy: str


class RuleRecord(Model, kw_only=True, frozen=True):
    """A rule's record in a workspace."""

    mean_error: float
    """Mean of observed minus expected effect: above zero the rule promises too little."""
    n: int
    n_covered: int
    """Results inside the stated 80 % interval."""
    n_hits: int
    """Results that were better than the parent."""
    rule: str


class Rules(Sent, kw_only=True, frozen=True):
    """When a loop is good enough or not worth going on (method, section 7)."""

    min_gain: float = NOT_SENT
    """Points of the metric below which an experiment's gain counts as diminishing."""
    min_margin_pct: float = NOT_SENT
    """Percent over the baseline that counts as a meaningful margin."""
    patience: int = NOT_SENT
    """Experiments without improvement before the loop counts as flat."""
    target: float | None = None
    """Score at which the model is good enough for production; its interval must be clear of it."""


class RunConfig(Sent, kw_only=True, frozen=True):
    """What was asked for. Null leaves a value to the provider ("auto")."""

    base_model: str
    dataset_version_id: str
    batch_size: int | None = None
    beta: float | None = None
    """DPO: weight of the penalty that keeps the model near its reference."""
    compute_multiplier: float | None = None
    """RFT: how much exploration a step buys."""
    eval_interval: int | None = None
    """RFT: steps between evaluations."""
    eval_samples: int | None = None
    """RFT: samples per item of an evaluation."""
    grader: str | None = None
    """RFT: the training grader, as canonical JSON text of an OpenAI grader."""
    l2_multiplier: float | None = None
    """DPO: weight of the L2 penalty."""
    learning_rate_multiplier: float | None = None
    method: Literal["dpo", "rft", "sft"] | str = NOT_SENT
    n_epochs: int | None = None
    reasoning_effort: Literal["high", "low", "medium"] | str | None = None
    """RFT: reasoning effort while sampling."""
    seed: int | None = None


class RunFault(Model, kw_only=True, frozen=True):
    """What keeps the service from seeing a run at its provider, or from sending it there."""

    detail: str
    """In the provider's words."""
    fault: str
    """`unauthorized`, `not_found`, `unreachable`, `timeout`, `rate_limited`, `unavailable`, `refused`, `malformed`."""
    since: datetime


class Sampling(Sent, kw_only=True, frozen=True):
    """How the model is sampled."""

    max_completion_tokens: int = NOT_SENT
    seed: int | None = None
    temperature: float = NOT_SENT


class Scale(Sent, kw_only=True, frozen=True):
    """The range of the combined score."""

    max: float = NOT_SENT
    min: float = NOT_SENT


class SeparatingRun(Model, kw_only=True, frozen=True):
    """The cheapest run that tells two entangled changes apart."""

    overrides: Overrides
    parent_run_id: str
    statement: str


class SliceComparison(Model, kw_only=True, frozen=True):
    """A candidate against a reference on the items of one tag."""

    comparison: Comparison
    n_items: int
    tag: str


class SplitPart(Sent, kw_only=True, frozen=True):
    """One part of a split."""

    name: str
    share: float


class Spread(Model, kw_only=True, frozen=True):
    """A distribution of estimated token counts."""

    max: int
    median: float
    p95: float
    total: int


class Step(Model, kw_only=True, frozen=True):
    """One question of the method's tree and its answer."""

    answer: Literal["no", "unknown", "yes"] | str
    evidence: list[str]
    """Codes of the evidence that answered it."""
    question: str


class StopRule(Model, kw_only=True, frozen=True):
    """One of the four stop rules (method, section 7)."""

    detail: str
    met: bool
    rule: Literal["beaten_and_flat", "budget", "diminishing_returns", "good_enough"] | str


class SuiteGuardrail(Sent, kw_only=True, frozen=True):
    """A metric that a better model must not pay with."""

    name: str
    """A grader of the suite by its name, or `completion_tokens` or `latency_s`, of which less is better."""
    tolerance: float = NOT_SENT
    """How much may be lost: in points of the scale, in tokens, in seconds."""


class TokensBeside(Model, kw_only=True, frozen=True):
    """Completion tokens beside the score: the same score with fewer tokens is better."""

    candidate_mean: float | None = None
    ratio: float | None = None
    """Candidate over reference; null without both, or at zero."""
    reference_mean: float | None = None


class TouchedRow(Model, kw_only=True, frozen=True):
    """A row that a derivation drops or adds."""

    answer: str
    """The beginning of its answer."""
    line: int
    """The line of the source on which it begins; 0 for a row that is added."""
    operation: (
        Literal[
            "add_examples",
            "convert",
            "drop_contradictions",
            "drop_duplicates",
            "drop_ids",
            "fix_contradictions",
            "keep_by_score",
            "split",
            "upload",
        ]
        | str
    )
    prompt: str
    """The beginning of its last question."""
    reason: str
    row_id: str


class TrackRecord(Model, kw_only=True, frozen=True):
    """How the predictions of each rule turned out in this workspace."""

    demoted: list[str]
    """Rules that helped so seldom here that others go before them."""
    rules: list[RuleRecord]


class Warning(Model, kw_only=True, frozen=True):
    """Something that weakens the loop, though it does not block it."""

    code: str
    message: str
    severity: Literal["caution", "critical", "info"] | str


class WebhookDelivery(Model, kw_only=True, frozen=True):
    """One event on its way to one endpoint."""

    attempts: int
    created_at: datetime
    endpoint_id: str
    id: str
    status: Literal["delivered", "failed", "pending"] | str
    type: str
    event_id: str | None = None
    """Null for a test call."""
    finished_at: datetime | None = None
    last_error: str | None = None
    last_status_code: int | None = None
    next_attempt_at: datetime | None = None


class WebhookEndpoint(Model, kw_only=True, frozen=True):
    """An endpoint that is told of events, signed as Standard Webhooks prescribes."""

    created_at: datetime
    id: str
    status: Literal["disabled", "enabled"] | str
    updated_at: datetime
    url: str
    version: int
    description: str | None = None
    disabled_reason: str | None = None
    event_types: list[str] | None = None


class WeightedGrader(Sent, kw_only=True, frozen=True):
    """One dimension of the combined score and the grader that scores it."""

    grader: dict[str, Any]
    """A grader as OpenAI writes it: `string_check`, `text_similarity`, `score_model`, `label_model`, `multi`. For the
    metric `cosine` it may name an `embedding_model`.
    """
    name: str
    weight: float = NOT_SENT


class Action(Model, kw_only=True, frozen=True):
    """What to do."""

    fingerprint: str
    """Names what is advised apart from when: a declined fingerprint is not advised again."""
    kind: (
        Literal[
            "attach_dataset",
            "clean_up",
            "do_not_fine_tune",
            "evaluate",
            "final_test",
            "fix_data",
            "record_baseline",
            "repeat_run",
            "review",
            "ship",
            "start_run",
            "stop",
            "wait",
        ]
        | str
    )
    recommendation_id: str
    check_after_s: int | None = None
    """When to ask again, in seconds; set for `wait`."""
    request: Request | None = None
    """Null where a person must act."""
    subject_id: str | None = None
    """The run, evaluation or dataset version that it is about."""


class Alternative(Model, kw_only=True, frozen=True):
    """Something else that could be done, and why it is not the advice."""

    headline: str
    kind: (
        Literal[
            "attach_dataset",
            "clean_up",
            "do_not_fine_tune",
            "evaluate",
            "final_test",
            "fix_data",
            "record_baseline",
            "repeat_run",
            "review",
            "ship",
            "start_run",
            "stop",
            "wait",
        ]
        | str
    )
    why_not: str
    change: AlternativeChange | None = None


class Attribution(Model, kw_only=True, frozen=True):
    """How two runs really differ, and whether their difference may be credited to one change."""

    changed: list[
        Literal[
            "base_model",
            "batch_size",
            "beta",
            "compute_multiplier",
            "dataset_version_id",
            "eval_interval",
            "eval_samples",
            "grader",
            "l2_multiplier",
            "learning_rate_multiplier",
            "method",
            "n_epochs",
            "reasoning_effort",
        ]
        | str
    ]
    """What was asked to differ, and does."""
    confounded: bool
    """More than one difference that can move a score one way: nothing may be credited to any of them."""
    not_taken: list[
        Literal[
            "base_model",
            "batch_size",
            "beta",
            "compute_multiplier",
            "dataset_version_id",
            "eval_interval",
            "eval_samples",
            "grader",
            "l2_multiplier",
            "learning_rate_multiplier",
            "method",
            "n_epochs",
            "reasoning_effort",
        ]
        | str
    ]
    """What was asked to differ and does not."""
    statement: str
    unasked: list[
        Literal[
            "base_model",
            "base_model_snapshot",
            "batch_size",
            "beta",
            "compute_multiplier",
            "dataset_version_id",
            "eval_interval",
            "eval_samples",
            "grader",
            "l2_multiplier",
            "learning_rate_multiplier",
            "method",
            "n_epochs",
            "n_steps",
            "reasoning_effort",
            "seed",
            "validation_sha256",
        ]
        | str
    ]
    """What differs though nobody asked for it, the seed among it."""
    unknown: list[
        Literal[
            "base_model",
            "base_model_snapshot",
            "batch_size",
            "beta",
            "compute_multiplier",
            "dataset_version_id",
            "eval_interval",
            "eval_samples",
            "grader",
            "l2_multiplier",
            "learning_rate_multiplier",
            "method",
            "n_epochs",
            "n_steps",
            "reasoning_effort",
            "seed",
            "validation_sha256",
        ]
        | str
    ]
    """What cannot be compared, because one of the runs does not tell."""
    separating: SeparatingRun | None = None
    """The cheapest run that tells them apart; null when there is nothing to separate, or no one run can."""


class Calibration(Model, kw_only=True, frozen=True):
    """How a judge's scores stand to hand grades of the same answers."""

    agreement: RankAgreement
    n: int
    statement: str
    verdict: Literal["biased", "cannot_tell", "doubtful", "sound", "unsound"] | str
    """`sound`: ranks alike, no bias seen. `biased`: ranks alike, but scores too high or too low; differences between
    models hold, the level does not. `doubtful`, `unsound`: ranks too little alike to choose by.
    """
    bias: float | None = None
    """Mean of judge minus hand, in points."""
    bias_high: float | None = None
    bias_low: float | None = None
    correction: Correction | None = None
    """Null unless the judge ranks alike."""
    mean_absolute_error: float | None = None
    within_one_share: float | None = None
    """Share of answers on which the two differ by at most a tenth of the scale."""


class Change(Model, kw_only=True, frozen=True):
    """The one variable that changes against the parent run."""

    expects: Expectation
    held_fixed: list[
        Literal[
            "base_model",
            "batch_size",
            "beta",
            "compute_multiplier",
            "dataset_version_id",
            "eval_interval",
            "eval_samples",
            "grader",
            "l2_multiplier",
            "learning_rate_multiplier",
            "method",
            "n_epochs",
            "reasoning_effort",
        ]
        | str
    ]
    variable: (
        Literal[
            "base_model",
            "batch_size",
            "beta",
            "compute_multiplier",
            "dataset_version_id",
            "eval_interval",
            "eval_samples",
            "grader",
            "l2_multiplier",
            "learning_rate_multiplier",
            "method",
            "n_epochs",
            "reasoning_effort",
        ]
        | str
    )
    from_value: str | int | float | None = None
    to_value: str | int | float | None = None


class Check(Model, kw_only=True, frozen=True):
    """One check's verdict on the set."""

    code: (
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
        | str
    )
    n_rows: int
    """Rows it points at."""
    rows: list[RowMark]
    """The worst of them, worst first."""
    source: str
    statement: str
    verdict: Literal["caution", "critical", "good", "not_computed"] | str
    effect: Effect | None = None
    """Null where there is no measurement to quote."""
    operation: (
        Literal[
            "add_examples",
            "convert",
            "drop_contradictions",
            "drop_duplicates",
            "drop_ids",
            "fix_contradictions",
            "keep_by_score",
            "split",
            "upload",
        ]
        | str
        | None
    ) = None
    """The operation of `derive` that mends it; null where a person must."""
    remedy: str | None = None
    threshold: float | None = None
    value: float | None = None


class Choices(Sent, kw_only=True, frozen=True):
    """What advice may choose from; null leaves a variable to the model catalogue's and the method's range."""

    base_models: list[str] | None = None
    batch_size: Range | None = None
    learning_rate_multiplier: Range | None = None
    methods: list[Literal["dpo", "rft", "sft"] | str] | None = None
    n_epochs: Range | None = None


class Cleanup(Model, kw_only=True, frozen=True):
    """What was found, and what was asked to be deleted."""

    dry_run: bool
    leftovers: list[Leftover]
    n_deleting: int


class CreatedKey(Model, kw_only=True, frozen=True):
    """A key just made; `secret` is shown this once."""

    key: Key
    secret: str | None = None
    """Null when an idempotent request is answered once more: a secret is stored nowhere."""


class CreatedWebhookEndpoint(Model, kw_only=True, frozen=True):
    """An endpoint just made; its signing secret is shown this once."""

    endpoint: WebhookEndpoint
    secret: str | None = None
    """Null when an idempotent request is answered once more."""


class CurveReading(Model, kw_only=True, frozen=True):
    """What a curve shows: the numbers every rule reads, the verdict, and the findings."""

    best_is_last: bool
    """Whether validation loss was still at its minimum when training ended."""
    findings: list[Finding]
    last_step: int
    n_points: int
    n_valid_points: int
    nominated_steps: list[int]
    """Steps whose checkpoints deserve a held-out evaluation, most promising first."""
    shape: (
        Literal[
            "diverged",
            "healthy",
            "mild_overfitting",
            "moderate_overfitting",
            "no_validation",
            "oscillating",
            "plateau",
            "severe_overfitting",
            "too_short",
            "underfitting",
            "unknown",
        ]
        | str
    )
    """The curve in one word: what a reader would call it."""
    thresholds_version: str
    trend: Literal["above_first", "collapsed", "falling", "flat", "oscillating", "risen", "unknown"] | str
    """The shape of the validation loss."""
    valid_source: Literal["batch", "full", "none"] | str
    verdict: Literal["cannot_judge", "healthy", "mild", "moderate", "severe"] | str
    """Overfitting, resting on the ratio and the shape together."""
    verdict_basis: str
    """Which of ratio and shape the verdict rests on, in words."""
    best_accuracy: float | None = None
    best_step: int | None = None
    best_valid_loss: float | None = None
    change_from_first: float | None = None
    """Last over first validation loss after training began; above 1 the learning rate is the first suspect."""
    first_train_loss: float | None = None
    first_valid_loss: float | None = None
    initial_ratio: float | None = None
    """Validation over smoothed training loss at the first evaluated step; the ratio at the end is compared with it."""
    last_train_loss: float | None = None
    """Training loss at the end, averaged over the neighbouring steps."""
    last_valid_loss: float | None = None
    noise: float | None = None
    """Standard deviation of one validation value, relative to the best level; null where it cannot be estimated."""
    overfit_ratio: float | None = None
    """Validation over smoothed training loss at the last evaluated step; null where it cannot be formed."""
    rise: float | None = None
    """Last over best validation loss."""


class DatasetOperation(Sent, kw_only=True, frozen=True):
    """One operation that makes a new version; each kind reads its own fields."""

    kind: (
        Literal[
            "add_examples",
            "convert",
            "drop_contradictions",
            "drop_duplicates",
            "drop_ids",
            "fix_contradictions",
            "keep_by_score",
            "split",
        ]
        | str
    )
    answer_field: str = NOT_SENT
    """`convert` from RFT to SFT: the field that holds the answer."""
    checks: (
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
            | str
        ]
        | None
    ) = None
    """`drop_ids`: checks of the quality report, in place of names or beside them: every row that one of them points at
    (`/quality/rows?check=` lists them).
    """
    examples: list[dict[str, Any]] | None = None
    """`add_examples`: rows in the version's own format."""
    ids: list[str] | None = None
    """`drop_ids`: names of rows, as the quality report gives them."""
    lines: list[int] | None = None
    """`drop_ids`: the lines that rows begin on, in place of their names or beside them."""
    method: Literal["dpo", "rft", "sft"] | str | None = None
    """`convert`: the format to convert to."""
    min_judge_score: float | None = None
    """`keep_by_score`: rows that a judge scored lower are dropped, in place of or beside `min_score`; rows that it did
    not score are kept. Needs a judging.
    """
    min_score: float | None = None
    """`keep_by_score`: rows with a lower score in the quality report are dropped."""
    near: bool = NOT_SENT
    """`drop_duplicates`: also rows nearly like an earlier one with the same answer; needs the quality report."""
    parts: list[SplitPart] | None = None
    """`split`: names and shares, which add up to 1. Rows with the same input, and near duplicates where the quality
    report knows them, stay together. Each part becomes the next version of the dataset `<dataset>-<part>`.
    """


class DatasetVersion(Model, kw_only=True, frozen=True):
    """An immutable version of a dataset: what was uploaded or derived, checked and counted."""

    created_at: datetime
    dataset_id: str
    derived_by: list[
        Literal[
            "add_examples",
            "convert",
            "drop_contradictions",
            "drop_duplicates",
            "drop_ids",
            "fix_contradictions",
            "keep_by_score",
            "split",
            "upload",
        ]
        | str
    ]
    format: str
    id: str
    method: str
    """The training method its rows are formatted for."""
    n_bytes: int
    n_contradictions: int
    n_duplicates: int
    n_examples: int
    name: str
    """`v1`, `v2`, ..."""
    number: int
    sha256: str
    warning_counts: dict[str, int]
    """Row warnings by code, over the whole file."""
    warnings: list[RowWarning]
    """The first row warnings in full."""
    n_label_suspects: int | None = None
    n_tokens: int | None = None
    parent_id: str | None = None


class DerivedPart(Model, kw_only=True, frozen=True):
    """One version that came, or would come, of a derivation."""

    n_examples: int
    name: str
    """`main`, or the name of the part of a split."""
    version: DatasetVersion | None = None
    """Null after a dry run."""


class Diagnosis(Model, kw_only=True, frozen=True):
    """What a run shows: the path through the method's tree and the findings beside it, each with its numbers."""

    created_at: datetime
    evidence: list[Evidence]
    findings: list[DiagnosisFinding]
    fingerprint: str
    """The same evidence has the same fingerprint, and gives the same diagnosis."""
    headline: str
    id: str
    leaf: str
    """Where the path through the tree ended."""
    loop_id: str
    path: list[Step]
    run_id: str
    thresholds_version: str
    """The thresholds that the curve was read with: the rules' version, and a fingerprint of the loop's own."""


class EvalSuite(Model, kw_only=True, frozen=True):
    """An immutable definition of an evaluation."""

    created_at: datetime
    fingerprint: str
    """SHA-256 over items, graders, judge and sampling: results compare only when it is equal."""
    graders: list[WeightedGrader]
    guardrails: list[SuiteGuardrail]
    id: str
    judged: bool
    """Whether a grader asks a model."""
    loop_id: str
    n_items: int
    n_looks: int
    """Evaluations that have used it: each look weakens it a little."""
    name: str
    role: Literal["final_test", "selection"] | str
    sampling: Sampling
    scale: Scale
    canaries: CanaryReading | None = None
    """How the judge treated answers that only try to influence it; null until its first evaluation, or without one."""
    dataset_version_id: str | None = None
    regrade: RegradeNoise | None = None
    regrade_sd: float | None = None
    """What grading the same answer again changes: standard deviation of one item's score; null until measured."""


class Evaluation(Model, kw_only=True, frozen=True):
    """A suite's result on a base model, a run or a checkpoint."""

    created_at: datetime
    dimensions: list[DimensionScore]
    embedding_tokens: int
    """For the vectors that `cosine` compares."""
    errors: list[ErrorCount]
    """Why items have no score, with counts."""
    fingerprint: str
    id: str
    judge_tokens: int
    loop_id: str
    n_done: int
    n_gradings: int
    n_items: int
    n_repeated: int
    """Items that were asked for more than once, because an answer was lost, a server was busy or a worker died."""
    n_scored: int
    origin: Literal["registered", "regraded", "service"] | str
    status: Literal["cancelled", "failed", "pending", "running", "succeeded"] | str
    subject: Literal["base_model", "checkpoint", "run"] | str
    suite_id: str
    updated_at: datetime
    version: int
    base_model: str | None = None
    checkpoint_id: str | None = None
    combined: float | None = None
    """Mean combined score over the scored items; null until there is one."""
    completion_tokens: int | None = None
    completion_tokens_mean: float | None = None
    cost: Decimal | None = None
    """By `prices`; null without them."""
    ended_early: Literal["cancelled", "failing", "hopeless", "max_cost", "max_tokens"] | str | None = None
    """Why it ended before its last item; null when it did not."""
    failure: str | None = None
    finished_at: datetime | None = None
    instrument: str | None = None
    """What graded it, where that was not the suite: the outside tool and its scorer."""
    max_cost: Decimal | None = None
    max_tokens: int | None = None
    model: str | None = None
    pause: Pause | None = None
    """While a platform is to be left alone; null otherwise."""
    prices: NewTokenPrices | None = None
    prompt_tokens: int | None = None
    provider: str | None = None
    recommendation_id: str | None = None
    regrade_of: str | None = None
    run_id: str | None = None
    started_at: datetime | None = None
    stop_if_hopeless_against: str | None = None


class EvaluationComparison(Model, kw_only=True, frozen=True):
    """A paired comparison of two evaluations, with what stands beside the score."""

    completion_tokens: TokensBeside
    confidence: float
    """Confidence of all `n_comparisons` intervals together."""
    guardrails: list[GuardrailReading]
    missing: list[MissingItem]
    """The first 100 items that lack a score on one side or both."""
    n_comparisons: int
    n_missing_candidate: int
    n_missing_reference: int
    n_pairs: int
    noise_floor: Literal["items", "regrading", "repeated_runs"] | str
    """What the interval counts beside the items' own spread: nothing (`items`), what grading the same answers again
    changes where the items show less (`regrading`), or what training the same configuration again changes
    (`repeated_runs`), measured in this loop.
    """
    noise_floor_sd: float
    """Standard deviation of the difference that it adds, in points of the metric."""
    slices: list[SliceComparison]
    """By tag, corrected over the slices (Holm); only tags of five items and more."""
    statement: str
    verdict: Literal["improved", "inconclusive", "no_difference", "not_comparable", "worse"] | str
    """`improved` or `worse`: the interval is clear of zero and no outcome of the missing items could undo it.
    `no_difference`: the interval lies inside the margin. `inconclusive`: cannot tell. `not_comparable`: suite,
    graders or judge differ.
    """
    attribution: Attribution | None = None
    """Whether the difference may be credited to one change; null unless both sides are of runs, and of two."""
    best_case: float | None = None
    """The difference if every missing item turned out best for the candidate."""
    difference: float | None = None
    """Mean of candidate minus reference, in points of the metric; null without a shared item."""
    high: float | None = None
    low: float | None = None
    """Lower end of the interval of the difference, corrected for the number of comparisons."""
    minimum_detectable_effect: float | None = None
    """Smallest true difference that a comparison of this precision shows with 80 % power."""
    p_value: float | None = None
    """Two-sided, corrected for the number of comparisons."""
    standard_error: float | None = None
    test: Literal["bootstrap", "clustered_t", "exact_mcnemar", "exact_sign", "paired_t"] | str | None = None
    worst_case: float | None = None
    """The difference if every missing item turned out worst for the candidate."""


class EvaluationItem(Model, kw_only=True, frozen=True):
    """One item of an evaluation: the answer, its scores, what it took."""

    attempts: int
    """How often the model under test was asked."""
    done: bool
    gradings: list[float]
    """The combined score of each grading, where an answer was graded more than once."""
    index: int
    judgements: list[Judgement]
    messages: list[dict[str, Any]]
    scores: dict[str, float | None]
    tags: list[str]
    combined: float | None = None
    completion_tokens: int | None = None
    error: ItemError | None = None
    finish_reason: str | None = None
    latency_s: float | None = None
    output: str | None = None
    prompt_tokens: int | None = None
    reference: str | None = None
    tool_calls: list[Any] | None = None


class History(Model, kw_only=True, frozen=True):
    """The experiment table: one row a run, in order of number."""

    loop_id: str
    rows: list[HistoryRow]
    state_version: int


class JudgeCalibration(Model, kw_only=True, frozen=True):
    """How a suite's graders stand to hand grades of the same answers."""

    created_at: datetime
    id: str
    n_grades: int
    reading: Calibration
    suite_id: str
    dimension: str | None = None


class Loop(Model, kw_only=True, frozen=True):
    """One fine-tuning goal that is being iterated on."""

    autopilot: Literal["auto", "off", "propose"] | str
    budget: Budget
    choices: Choices
    created_at: datetime
    id: str
    metric: Metric
    n_runs: int
    rules: Rules
    slug: str
    state_version: int
    """Counts whatever may alter the advice."""
    task: str
    thresholds: CurveThresholds
    updated_at: datetime
    version: int
    baseline_evaluation_id: str | None = None
    dataset_id: str | None = None
    validation_version_id: str | None = None


class MetricsReceipt(Model, kw_only=True, frozen=True):
    """What became of a batch of points or a result file."""

    format: str
    """The dialect that was read: `points`, or the kind of result file."""
    last_step: int
    n_new: int
    """Values not known before."""
    n_values: int
    """Values received."""
    notes: list[str]
    """What was renamed, repaired or left out."""
    run_id: str
    reading: CurveReading | None = None


class QualityReport(Model, kw_only=True, frozen=True):
    """The quality of a dataset version. Until it is `ready` for the first time, its findings are empty."""

    checks: list[Check]
    """The rows of the check `label_errors` are the suspects, most suspicious first, with the confidence as score."""
    compared_with: list[ComparedSet]
    """The validation files and eval suites of the loops that train on the dataset; a new one has the newest version's
    report made again.
    """
    created_at: datetime
    dataset_version_id: str
    labels: list[LabelCount]
    """Most frequent first; empty where the answers are not labels."""
    n_rows: int
    n_rows_done: int
    """Rows read so far; the checks follow when all are read."""
    pairs: list[RowPair]
    """Duplicates, contradictions and leaks to look at side by side; of each kind the first 100."""
    status: Literal["failed", "pending", "ready", "running"] | str
    updated_at: datetime
    version: int
    answer_tokens: Spread | None = None
    failure: str | None = None
    finished_at: datetime | None = None
    headline: str | None = None
    n_label_suspects: int | None = None
    """Null where the answers are not labels, or too few to judge."""
    rules_version: str | None = None
    started_at: datetime | None = None
    tokens: Spread | None = None
    verdict: Literal["caution", "critical", "good", "not_computed"] | str | None = None
    """The worst verdict of the checks."""


class RelatedRow(Model, kw_only=True, frozen=True):
    """The row because of which a check points at another one."""

    check: (
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
        | str
    )
    line: int
    row_id: str
    text: RowText | None = None


class Run(Model, kw_only=True, frozen=True):
    """One training experiment of a loop."""

    changed: list[
        Literal[
            "base_model",
            "batch_size",
            "beta",
            "compute_multiplier",
            "dataset_version_id",
            "eval_interval",
            "eval_samples",
            "grader",
            "l2_multiplier",
            "learning_rate_multiplier",
            "method",
            "n_epochs",
            "reasoning_effort",
        ]
        | str
    ]
    """What it changes against its parent; empty for a first run or a repeat."""
    config: RunConfig
    confounded_by: list[str]
    """The variables changed when more than one was: nothing may be attributed to such a run."""
    created_at: datetime
    id: str
    loop_id: str
    name: str
    """`R1`, `R2`, ... within the loop."""
    number: int
    provider: str
    status: Literal["cancelled", "failed", "paused", "pending", "queued", "running", "submitting", "succeeded"] | str
    updated_at: datetime
    version: int
    cost: Decimal | None = None
    effective: EffectiveConfig | None = None
    failure: str | None = None
    finished_at: datetime | None = None
    last_step: int | None = None
    model: str | None = None
    """The name under which the provider serves the final model."""
    note: str | None = None
    parent_run_id: str | None = None
    provider_fault: RunFault | None = None
    """What keeps the service from seeing the run at its provider at the moment; it is looked at again and again."""
    provider_job_id: str | None = None
    provider_status: str | None = None
    """The status in the provider's own words."""
    reading: CurveReading | None = None
    """The reading of the training curve; null until there are metrics."""
    recommendation_id: str | None = None
    started_at: datetime | None = None
    trained_tokens: int | None = None


class ScoredRow(Model, kw_only=True, frozen=True):
    """One row of a dataset version as its quality report sees it, and as its judge does."""

    checks: list[
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
        | str
    ]
    """The checks that point at it."""
    line: int
    related: list[RelatedRow]
    """With `include=text`, the rows of this version that it repeats or contradicts: the closest one for each check."""
    row_id: str
    """Name of the row by its content; `drop_ids` takes it, and rows that say the same share it."""
    score: float
    """0 (bad) to 1 (nothing found): the product over the checks that point at it."""
    judgement: RowJudgement | None = None
    """Null for a row that no judge was asked about."""
    label_confidence: float | None = None
    """How far the other rows bear out its label, 0 to 1; null where labels were not judged."""
    text: RowText | None = None
    """Null unless asked for with `include=text`; and for a row of more than 1 MB, or where an earlier release made the
    report: have it made again.
    """


class Answer(Model, kw_only=True, frozen=True):
    """The answer to "what next?". Exactly one change, or none."""

    action: Action
    alternatives: list[Alternative]
    as_of: str
    budget: BudgetUse
    confidence: Confidence
    evidence: list[Evidence]
    headline: str
    loop_id: str
    markdown: str
    path: list[Step]
    phase: Literal["baseline", "evaluate", "finish", "plan", "setup", "train"] | str
    rationale: list[str]
    rules_version: str
    state_version: int
    stop_rules: list[StopRule]
    thresholds_version: str
    """The thresholds that the loop's curves were read with: the rules' version, and a fingerprint of the loop's own."""
    warnings: list[Warning]
    change: Change | None = None
    method_reading: MethodReading | None = None


class Derivation(Model, kw_only=True, frozen=True):
    """What the operations did, and the versions that came of them."""

    dropped_lines: list[int]
    """The lines of the first rows that were dropped."""
    effects: list[OperationEffect]
    """What each operation did, in order."""
    n_after: int
    n_before: int
    parts: list[DerivedPart]
    """Every version: one, or one for each part of a split."""
    touched: list[TouchedRow]
    """The first rows that were dropped or added, and why."""
    version: DatasetVersion | None = None
    """The new version, or the first part of a split; null after a dry run."""


class MultiModelRuns(Model, kw_only=True, frozen=True):
    """The runs that were started."""

    runs: list[Run]
    statement: str


class Recommendation(Model, kw_only=True, frozen=True):
    """What to do next, and why, as it was said at one state of the loop."""

    answer: Answer
    created_at: datetime
    headline: str
    id: str
    kind: (
        Literal[
            "attach_dataset",
            "clean_up",
            "do_not_fine_tune",
            "evaluate",
            "final_test",
            "fix_data",
            "record_baseline",
            "repeat_run",
            "review",
            "ship",
            "start_run",
            "stop",
            "wait",
        ]
        | str
    )
    loop_id: str
    rules_version: str
    state_version: int
    status: Literal["accepted", "declined", "open", "superseded"] | str
    updated_at: datetime
    version: int
    carried_out_by: str | None = None
    """The run, evaluation, dataset version or deployment that came of it."""
    decision: Decision | None = None
