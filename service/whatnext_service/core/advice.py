"""The answer to "what next?": one action, its evidence, and honest confidence."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from whatnext_service.core.evaluations import SubjectKind
from whatnext_service.core.loops import Direction, Method
from whatnext_service.core.runs import RunConfig, Variable
from whatnext_service.core.split import SplitPart
from whatnext_service.core.thresholds import THRESHOLDS_VERSION

RULES_VERSION = "2026.11.2"

ActionKind = Literal[
    "attach_dataset",
    "fix_data",
    "record_baseline",
    "start_run",
    "repeat_run",
    "evaluate",
    "wait",
    "review",
    "final_test",
    "ship",
    "stop",
    "clean_up",
    "do_not_fine_tune",
]
Phase = Literal["setup", "baseline", "train", "evaluate", "plan", "finish"]
Severity = Literal["info", "caution", "critical"]
SourceType = Literal["loop", "run", "evaluation", "dataset_version", "eval_suite", "base_model", "rule"]
Value = str | int | float | None


class Overrides(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a run changes against its parent: exactly one field, or `seed` alone for a repeat."""

    base_model: str | None = None
    dataset_version_id: str | None = None
    method: Literal["sft", "dpo", "rft"] | None = None
    n_epochs: int | None = None
    learning_rate_multiplier: float | None = None
    batch_size: int | None = None
    seed: int | None = None
    beta: float | None = None
    l2_multiplier: float | None = None
    compute_multiplier: float | None = None
    reasoning_effort: Literal["low", "medium", "high"] | None = None
    eval_interval: int | None = None
    eval_samples: int | None = None
    grader: str | None = None


class RequestBody(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The body of the literal call that carries an action out; absent fields are not sent."""

    loop_id: str | None = None
    parent_run_id: str | None = None
    recommendation_id: str | None = None
    provider: str | None = None
    config: RunConfig | None = None
    overrides: Overrides | None = None
    suite_id: str | None = None
    subject: SubjectKind | None = None
    base_model: str | None = None
    base_models: tuple[str, ...] | None = None
    dataset_version_id: str | None = None
    n_epochs: int | None = None
    learning_rate_multiplier: float | None = None
    run_id: str | None = None
    checkpoint_id: str | None = None
    evaluation_id: str | None = None
    role: str | None = None
    operations: tuple["DeriveOperation", ...] | None = None
    dry_run: bool | None = None


class DeriveOperation(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One operation that makes a new dataset version; absent fields are not sent."""

    kind: Literal[
        "drop_duplicates", "drop_contradictions", "fix_contradictions", "keep_by_score", "drop_ids", "split", "convert"
    ]
    near: bool = False
    ids: tuple[str, ...] | None = None
    checks: tuple[str, ...] | None = None
    """`drop_ids`: the checks of the version's quality report whose rows are dropped."""
    min_judge_score: float | None = None
    parts: tuple[SplitPart, ...] | None = None
    method: Method | None = None


class Request(msgspec.Struct, kw_only=True, frozen=True):
    """The literal HTTP call that carries the action out."""

    method: Literal["POST", "PUT", "PATCH", "DELETE", "GET"]
    path: str
    body: RequestBody | None


class Action(msgspec.Struct, kw_only=True, frozen=True):
    """What to do."""

    kind: ActionKind
    recommendation_id: str
    fingerprint: str
    """Names what is advised apart from when: a declined fingerprint is not advised again."""
    subject_id: str | None
    """The run, evaluation or dataset version that it is about."""
    check_after_s: int | None
    """When to ask again, in seconds; set for `wait`."""
    request: Request | None
    """Null where a person must act."""


class Expectation(msgspec.Struct, kw_only=True, frozen=True):
    """What the change should do, stated before it is tried, and scored afterwards."""

    metric: str
    direction: Direction
    by_at_least: float | None
    judged_on: str | None
    """The suite that will judge it."""
    effect: float | None
    """Expected change of the score, in points of the metric; null without a basis for a number."""
    effect_low: float | None
    """Lower end of the 80 % prediction interval."""
    effect_high: float | None
    basis: str
    rule: str
    """The rule that made the prediction; its track record is kept under this name."""


class Change(msgspec.Struct, kw_only=True, frozen=True):
    """The one variable that changes against the parent run."""

    variable: Variable
    from_value: Value
    to_value: Value
    held_fixed: tuple[Variable, ...]
    expects: Expectation


class Step(msgspec.Struct, kw_only=True, frozen=True):
    """One question of the method's tree and its answer."""

    question: str
    answer: Literal["yes", "no", "unknown"]
    evidence: tuple[str, ...]
    """Codes of the evidence that answered it."""


class Evidence(msgspec.Struct, kw_only=True, frozen=True):
    """One number the advice rests on, and where it came from."""

    code: str
    statement: str
    value: float | None
    threshold: float | None
    source_type: SourceType
    source_id: str | None
    href: str | None


class Confidence(msgspec.Struct, kw_only=True, frozen=True):
    """How sure the advice is, in words."""

    level: Literal["low", "medium", "high"]
    basis: str
    would_raise_it: str


class AlternativeChange(msgspec.Struct, kw_only=True, frozen=True):
    """The one variable an alternative would change."""

    variable: Variable
    from_value: Value
    to_value: Value


class Alternative(msgspec.Struct, kw_only=True, frozen=True):
    """Something else that could be done, and why it is not the advice."""

    kind: ActionKind
    change: AlternativeChange | None
    headline: str
    why_not: str


class StopRule(msgspec.Struct, kw_only=True, frozen=True):
    """One of the four stop rules (method, section 7)."""

    rule: Literal["beaten_and_flat", "diminishing_returns", "good_enough", "budget"]
    met: bool
    detail: str


class Warning(msgspec.Struct, kw_only=True, frozen=True):
    """Something that weakens the loop, though it does not block it."""

    code: str
    severity: Severity
    message: str


class BudgetUse(msgspec.Struct, kw_only=True, frozen=True):
    """What was spent, of what may be."""

    runs_used: int
    runs_max: int | None
    cost_used: Decimal
    cost_max: Decimal | None
    currency: str


class MethodReading(msgspec.Struct, kw_only=True, frozen=True):
    """What the published method, read literally, would do, and why the advice departs from it where it does."""

    headline: str
    agrees: bool
    departure: str | None


class Answer(msgspec.Struct, kw_only=True, frozen=True):
    """The answer to "what next?". Exactly one change, or none."""

    loop_id: str
    state_version: int
    rules_version: str
    as_of: datetime
    phase: Phase
    headline: str
    action: Action
    change: Change | None
    path: tuple[Step, ...]
    method_reading: MethodReading | None
    rationale: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    confidence: Confidence
    alternatives: tuple[Alternative, ...]
    stop_rules: tuple[StopRule, ...]
    warnings: tuple[Warning, ...]
    budget: BudgetUse
    markdown: str
    thresholds_version: str = THRESHOLDS_VERSION
    """The thresholds that the loop's curves were read with: the rules' version, and a fingerprint of the loop's own."""
