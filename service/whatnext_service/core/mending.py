"""What mends a dataset version: the operations that do it as they stand, and what only a person can settle."""

import msgspec

from whatnext_service.core.advice import DeriveOperation
from whatnext_service.core.method_advice import FEWEST_EXAMPLES
from whatnext_service.core.state import DatasetVersion, Fault
from whatnext_service.core.versions import steps_since_added

PERSONAL_SHARE = 0.1
"""Rows with personal data are dropped up to this share of the set; beyond it somebody must say whether it may be used
(judgement)."""

_NAMES = {
    "leakage": "row{s} that a held-out set has too",
    "row_length": "row{s} over the token limit",
    "secrets": "row{s} with keys or tokens",
    "contradictions": "contradicting row{s}",
    "exact_duplicates": "duplicate row{s}",
    "near_leakage": "row{s} nearly like held-out ones",
    "answer_shape": "answer{s} out of shape",
    "personal_data": "row{s} with personal data",
    "judge": "row{s} that a judge scored low",
    "label_errors": "suspect label{s}",
    "near_duplicates": "row{s} nearly like others",
}
"""The faults that a call mends, the surest first."""


class Mended(msgspec.Struct, kw_only=True, frozen=True):
    """A fault that the operations mend."""

    code: str
    n_rows: int
    statement: str

    @property
    def told(self) -> str:
        """The fault in a few words."""
        return _told(self.code, self.n_rows)


class Mending(msgspec.Struct, kw_only=True, frozen=True):
    """What is done about a version's faults."""

    operations: tuple[DeriveOperation, ...]
    mended: tuple[Mended, ...]
    n_left: int
    """Fewest examples that can remain."""
    left_to_a_person: tuple[Fault, ...]
    """Faults that no call mends, or not without leaving too few examples."""


def mend(version: DatasetVersion, versions: tuple[DatasetVersion, ...]) -> Mending:
    """The operations that the version's quality report justifies, in an order in which each sees what it needs.

    Rows that other checks speak against go first, so that of two contradicting rows the better one can remain; then
    contradictions are settled, while repeats still count as votes; then repeats go. Suspect labels are dropped where
    the report is sure enough, and once in a line of versions: a classifier suspects some rows of any set. No fault is
    mended whose rows would leave fewer than 50 examples (method 6).
    """
    known = {fault.code: fault for fault in version.faults}
    found = {code: fault for code in _NAMES if (fault := _fault(version, code, known)) is not None}
    pruned = "drop_ids" in steps_since_added(version, versions)
    mended: list[Mended] = []
    left = version.n_examples
    for code, fault in found.items():
        unsure = (code == "label_errors" and (pruned or fault.operation is None)) or (
            code == "personal_data" and fault.n_rows > PERSONAL_SHARE * version.n_examples
        )
        if not unsure and left - fault.n_rows >= FEWEST_EXAMPLES:
            mended.append(Mended(code=code, n_rows=fault.n_rows, statement=_where(version, fault)))
            left -= fault.n_rows
    codes = tuple(each.code for each in mended)
    return Mending(
        operations=_operations(codes, known),
        mended=tuple(mended),
        n_left=left,
        left_to_a_person=tuple(fault for fault in {**found, **known}.values() if fault.code not in codes),
    )


def by_hand(fault: Fault) -> str:
    """What is wrong, and what a person can do about it."""
    return f"{fault.statement} {fault.remedy or ''}".strip()


def _fault(version: DatasetVersion, code: str, known: dict[str, Fault]) -> Fault | None:
    """Contradictions and duplicates are known, and counted from the first, as soon as a version is stored."""
    counted = {"contradictions": version.n_contradictions, "exact_duplicates": version.n_duplicates}
    if code not in counted:
        return known.get(code)
    if not counted[code]:
        return None
    lines = known[code].lines if code in known else ()
    told = f"{_told(code, counted[code])}."
    return Fault(
        code=code, verdict="caution", n_rows=counted[code], lines=lines, statement=told, remedy=None, limit=None
    )


def _operations(codes: tuple[str, ...], known: dict[str, Fault]) -> tuple[DeriveOperation, ...]:
    operations: list[DeriveOperation] = []
    dropped = tuple(
        code for code in codes if code not in ("contradictions", "exact_duplicates", "near_duplicates", "judge")
    )
    if dropped:
        operations.append(DeriveOperation(kind="drop_ids", checks=dropped))
    if "judge" in codes:
        operations.append(DeriveOperation(kind="keep_by_score", min_judge_score=known["judge"].limit))
    if "contradictions" in codes:
        operations.append(DeriveOperation(kind="fix_contradictions"))
    if "near_duplicates" in codes:
        operations.append(DeriveOperation(kind="drop_duplicates", near=True))
    elif "exact_duplicates" in codes:
        operations.append(DeriveOperation(kind="drop_duplicates"))
    return tuple(operations)


def _where(version: DatasetVersion, fault: Fault) -> str:
    """How many rows, and where the first of them are."""
    told = f"{version.name} has {_told(fault.code, fault.n_rows)}"
    if not fault.lines:
        return told
    more = ", ..." if fault.n_rows > len(fault.lines) else ""
    return f"{told} (line{'s' if len(fault.lines) > 1 else ''} {', '.join(map(str, fault.lines))}{more})"


def _told(code: str, n_rows: int) -> str:
    return f"{n_rows} {_NAMES[code].format(s='' if n_rows == 1 else 's')}"
