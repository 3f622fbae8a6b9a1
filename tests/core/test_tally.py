"""An evaluation's figures from its items (evidence 4: a missing score is never a zero)."""

import pytest

from whatnext_service.core.evaluations import unpack_scores
from whatnext_service.core.tally import ItemTally, tally_items

WEIGHTS = (("correctness", 0.7), ("conciseness", 0.3))


def item(idx: int, combined: float | None, *scores: float | None, error_code: str | None = None) -> ItemTally:
    return ItemTally(
        idx=idx,
        scores=dict(zip(("correctness", "conciseness"), scores, strict=True)),
        combined=combined,
        prompt_tokens=10,
        completion_tokens=4,
        error_code=error_code,
    )


def test_a_failed_judgement_is_left_out_of_the_mean() -> None:
    items = (item(0, 8.1, 9.0, 6.0), item(1, None, 8.0, None, error_code="malformed"), item(2, 5.0, 5.0, 5.0))
    result = tally_items(items, 3, WEIGHTS)
    assert result.combined == pytest.approx((8.1 + 5.0) / 2)
    assert result.n_scored == 2
    assert unpack_scores(result.scores) == (8.1, None, 5.0)
    correctness, conciseness = result.dimensions
    assert (correctness.mean, correctness.n_scored) == (pytest.approx(22 / 3), 3)
    assert (conciseness.mean, conciseness.n_scored) == (pytest.approx(5.5), 2)
    assert (result.completion_tokens_mean, result.failure) == (4.0, None)


def test_nothing_scored_has_no_score_and_says_why() -> None:
    result = tally_items((item(0, None, None, None, error_code="timeout"),), 2, WEIGHTS)
    assert (result.combined, result.n_scored) == (None, 0)
    assert [dimension.mean for dimension in result.dimensions] == [None, None]
    assert result.failure is not None
    assert "timeout x1" in result.failure
