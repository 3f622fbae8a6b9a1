"""What several comparisons at once do to a p-value (evidence 1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatnext_service.core.multiple_looks import holm


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
