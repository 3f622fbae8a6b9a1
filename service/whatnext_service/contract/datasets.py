"""Datasets and their versions on the wire."""

from typing import Annotated

from msgspec import Meta

from whatnext_service.contract.common import Body, Name, Reference, Resource, UtcTime
from whatnext_service.core.derivation import OperationKind
from whatnext_service.core.state import DerivationKind


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


class DropOperation(Body, kw_only=True, frozen=True):
    """One operation that makes a new version: drop exact duplicates, contradictory rows, or rows by line number."""

    kind: OperationKind
    lines: Annotated[tuple[Annotated[int, Meta(ge=1)], ...], Meta(max_length=100_000)] | None = None
    """For `drop_ids`: the line numbers to drop."""


class NewDerivation(Body, kw_only=True, frozen=True):
    """A new version made from this one; with `dry_run` it is only counted, not stored."""

    operations: Annotated[tuple[DropOperation, ...], Meta(min_length=1, max_length=16)]
    dry_run: bool = False
    recommendation_id: Reference | None = None


class Derivation(Resource, kw_only=True, frozen=True):
    """What the operations did, and the version that came of them."""

    version: DatasetVersion | None
    """Null after a dry run."""
    n_before: int
    n_after: int
    dropped_lines: tuple[int, ...]
    """The first lines that were dropped."""
