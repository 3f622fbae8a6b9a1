"""The operations that make a dataset version from another."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from whatnext_service.core.conversion import REFERENCE
from whatnext_service.core.loops import Method
from whatnext_service.core.quality import CheckCode
from whatnext_service.core.split import SplitPart

OperationKind = Literal[
    "drop_duplicates",
    "drop_contradictions",
    "fix_contradictions",
    "keep_by_score",
    "drop_ids",
    "add_examples",
    "split",
    "convert",
]


class Operation(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One operation that makes a new dataset version; each kind reads its own fields."""

    kind: OperationKind
    near: bool = False
    """`drop_duplicates`: also rows nearly like an earlier one with the same answer."""
    ids: Annotated[tuple[str, ...], Meta(max_length=100_000)] | None = None
    """`drop_ids`: names of rows, as the quality report gives them."""
    lines: Annotated[tuple[int, ...], Meta(max_length=100_000)] | None = None
    """`drop_ids`: the lines that rows begin on, in place of their names or beside them."""
    checks: tuple[CheckCode, ...] | None = None
    """`drop_ids`: checks of the quality report, in place of names; the rows that one of them points at."""
    min_score: float | None = None
    """`keep_by_score`: rows with a lower score in the quality report are dropped."""
    min_judge_score: float | None = None
    """`keep_by_score`: rows that the judge scored lower are dropped; those without a score of its are kept."""
    examples: Annotated[tuple[msgspec.Raw, ...], Meta(max_length=10_000)] | None = None
    """`add_examples`: rows in the version's own format."""
    parts: Annotated[tuple[SplitPart, ...], Meta(min_length=2, max_length=8)] | None = None
    """`split`: names and shares; the first part is the new version."""
    method: Method | None = None
    """`convert`: the format to convert to."""
    answer_field: str = REFERENCE
    """`convert` from RFT to SFT: the field that holds the answer."""
