"""A proposed action before it is chosen: what a gate of the planner hands back."""

from typing import Literal

import msgspec

from whatnext_service.core.advice import (
    ActionKind,
    AlternativeChange,
    Change,
    Confidence,
    Evidence,
    Phase,
    Request,
    RequestBody,
    SourceType,
)
from whatnext_service.core.identity import request_fingerprint
from whatnext_service.core.runs import RunConfig

CERTAIN = Confidence(
    level="high", basis="It follows from what the loop has and lacks.", would_raise_it="Nothing could."
)


class Draft(msgspec.Struct, kw_only=True, frozen=True):
    """One action the planner could advise."""

    kind: ActionKind
    phase: Phase
    headline: str
    fingerprint: str
    rationale: tuple[str, ...]
    confidence: Confidence
    evidence: tuple[Evidence, ...] = ()
    subject_id: str | None = None
    check_after_s: int | None = None
    request: Request | None = None
    change: Change | None = None
    config: RunConfig | None = None
    """What would train, where it is a run."""
    why_not: str = "It comes later in the order of the evidence."
    """Why it is not the advice, when another draft is."""

    @property
    def alternative_change(self) -> AlternativeChange | None:
        """The change as an alternative shows it."""
        if self.change is None:
            return None
        return AlternativeChange(
            variable=self.change.variable, from_value=self.change.from_value, to_value=self.change.to_value
        )


def draft(
    *,
    kind: ActionKind,
    phase: Phase,
    headline: str,
    rationale: tuple[str, ...],
    confidence: Confidence = CERTAIN,
    evidence: tuple[Evidence, ...] = (),
    subject_id: str | None = None,
    check_after_s: int | None = None,
    request: Request | None = None,
    why_not: str | None = None,
) -> Draft:
    """An action that changes no variable; it is named by its subject and its call."""
    made = Draft(
        kind=kind,
        phase=phase,
        headline=headline,
        fingerprint=request_fingerprint(kind, subject_id, request),
        rationale=rationale,
        confidence=confidence,
        evidence=evidence,
        subject_id=subject_id,
        check_after_s=check_after_s,
        request=request,
    )
    return made if why_not is None else msgspec.structs.replace(made, why_not=why_not)


def call(method: Literal["POST", "PUT", "DELETE"], path: str, body: RequestBody | None = None) -> Request:
    """The literal HTTP call that carries an action out."""
    return Request(method=method, path=path, body=body)


def measured(
    code: str,
    statement: str,
    value: float | None,
    threshold: float | None,
    source_type: SourceType,
    source_id: str | None,
) -> Evidence:
    """A number and where it can be read."""
    return Evidence(
        code=code,
        statement=statement,
        value=None if value is None else round(value, 4),
        threshold=threshold,
        source_type=source_type,
        source_id=source_id,
        href=None if source_id is None else _href(source_type, source_id),
    )


def _href(source_type: SourceType, source_id: str) -> str | None:
    match source_type:
        case "run":
            return f"/v1/runs/{source_id}"
        case "evaluation":
            return f"/v1/evaluations/{source_id}"
        case "dataset_version":
            return f"/v1/dataset-versions/{source_id}/quality"
        case "eval_suite":
            return f"/v1/eval-suites/{source_id}"
        case "loop":
            return f"/v1/loops/{source_id}"
        case "base_model":
            return "/v1/base-models"
        case "rule":
            return None
