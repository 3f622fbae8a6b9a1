"""What the quality report of a dataset version says."""

from typing import Literal

import msgspec

from whatnext_service.core.corpus import Corpus
from whatnext_service.core.loops import Method
from whatnext_service.core.state import DerivationKind, Fault

QUALITY_VERSION = "2026.11.2"
MAX_PAIRS = 100
"""Pairs and rows of each kind that are shown; all of them are counted."""

CheckCode = Literal[
    "size",
    "row_length",
    "exact_duplicates",
    "near_duplicates",
    "contradictions",
    "near_contradictions",
    "leakage",
    "near_leakage",
    "label_errors",
    "label_balance",
    "label_spelling",
    "answer_shape",
    "refusals",
    "length_mix",
    "system_prompt",
    "grader_fields",
    "personal_data",
    "secrets",
    "judge",
]
CheckVerdict = Literal["good", "caution", "critical", "not_computed"]
PARTNERED: tuple[CheckCode, ...] = ("exact_duplicates", "near_duplicates", "contradictions", "near_contradictions")
"""Checks that point at a row because of another one of the set."""
PairKind = Literal["exact_duplicate", "near_duplicate", "contradiction", "near_contradiction", "leak", "near_leak"]
SetRole = Literal["validation", "selection", "final_test"]


class RowMark(msgspec.Struct, kw_only=True, frozen=True):
    """A row that a check points at."""

    line: int
    row_id: str
    """Name of the row by its content (`row_id`); rows that say the same share it."""
    score: float
    """0 (bad) to 1 (good), as this check sees the row."""
    note: str
    excerpt: str


class PairSide(msgspec.Struct, kw_only=True, frozen=True):
    """One row of a pair, shortened."""

    dataset: str
    """`training`, or the name of the set it was compared with."""
    line: int
    row_id: str
    prompt: str
    answer: str


class RowPair(msgspec.Struct, kw_only=True, frozen=True):
    """Two rows to look at side by side."""

    kind: PairKind
    similarity: float
    """Of the prompts, 0 to 1."""
    first: PairSide
    second: PairSide


class Effect(msgspec.Struct, kw_only=True, frozen=True):
    """What mending it did to the held-out score where it was measured, in points of 10."""

    low: float
    high: float
    share_improved_low: float
    share_improved_high: float
    source: str


class Check(msgspec.Struct, kw_only=True, frozen=True):
    """One check's verdict on the set."""

    code: CheckCode
    verdict: CheckVerdict
    statement: str
    value: float | None
    threshold: float | None
    n_rows: int
    """Rows it points at."""
    rows: tuple[RowMark, ...]
    """The worst of them, worst first."""
    remedy: str | None
    operation: DerivationKind | None
    """The operation of `derive` that mends it; null where a person must."""
    effect: Effect | None
    """Null where there is no measurement to quote."""
    source: str


class LabelCount(msgspec.Struct, kw_only=True, frozen=True):
    """How many rows have a label."""

    label: str
    count: int


class Spread(msgspec.Struct, kw_only=True, frozen=True):
    """A distribution of estimated token counts."""

    total: int
    median: float
    p95: float
    max: int


class OtherSet(msgspec.Struct, kw_only=True, frozen=True):
    """A set that must stay apart from the training data."""

    role: SetRole
    name: str
    corpus: Corpus


class JudgeScores(msgspec.Struct, kw_only=True, frozen=True):
    """Scores that a judge gave the rows."""

    scores: bytes
    """One for each row, packed by `pack_scores`; missing ones are NaN."""
    threshold: float
    resists: bool = True
    """Whether it gave nothing to attacks in the place of an answer; the scores of one that does not say nothing."""


class QualityReport(msgspec.Struct, kw_only=True, frozen=True):
    """The quality of a dataset version."""

    version: str
    n_rows: int
    methods: tuple[Method, ...]
    verdict: CheckVerdict
    """The worst of the checks."""
    headline: str
    checks: tuple[Check, ...]
    pairs: tuple[RowPair, ...]
    labels: tuple[LabelCount, ...]
    """Most frequent first, at most 100; empty where the answers are not labels."""
    tokens: Spread
    answer_tokens: Spread
    n_label_suspects: int | None
    """Null where the answers are not labels, or too few to judge."""
    label_confidence: bytes
    """How far the other rows bear out each row's label, 0 to 1, packed as little-endian float32; NaN where a row was
    not judged, empty where none was. The order in which to look for wrong labels: lowest first."""
    row_scores: bytes
    """Score of each row, 0 (bad) to 1 (nothing found), packed as little-endian float32: the product over the checks."""
    row_flags: bytes
    """For each row a little-endian uint32 whose bit i says that `flag_codes[i]` points at it."""
    flag_codes: tuple[CheckCode, ...]
    near_duplicates: bytes
    """Pairs of rows with nearly the same prompt and the same answer, as indexes packed as little-endian uint32: the
    earlier row, then the later one. `derive` reads them."""
    partners: bytes
    """For rows that repeat or contradict another one which that is: triples of little-endian uint32, the row, the other
    row, and the index in `PARTNERED` of the check; ascending."""
    places: bytes
    """Where each row stands in the file: pairs of little-endian uint64, its first byte and its length."""
    faults: tuple[Fault, ...]
    """The checks with a verdict of caution or critical, in short: what the advice rests on."""
