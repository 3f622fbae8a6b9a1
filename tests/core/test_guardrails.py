"""Metrics that must not regress; completion tokens beside the score (method 4)."""

import numpy as np
import pytest

from whatnext_service.core.evaluations import pack_scores
from whatnext_service.core.guardrails import Guardrail, read_guardrail

SOURCE = np.random.RandomState(6)
TOKENS = SOURCE.randint(40, 80, 60).astype(float)
NOISE = SOURCE.normal(0.0, 3.0, 60)


@pytest.mark.parametrize(
    ("change", "tolerance", "verdict"),
    [
        (0.0, 5.0, "held"),
        (-20.0, 0.0, "held"),
        (20.0, 5.0, "regressed"),
        (0.5, 0.1, "unproven"),
        (3.0, 3.2, "unproven"),
    ],
)
def test_tokens_may_grow_by_the_tolerance(change: float, tolerance: float, verdict: str) -> None:
    guardrail = Guardrail(name="completion_tokens", direction="down", tolerance=tolerance)
    reading = read_guardrail(guardrail, (TOKENS + change + NOISE - NOISE.mean()).tobytes(), TOKENS.tobytes())
    assert reading.verdict == verdict
    assert reading.statement.startswith("completion_tokens: ")


def test_a_score_that_must_not_fall() -> None:
    guardrail = Guardrail(name="safety", direction="up", tolerance=0.0)
    lower = read_guardrail(guardrail, (TOKENS - 10.0 + NOISE).tobytes(), TOKENS.tobytes())
    assert lower.verdict == "regressed"


def test_equal_values_hold() -> None:
    guardrail = Guardrail(name="format", direction="up", tolerance=0.05)
    ones = pack_scores([1.0] * 100)
    assert read_guardrail(guardrail, ones, ones).verdict == "held"


def test_nothing_to_compare_proves_nothing() -> None:
    guardrail = Guardrail(name="format", direction="up", tolerance=0.5)
    assert read_guardrail(guardrail, pack_scores([None]), pack_scores([1.0])).verdict == "unproven"
    assert read_guardrail(guardrail, pack_scores([1.0]), pack_scores([1.0, 2.0])).verdict == "not_comparable"
