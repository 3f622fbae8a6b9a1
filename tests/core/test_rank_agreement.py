"""Rank agreement of graders (method 4: 0.8 and 0.6)."""

import numpy as np
import pytest
from scipy import stats

from whatnext_service.core.evaluations import pack_scores
from whatnext_service.core.rank_agreement import rank_agreement, spearman


@pytest.mark.parametrize("noise", [0.2, 1.0, 4.0])
def test_rho_is_that_of_scipy(noise: float) -> None:
    source = np.random.RandomState(1)
    left = source.randint(1, 11, 60).astype(float)
    right = np.round(left + source.normal(0, noise, 60))
    assert spearman(left, right) == pytest.approx(stats.spearmanr(left, right).statistic)


@pytest.mark.parametrize(("noise", "verdict"), [(0.3, "alike"), (2.9, "doubtful"), (9.0, "unlike")])
def test_verdict(noise: float, verdict: str) -> None:
    source = np.random.RandomState(4)
    left = source.normal(5, 3, 400)
    reading = rank_agreement(left.tobytes(), (left + source.normal(0, noise, 400)).tobytes())
    assert reading.verdict == verdict
    assert reading.low < reading.rho < reading.high


@pytest.mark.parametrize(
    ("left", "right"),
    [([1.0] * 20, list(range(20))), (list(range(9)), list(range(9))), ([None] * 20, [1.0] * 20), ([1.0], [1.0, 2.0])],
)
def test_too_little_to_tell(left: list[float | None], right: list[float | None]) -> None:
    reading = rank_agreement(pack_scores(left), pack_scores(right))
    assert (reading.verdict, reading.rho) == ("cannot_tell", None)


def test_interval_covers_the_true_correlation() -> None:
    source = np.random.RandomState(9)
    truth = 6 / np.pi * np.arcsin(0.8 / 2)
    covered = 0
    for _ in range(300):
        left = source.normal(0, 1, 40)
        right = 0.8 * left + 0.6 * source.normal(0, 1, 40)
        reading = rank_agreement(left.tobytes(), right.tobytes())
        covered += reading.low <= truth <= reading.high
    assert covered / 300 >= 0.92


def test_perfect_agreement_stays_within_one() -> None:
    reading = rank_agreement(pack_scores(range(10)), pack_scores(range(10)))
    assert (reading.rho, reading.high, reading.verdict) == (1.0, 1.0, "alike")
