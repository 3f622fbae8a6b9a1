"""Slices by tag, corrected for their number (evidence 1)."""

import numpy as np

from whatnext_service.core.slices import compare_slices

SOURCE = np.random.RandomState(8)
REFERENCE = SOURCE.normal(6.0, 1.0, 120)
TAGS = tuple(("short" if place < 60 else "long", *(("table",) if place % 4 == 0 else ())) for place in range(120))
GAINED = REFERENCE + SOURCE.normal(0.0, 0.5, 120) + np.where(np.arange(120) < 60, 1.0, 0.0)


def test_the_slice_that_gained_is_named() -> None:
    slices = {
        one.tag: one.comparison
        for one in compare_slices(GAINED.tobytes(), REFERENCE.tobytes(), TAGS, scale_min=1.0, scale_max=10.0)
    }
    assert list(slices) == ["long", "short", "table"]
    assert slices["short"].verdict == "improved"
    assert slices["long"].verdict == "inconclusive"
    assert slices["short"].n_pairs == 60


def test_a_small_slice_is_not_read() -> None:
    tags = tuple(("rare",) if place < 4 else () for place in range(120))
    assert compare_slices(GAINED.tobytes(), REFERENCE.tobytes(), tags, scale_min=1.0, scale_max=10.0) == ()


def test_a_repeated_tag_counts_an_item_once() -> None:
    tags = tuple(("x", "x") for _ in range(120))
    (one,) = compare_slices(GAINED.tobytes(), REFERENCE.tobytes(), tags, scale_min=1.0, scale_max=10.0)
    assert one.n_items == 120


def test_equal_models_seldom_have_a_slice_that_changed() -> None:
    source = np.random.RandomState(21)
    tags = tuple((f"t{place % 8}",) for place in range(160))
    rounds, alarms = 150, 0
    for _ in range(rounds):
        left, right = source.normal(6, 1, 160), source.normal(6, 1, 160)
        found = compare_slices(left.tobytes(), right.tobytes(), tags, scale_min=1.0, scale_max=10.0)
        alarms += any(one.comparison.verdict in ("improved", "worse") for one in found)
    assert alarms / rounds <= 0.09


def test_verdict_and_corrected_p_value_agree() -> None:
    for one in compare_slices(GAINED.tobytes(), REFERENCE.tobytes(), TAGS, scale_min=1.0, scale_max=10.0):
        assert one.comparison.p_value is not None
        assert (one.comparison.verdict in ("improved", "worse")) == (one.comparison.p_value < 0.05)
