"""What a suite can see (evidence 1)."""

import numpy as np
import pytest
from scipy import stats

from whatnext_service.core.power import (
    chance_of_gap,
    detectable_effect,
    items_needed,
    minimum_detectable_effect,
    upper_limit,
)


def test_a_tenth_of_a_point_needs_about_1760_items() -> None:
    """Evidence 1: standard deviation 1.5, 80 % power."""
    needed = items_needed(0.1, 1.5)
    assert needed == pytest.approx(1760, rel=0.01)


@pytest.mark.parametrize("effect", [0.1, 0.3, 0.6, 2.0])
@pytest.mark.parametrize("sd", [0.5, 1.5, 4.0])
def test_items_needed_is_the_inverse_of_the_detectable_effect(effect: float, sd: float) -> None:
    needed = items_needed(effect, sd)
    assert needed is not None
    seen = minimum_detectable_effect(needed, sd)
    assert seen is not None
    assert seen <= effect
    if 2 < needed < 1000:
        fewer = minimum_detectable_effect(needed - 1, sd)
        assert fewer is None or fewer > effect


def test_equal_models_differ_by_more_than_three_tenths_in_one_comparison_of_six() -> None:
    """Evidence 1: 16 % at 50 items."""
    assert chance_of_gap(0.3, 50, 1.5) == pytest.approx(0.16, abs=0.005)
    assert chance_of_gap(0.1, 50, 1.5) > 0.5


def test_repeated_grading_helps_only_as_far_as_grading_is_the_noise() -> None:
    once = minimum_detectable_effect(50, 1.5, regrade_sd=0.8)
    thrice = minimum_detectable_effect(50, 1.5, regrade_sd=0.8, n_gradings=3)
    silent = minimum_detectable_effect(50, 1.5, regrade_sd=0.0, n_gradings=3)
    assert once is not None
    assert thrice is not None
    assert thrice < once == silent


def test_no_number_of_items_sees_below_the_noise_of_the_seed() -> None:
    assert items_needed(0.1, 1.5, replicate_sd=0.2) is None
    assert items_needed(0.1, 1.5, replicate_sd=0.01) is not None
    assert items_needed(0.1, 1.5, replicate_sd=0.2, n_replicates=1000) is not None


def test_nothing_is_seen_below_two_items() -> None:
    assert minimum_detectable_effect(1, 1.5) is None
    assert items_needed(0.0, 1.5) is None


def test_more_comparisons_see_less() -> None:
    one, ten = minimum_detectable_effect(50, 1.5), minimum_detectable_effect(50, 1.5, n_comparisons=10)
    assert one is not None
    assert ten is not None
    assert ten > one


def test_normal_error_is_seen_at_2_8_standard_errors() -> None:
    assert detectable_effect(1.0, float("inf")) == pytest.approx(2.8016, abs=1e-3)


@pytest.mark.parametrize("n_items", [10, 30, 50, 100, 200, 1000])
def test_an_effect_stated_from_an_estimated_spread_is_seen_as_often_as_promised(n_items: int) -> None:
    """Averaged over the estimates that samples of a true standard deviation of 1 give."""
    df = n_items - 1
    shares = (np.arange(400) + 0.5) / 400
    seen = []
    for estimate in np.sqrt(stats.chi2.ppf(shares, df) / df):
        effect = minimum_detectable_effect(n_items, upper_limit(float(estimate), df))
        seen.append(stats.nct.sf(stats.t.ppf(0.975, df), df, effect * n_items**0.5))
    assert np.mean(seen) >= 0.8
    assert np.mean(np.array(seen) >= 0.79) >= 0.79


def test_a_known_spread_is_its_own_limit() -> None:
    assert upper_limit(1.5, float("inf")) == 1.5
