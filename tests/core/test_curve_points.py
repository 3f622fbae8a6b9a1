"""Points into series, and fewer points for a picture."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatnext_service.core.curve_points import downsample, series_from_points
from whatnext_service.core.curves import Series


def test_points_are_sorted_and_the_later_of_a_repeated_step_counts() -> None:
    series = series_from_points("x", [3, 1, 2, 1], [3.0, 9.0, 2.0, 1.0])
    assert (series.steps, series.values) == ((1, 2, 3), (1.0, 2.0, 3.0))


def test_a_million_points_become_a_curve_and_a_thousand() -> None:
    n = 1_000_000
    values = np.sin(np.arange(n) / 1000.0)
    values[123_456] = 50.0
    series = series_from_points("loss", np.arange(n), values)
    small = downsample(series, 1000)
    assert len(series.steps) == n
    assert len(small.steps) <= 1000
    assert (123_456, 50.0) in zip(small.steps, small.values, strict=True)


@given(
    st.lists(st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf]), min_size=1, max_size=300),
    st.integers(1, 60),
)
def test_downsampling_keeps_ends_and_extremes_and_invents_nothing(values: list[float], max_points: int) -> None:
    series = Series(name="x", steps=tuple(range(len(values))), values=tuple(values))
    small = downsample(series, max_points)
    assert len(small.steps) <= max(max_points, 4)
    assert (small.steps[0], small.steps[-1]) == (0, len(values) - 1)
    assert list(small.steps) == sorted(set(small.steps))
    assert all(repr(values[step]) == repr(value) for step, value in zip(small.steps, small.values, strict=True))
    finite = [value for value in values if math.isfinite(value)]
    if finite and max_points >= 5:
        kept = [value for value in small.values if math.isfinite(value)]
        assert (min(kept), max(kept)) == (min(finite), max(finite))


@pytest.mark.parametrize("max_points", [4, 10, 99])
def test_a_short_series_is_left_as_it_is(max_points: int) -> None:
    series = series_from_points("x", [1, 2, 3], [1.0, 2.0, 3.0])
    assert downsample(series, max_points) is series
