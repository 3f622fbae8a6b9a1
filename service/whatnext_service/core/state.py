"""Everything the answer to "what next?" depends on. The same state gives the same answer, byte for byte."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from whatnext_service.core.evaluations import Evaluation, Suite
from whatnext_service.core.loops import Loop, Method
from whatnext_service.core.runs import Run
from whatnext_service.core.track_record import RuleRecord

DerivationKind = Literal[
    "upload",
    "drop_duplicates",
    "drop_contradictions",
    "fix_contradictions",
    "keep_by_score",
    "drop_ids",
    "add_examples",
    "split",
    "convert",
]


class Fault(msgspec.Struct, kw_only=True, frozen=True):
    """What the quality report of a version found wrong with it."""

    code: str
    """The check."""
    verdict: Literal["caution", "critical"]
    n_rows: int
    """Rows of the version that the check points at."""
    lines: tuple[int, ...]
    """The first of them."""
    statement: str
    remedy: str | None
    limit: float | None
    """The score below which a judge's rows count as bad; null for other checks."""
    operation: DerivationKind | None = None
    """What mends it without a look at the rows."""


class DatasetVersion(msgspec.Struct, kw_only=True, frozen=True):
    """An immutable version of the loop's training dataset, and what is known of its quality."""

    id: str
    number: int
    """1 for v1."""
    sha256: str
    n_examples: int
    method: Method
    """The training method its rows are formatted for."""
    parent_id: str | None
    derived_by: tuple[DerivationKind, ...]
    """How it came from its parent; `("upload",)` when it was uploaded."""
    n_duplicates: int
    """Rows that repeat an earlier row exactly."""
    n_contradictions: int
    """Rows whose prompt also occurs with another answer."""
    n_label_suspects: int | None
    """Rows whose answer looks wrong; null when not computed."""
    n_tokens: int | None
    created_at: datetime
    checked: bool = False
    """Whether its quality report is made."""
    faults: tuple[Fault, ...] = ()
    """What that report found wrong."""

    @property
    def name(self) -> str:
        """`v1`, `v2`, ..."""
        return f"v{self.number}"


class MissingType(msgspec.Struct, kw_only=True, frozen=True):
    """A type of input that a model fails on and that the training data has few examples of."""

    evaluation_id: str
    name: str
    terms: tuple[str, ...]
    """Words that tell it from the rest."""
    n_failed: int
    n_training_rows: int


class BaseModel(msgspec.Struct, kw_only=True, frozen=True):
    """One entry of the model catalogue (method, section 6.3)."""

    name: str
    provider: str
    """The provider that trains it: `openai` or `sandbox`; `any` when several do."""
    family: str
    best_for: str
    methods: tuple[Method, ...]
    start_epochs: int
    start_learning_rate: float
    learning_rate_min: float
    learning_rate_max: float
    epochs_max: int
    min_examples: int | None
    """Fewest examples with which it is worth trying; null when any number will do."""
    notes: str
    training_price_per_mtok: Decimal | None
    """Price of a million trained tokens, in US dollars; null when unknown."""
    training_ends: date | None
    """Last day on which a new training job is accepted; null when none is announced."""
    retires: date | None
    """Last day on which it is served; null when none is announced."""
    source: str


class Decline(msgspec.Struct, kw_only=True, frozen=True):
    """A recommendation a person refused: its fingerprint is not advised again."""

    recommendation_id: str
    fingerprint: str
    reason: str | None


class OpenRecommendation(msgspec.Struct, kw_only=True, frozen=True):
    """The loop's standing recommendation: an unchanged answer keeps its id."""

    id: str
    fingerprint: str


class Deployment(msgspec.Struct, kw_only=True, frozen=True):
    """A served model."""

    id: str
    run_id: str
    checkpoint_id: str | None
    status: Literal["pending", "live", "deleted", "failed"]


class LoopState(msgspec.Struct, kw_only=True, frozen=True):
    """One loop with all that its advice rests on."""

    loop: Loop
    version: int
    """Counts every change that may alter the answer."""
    as_of: datetime
    """When the state last changed; the core has no other clock."""
    catalogue: tuple[BaseModel, ...]
    versions: tuple[DatasetVersion, ...]
    """Versions of the loop's training dataset, oldest first; empty until one is attached."""
    runs: tuple[Run, ...]
    """In order of number."""
    suites: tuple[Suite, ...]
    """Oldest first; the newest of a role is the one in force."""
    evaluations: tuple[Evaluation, ...]
    """Oldest first."""
    baseline_id: str | None
    """The evaluation of the untuned model that all are compared with."""
    deployments: tuple[Deployment, ...]
    declines: tuple[Decline, ...]
    open_recommendation: OpenRecommendation | None
    missing_types: tuple[MissingType, ...] = ()
    """Of the newest evaluations, most failures first."""
    track_record: tuple[RuleRecord, ...] = ()
    """How each rule's predictions turned out in this workspace."""
