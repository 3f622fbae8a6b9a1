"""Datasets and their versions on the wire."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from whatnext_service.contract.common import Body, Name, Reference, Resource, UtcTime
from whatnext_service.contract.evaluations import ItemError, Judgement
from whatnext_service.core.conversion import REFERENCE
from whatnext_service.core.derivation_preview import TouchedRow
from whatnext_service.core.derive import OperationEffect
from whatnext_service.core.diversity import FailureGroup
from whatnext_service.core.loops import Method
from whatnext_service.core.operations import OperationKind
from whatnext_service.core.quality import Check, CheckCode, CheckVerdict, LabelCount, RowPair, SetRole, Spread
from whatnext_service.core.quality_rows import RowText
from whatnext_service.core.row_judge import HIGHEST, LOWEST
from whatnext_service.core.split import SplitPart
from whatnext_service.core.state import DerivationKind

QualityStatus = Literal["pending", "running", "ready", "failed"]
FailuresStatus = Literal["pending", "ready", "failed"]


class NewDataset(Body, kw_only=True, frozen=True):
    """A dataset to be created; its versions are uploaded to it."""

    name: Name
    loop_id: Reference | None = None
    """The loop whose training dataset it becomes, when that loop has none yet."""


class Dataset(Resource, kw_only=True, frozen=True):
    """A named dataset: a line of immutable versions."""

    id: str
    name: str
    loop_id: str | None
    n_versions: int
    version: int
    created_at: UtcTime
    updated_at: UtcTime


class RowWarning(Resource, kw_only=True, frozen=True):
    """Something about one row that does not stop it from being used."""

    line: int
    code: str
    message: str
    remedy: str


class DatasetVersion(Resource, kw_only=True, frozen=True):
    """An immutable version of a dataset: what was uploaded or derived, checked and counted."""

    id: str
    dataset_id: str
    number: int
    name: str
    """`v1`, `v2`, ..."""
    parent_id: str | None
    derived_by: tuple[DerivationKind | str, ...]
    sha256: str
    n_bytes: int
    n_examples: int
    method: str
    """The training method its rows are formatted for."""
    format: str
    n_duplicates: int
    n_contradictions: int
    n_label_suspects: int | None
    n_tokens: int | None
    warning_counts: dict[str, int]
    """Row warnings by code, over the whole file."""
    warnings: tuple[RowWarning, ...]
    """The first row warnings in full."""
    created_at: UtcTime


class DatasetOperation(Body, kw_only=True, frozen=True):
    """One operation that makes a new version; each kind reads its own fields."""

    kind: OperationKind
    near: bool = False
    """`drop_duplicates`: also rows nearly like an earlier one with the same answer; needs the quality report."""
    ids: Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=100_000)] | None = None
    """`drop_ids`: names of rows, as the quality report gives them."""
    lines: Annotated[tuple[Annotated[int, Meta(ge=1, lt=2**32)], ...], Meta(max_length=100_000)] | None = None
    """`drop_ids`: the lines that rows begin on, in place of their names or beside them."""
    checks: Annotated[tuple[CheckCode, ...], Meta(min_length=1, max_length=32)] | None = None
    """`drop_ids`: checks of the quality report, in place of names or beside them: every row that one of them points at
    (`/quality/rows?check=` lists them)."""
    min_score: Annotated[float, Meta(ge=0, le=1)] | None = None
    """`keep_by_score`: rows with a lower score in the quality report are dropped."""
    min_judge_score: Annotated[float, Meta(ge=LOWEST, le=HIGHEST)] | None = None
    """`keep_by_score`: rows that a judge scored lower are dropped, in place of or beside `min_score`; rows that it did
    not score are kept. Needs a judging."""
    examples: Annotated[tuple[dict[str, Any], ...], Meta(min_length=1, max_length=10_000)] | None = None
    """`add_examples`: rows in the version's own format."""
    parts: Annotated[tuple[SplitPart, ...], Meta(min_length=2, max_length=8)] | None = None
    """`split`: names and shares, which add up to 1. Rows with the same input, and near duplicates where the quality
    report knows them, stay together. Each part becomes the next version of the dataset `<dataset>-<part>`."""
    method: Method | None = None
    """`convert`: the format to convert to."""
    answer_field: Annotated[str, Meta(min_length=1, max_length=256)] = REFERENCE
    """`convert` from RFT to SFT: the field that holds the answer."""


class NewDerivation(Body, kw_only=True, frozen=True):
    """A new version made from this one; with `dry_run` it is only shown, not stored."""

    operations: Annotated[tuple[DatasetOperation, ...], Meta(min_length=1, max_length=16)]
    """Carried out one after the other; after `split` only `convert` may follow."""
    dry_run: bool = False
    recommendation_id: Reference | None = None


class DerivedPart(Resource, kw_only=True, frozen=True):
    """One version that came, or would come, of a derivation."""

    name: str
    """`main`, or the name of the part of a split."""
    n_examples: int
    version: DatasetVersion | None
    """Null after a dry run."""


class Derivation(Resource, kw_only=True, frozen=True):
    """What the operations did, and the versions that came of them."""

    version: DatasetVersion | None
    """The new version, or the first part of a split; null after a dry run."""
    parts: tuple[DerivedPart, ...]
    """Every version: one, or one for each part of a split."""
    n_before: int
    n_after: int
    effects: tuple[OperationEffect, ...]
    """What each operation did, in order."""
    touched: tuple[TouchedRow, ...]
    """The first rows that were dropped or added, and why."""
    dropped_lines: tuple[int, ...]
    """The lines of the first rows that were dropped."""


class ComparedSet(Resource, kw_only=True, frozen=True):
    """A set that the version was held against, to find rows that are in both."""

    role: SetRole
    name: str
    version_id: str


class QualityReport(Resource, kw_only=True, frozen=True):
    """The quality of a dataset version. Until it is `ready` for the first time, its findings are empty."""

    dataset_version_id: str
    status: QualityStatus | str
    n_rows: int
    n_rows_done: int
    """Rows read so far; the checks follow when all are read."""
    rules_version: str | None
    verdict: CheckVerdict | None
    """The worst verdict of the checks."""
    headline: str | None
    checks: tuple[Check, ...]
    """The rows of the check `label_errors` are the suspects, most suspicious first, with the confidence as score."""
    pairs: tuple[RowPair, ...]
    """Duplicates, contradictions and leaks to look at side by side; of each kind the first 100."""
    labels: tuple[LabelCount, ...]
    """Most frequent first; empty where the answers are not labels."""
    tokens: Spread | None
    answer_tokens: Spread | None
    n_label_suspects: int | None
    """Null where the answers are not labels, or too few to judge."""
    compared_with: tuple[ComparedSet, ...]
    """The validation files and eval suites of the loops that train on the dataset; a new one has the newest version's
    report made again."""
    failure: str | None
    version: int
    created_at: UtcTime
    started_at: UtcTime | None
    finished_at: UtcTime | None
    updated_at: UtcTime


class RowJudgement(msgspec.Struct, kw_only=True, frozen=True):
    """What a judge made of a row of training data."""

    score: float | None
    """Mean of its dimensions, 1 to 10; null unless every one is scored."""
    judgements: tuple[Judgement, ...]
    error: ItemError | None
    """Why there is no score."""


class RelatedRow(msgspec.Struct, kw_only=True, frozen=True):
    """The row because of which a check points at another one."""

    check: CheckCode
    line: int
    row_id: str
    text: RowText | None


class ScoredRow(Resource, kw_only=True, frozen=True):
    """One row of a dataset version as its quality report sees it, and as its judge does."""

    line: int
    row_id: str
    """Name of the row by its content; `drop_ids` takes it, and rows that say the same share it."""
    score: float
    """0 (bad) to 1 (nothing found): the product over the checks that point at it."""
    label_confidence: float | None
    """How far the other rows bear out its label, 0 to 1; null where labels were not judged."""
    checks: tuple[CheckCode, ...]
    """The checks that point at it."""
    judgement: RowJudgement | None
    """Null for a row that no judge was asked about."""
    text: RowText | None
    """Null unless asked for with `include=text`; and for a row of more than 1 MB, or where an earlier release made the
    report: have it made again."""
    related: tuple[RelatedRow, ...]
    """With `include=text`, the rows of this version that it repeats or contradicts: the closest one for each check."""


class Failures(Resource, kw_only=True, frozen=True):
    """The input types that a model fails on, and how many training examples there are of each."""

    evaluation_id: str
    status: FailuresStatus | str
    """`pending` until the worker has grouped them: soon after the evaluation has ended, and after each question with
    other parameters."""
    dataset_version_id: str | None
    """The training data that coverage is counted in; null where there is none, and all counts are 0."""
    below: float
    """Items that scored less count as failed; items without a score do not count at all."""
    n_scored: int
    n_failed: int
    n_training_rows: int
    groups: tuple[FailureGroup, ...]
    """Most failures first, at most 20."""
    failure: str | None
    version: int
