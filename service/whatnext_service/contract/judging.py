"""Checks of a judge, and comparisons of evaluations, on the wire."""

from typing import Annotated

import msgspec
from msgspec import Meta

from whatnext_service.contract.common import Body, Reference, Resource, UtcTime
from whatnext_service.core.compare import Comparison
from whatnext_service.core.credit import Attribution
from whatnext_service.core.guardrails import GuardrailReading
from whatnext_service.core.judge_calibration import Calibration, DriftReading, PassReading
from whatnext_service.core.rank_agreement import RankAgreement
from whatnext_service.core.slices import SliceComparison

__all__ = ["DriftReading", "PassReading", "RankAgreement"]


class HandGrade(Body, kw_only=True, frozen=True):
    """A person's score of one stored answer."""

    evaluation_id: Reference
    index: Annotated[int, Meta(ge=0, le=10_000_000)]
    """The item's place in the suite, from 0."""
    score: float
    """On the suite's scale."""


class NewCalibration(Body, kw_only=True, frozen=True):
    """Hand grades to check a suite's graders against."""

    grades: Annotated[tuple[HandGrade, ...], Meta(min_length=10, max_length=1000)]
    dimension: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")] | None = None
    """One grader of the suite; null: the combined score."""


class JudgeCalibration(Resource, kw_only=True, frozen=True):
    """How a suite's graders stand to hand grades of the same answers."""

    id: str
    suite_id: str
    dimension: str | None
    n_grades: int
    reading: Calibration
    created_at: UtcTime


class TokensBeside(msgspec.Struct, kw_only=True, frozen=True):
    """Completion tokens beside the score: the same score with fewer tokens is better."""

    candidate_mean: float | None
    reference_mean: float | None
    ratio: float | None
    """Candidate over reference; null without both, or at zero."""


class MissingItem(msgspec.Struct, kw_only=True, frozen=True):
    """An item that one side has no score for."""

    index: int
    candidate_error: str | None
    """Why the candidate has none; null where it has one, or was never asked."""
    reference_error: str | None


class EvaluationComparison(Comparison, kw_only=True, frozen=True):
    """A paired comparison of two evaluations, with what stands beside the score."""

    slices: tuple[SliceComparison, ...]
    """By tag, corrected over the slices (Holm); only tags of five items and more."""
    guardrails: tuple[GuardrailReading, ...]
    completion_tokens: TokensBeside
    missing: tuple[MissingItem, ...]
    """The first 100 items that lack a score on one side or both."""
    attribution: Attribution | None
    """Whether the difference may be credited to one change; null unless both sides are of runs, and of two."""
