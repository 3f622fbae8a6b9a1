"""Diagnoses, recommendations and decisions on the wire."""

from typing import Annotated, Literal

from msgspec import Meta

from whatnext_service.contract.common import Body, Resource, Text, UtcTime
from whatnext_service.core.advice import ActionKind, Answer

RecommendationStatus = Literal["open", "accepted", "declined", "superseded"]


class NewDecision(Body, kw_only=True):
    """What someone decided about a recommendation."""

    verdict: Literal["accepted", "declined"]
    reason: Text | None = None
    actor: Annotated[str, Meta(max_length=128)] | None = None


class Decision(Resource, kw_only=True):
    """A decision as it was taken."""

    verdict: Literal["accepted", "declined"] | str
    reason: str | None
    actor: str | None
    decided_at: UtcTime


class Recommendation(Resource, kw_only=True):
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
