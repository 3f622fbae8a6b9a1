"""Diagnoses, recommendations and decisions on the wire."""

from typing import Annotated, Literal

from msgspec import Meta

from whatnext_service.contract.common import Body, Reference, Resource, Text, UtcTime
from whatnext_service.core.advice import ActionKind, Answer, Evidence, Step
from whatnext_service.core.findings import DiagnosisFinding
from whatnext_service.core.thresholds import THRESHOLDS_VERSION
from whatnext_service.core.track_record import RuleRecord

RecommendationStatus = Literal["open", "accepted", "declined", "superseded"]


class NewDecision(Body, kw_only=True, frozen=True):
    """What someone decided about a recommendation."""

    verdict: Literal["accepted", "declined"]
    reason: Text | None = None
    actor: Annotated[str, Meta(max_length=128)] | None = None


class Decision(Resource, kw_only=True, frozen=True):
    """A decision as it was taken."""

    verdict: Literal["accepted", "declined"] | str
    reason: str | None
    actor: str | None
    decided_at: UtcTime


class Recommendation(Resource, kw_only=True, frozen=True):
    """What to do next, and why, as it was said at one state of the loop."""

    id: str
    loop_id: str
    kind: ActionKind | str
    status: RecommendationStatus | str
    headline: str
    state_version: int
    rules_version: str
    answer: Answer
    decision: Decision | None
    carried_out_by: str | None
    """The run, evaluation, dataset version or deployment that came of it."""
    version: int
    created_at: UtcTime
    updated_at: UtcTime


class NewDiagnosis(Body, kw_only=True, frozen=True):
    """Ask what a run shows."""

    run_id: Reference


class Diagnosis(Resource, kw_only=True, frozen=True):
    """What a run shows: the path through the method's tree and the findings beside it, each with its numbers."""

    id: str
    loop_id: str
    run_id: str
    fingerprint: str
    """The same evidence has the same fingerprint, and gives the same diagnosis."""
    headline: str
    leaf: str
    """Where the path through the tree ended."""
    path: tuple[Step, ...]
    findings: tuple[DiagnosisFinding, ...]
    evidence: tuple[Evidence, ...]
    created_at: UtcTime
    thresholds_version: str = THRESHOLDS_VERSION
    """The thresholds that the curve was read with: the rules' version, and a fingerprint of the loop's own."""


class TrackRecord(Resource, kw_only=True, frozen=True):
    """How the predictions of each rule turned out in this workspace."""

    rules: tuple[RuleRecord, ...]
    demoted: tuple[str, ...]
    """Rules that helped so seldom here that others go before them."""
