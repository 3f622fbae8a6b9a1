"""What choosing among many does to a score (evidence 1)."""

from math import pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatnext_service.core.evaluations import pack_scores
from whatnext_service.core.multiple_looks import expected_maximum, holm, read_looks, shrink_best


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        ((), ()),
        ((0.03,), (0.03,)),
        ((0.01, 0.04, 0.03), (0.03, 0.06, 0.06)),
        ((0.04, 0.01), (0.04, 0.02)),
        ((0.5, 0.6), (1.0, 1.0)),
        ((0.01, 0.02, 0.03, 0.005), (0.03, 0.04, 0.04, 0.02)),
    ],
)
def test_holm(p_values: tuple[float, ...], corrected: tuple[float, ...]) -> None:
    assert holm(p_values) == pytest.approx(corrected)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_lies_between_no_correction_and_bonferroni_and_keeps_the_order(p_values: list[float]) -> None:
    corrected = holm(tuple(p_values))
    assert all(p <= q <= min(1.0, p * len(p_values)) + 1e-12 for p, q in zip(p_values, corrected, strict=True))
    by_p = [corrected[index] for index in sorted(range(len(p_values)), key=lambda index: p_values[index])]
    assert by_p == sorted(by_p)


@pytest.mark.parametrize(
    ("k", "value"), [(0, 0), (1, 0), (2, 1 / sqrt(pi)), (3, 1.5 / sqrt(pi)), (6, 1.26721), (100, 2.50759)]
)
def test_expected_maximum(k: int, value: float) -> None:
    assert expected_maximum(k) == pytest.approx(value, abs=1e-5)


def simulate(true: list[float], rounds: int = 400) -> tuple[float, float]:
    """Mean error of the best's observed score and of its estimate; 50 items, paired deviation 1.5."""
    source = np.random.RandomState(11)
    observed = estimated = 0.0
    for _ in range(rounds):
        table = (
            5.0 + source.normal(0, 2, 50) + np.array(true)[:, None] + source.normal(0, 1.5 / sqrt(2), (len(true), 50))
        )
        items = 5.0 + (table.mean() - 5.0 - np.mean(true))
        reading = shrink_best(tuple(row.tobytes() for row in table))
        assert reading is not None
        observed += reading.observed - items - true[reading.best]
        estimated += reading.estimate - items - true[reading.best]
    return observed / rounds, estimated / rounds


def test_the_best_of_six_equal_candidates_looks_a_fifth_of_a_point_too_good() -> None:
    """Evidence 1: 0.21 at 50 items."""
    observed, estimated = simulate([0.0] * 6)
    assert observed == pytest.approx(0.2, abs=0.03)
    assert abs(estimated) < 0.06


def test_a_real_spread_is_kept() -> None:
    observed, estimated = simulate([-1.0, -0.5, 0.0, 0.5, 1.5])
    assert abs(observed) < 0.05
    assert abs(estimated) < 0.06


def test_shrinking_needs_two_shared_items() -> None:
    assert shrink_best(()) is None
    assert shrink_best((pack_scores([1.0, None]), pack_scores([2.0, 3.0]))) is None
    assert shrink_best((pack_scores([1.0]), pack_scores([2.0, 3.0]))) is None


def test_a_lone_candidate_is_not_shrunken() -> None:
    reading = shrink_best((pack_scores([4.0, 6.0, None]),))
    assert reading is not None
    assert (reading.observed, reading.estimate, reading.kept_share, reading.n_items) == (5.0, 5.0, 1.0, 2)


def test_the_best_of_a_falling_metric_is_the_lowest() -> None:
    candidates = (pack_scores([1.0, 2.0, 1.5]), pack_scores([3.0, 4.0, 3.6]))
    lowest, highest = shrink_best(candidates, higher_is_better=False), shrink_best(candidates)
    assert lowest is not None
    assert highest is not None
    assert (lowest.best, highest.best) == (0, 1)
    assert lowest.observed <= lowest.estimate


@pytest.mark.parametrize(
    ("role", "n_looks", "worn"),
    [
        ("selection", 0, False),
        ("selection", 1, False),
        ("selection", 2, False),
        ("selection", 40, True),
        ("final_test", 1, False),
        ("final_test", 2, True),
    ],
)
def test_looks_wear_a_suite(role: str, n_looks: int, worn: bool) -> None:
    reading = read_looks(role, n_looks, item_sd=1.5, n_items=50, effect=0.3)
    assert reading.worn is worn
    assert str(n_looks) in reading.statement or n_looks == 1


def test_six_looks_at_fifty_items_make_the_best_a_fifth_of_a_point_too_good() -> None:
    assert read_looks("selection", 6, item_sd=1.5, n_items=50, effect=0.3).optimism == pytest.approx(0.19, abs=0.005)
