"""Metrics that a better model must not pay with: a second score, tokens, latency."""

from typing import Literal

import msgspec
import numpy as np

from whatnext_service.core.compare import Comparison, compare
from whatnext_service.core.loops import Direction

GuardrailVerdict = Literal["held", "regressed", "unproven", "not_comparable"]


class Guardrail(msgspec.Struct, kw_only=True, frozen=True):
    """A metric that may get worse by `tolerance` at most."""

    name: str
    direction: Direction
    tolerance: float
    """In points of the metric; 0 where nothing may be lost."""


class GuardrailReading(msgspec.Struct, kw_only=True, frozen=True):
    """Whether a guardrail held."""

    name: str
    verdict: GuardrailVerdict
    """`held`: the interval excludes a loss beyond the tolerance. `regressed`: the loss is beyond chance and beyond
    the tolerance. `unproven`: neither."""
    comparison: Comparison
    statement: str


def read_guardrail(
    guardrail: Guardrail,
    candidate: bytes,
    reference: bytes,
    *,
    clusters: tuple[int, ...] | None = None,
    same_instrument: bool = True,
) -> GuardrailReading:
    """Read one guardrail from packed per-item values. All must hold, so none needs a correction for their number."""
    low, high = _observed_scale(candidate, reference)
    comparison = compare(
        candidate,
        reference,
        scale_min=low,
        scale_max=high,
        direction=guardrail.direction,
        clusters=clusters,
        same_instrument=same_instrument,
    )
    if comparison.difference is None or comparison.low is None or comparison.high is None:
        verdict: GuardrailVerdict = "not_comparable" if comparison.verdict == "not_comparable" else "unproven"
    else:
        up = guardrail.direction == "up"
        loss = -comparison.difference if up else comparison.difference
        greatest_loss = -comparison.low if up else comparison.high
        if greatest_loss <= guardrail.tolerance:
            verdict = "held"
        elif comparison.verdict == "worse" and loss > guardrail.tolerance:
            verdict = "regressed"
        else:
            verdict = "unproven"
    return GuardrailReading(
        name=guardrail.name,
        verdict=verdict,
        comparison=comparison,
        statement=f"{guardrail.name}: {verdict.replace('_', ' ')}. {comparison.statement}",
    )


def _observed_scale(candidate: bytes, reference: bytes) -> tuple[float, float]:
    """Tokens and seconds have no scale of their own: the values seen stand in for it."""
    values = np.concatenate([np.frombuffer(candidate, "<f8"), np.frombuffer(reference, "<f8")])
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
