"""Formulas of `multi` graders: arithmetic and nothing else."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatnext_service.core.formula import FormulaError, check_formula, evaluate_formula, formula_bounds

VALUES = {"a": 0.5, "b": 2.0, "name_2": 3.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", 0.5),
        ("(a + b) / 2", 1.25),
        ("0.7 * a + 0.3 * name_2", 1.25),
        ("a + b^2", 4.5),
        ("b ** 3", 8.0),
        ("-a", -0.5),
        ("min(a, b, 1)", 0.5),
        ("max(a, b)", 2.0),
        ("abs(a - b)", 1.5),
        ("floor(a) + ceil(a)", 1.0),
        ("exp(0) + sqrt(4) + log(1)", 3.0),
        ("a\n  + b", 2.5),
    ],
)
def test_value(text: str, value: float) -> None:
    assert evaluate_formula(text, VALUES) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a +",
        "c",
        "a.real",
        "a[0]",
        "'a'",
        "True",
        "1j",
        "a if b else 1",
        "a < b",
        "a and b",
        "~a",
        "a // b",
        "a % b",
        "lambda: a",
        "[a]",
        "__import__('os')",
        "round(a)",
        "abs",
        "abs()",
        "abs(a, b)",
        "min()",
        "max(*[a])",
        "min(a, key=b)",
        "(a := 1)",
        "f'{a}'",
        "a; b",
        "9" * 900,
        "1e999",
        "-" * 200 + "a",
        "(" * 300 + "a" + ")" * 300,
        "a + " * 400 + "a",
        "a\0",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(FormulaError):
        check_formula(text, frozenset(VALUES))
    with pytest.raises(FormulaError):
        evaluate_formula(text, VALUES)


@pytest.mark.parametrize("text", ["a / 0", "log(0)", "sqrt(-1)", "exp(10000)", "(-1) ^ 0.5", "10 ^ 999", "9^9^9^9"])
def test_a_formula_without_a_finite_value_is_an_error_not_a_number(text: str) -> None:
    check_formula(text, frozenset(VALUES))
    with pytest.raises(FormulaError):
        evaluate_formula(text, VALUES)


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_a_formula_error(text: str) -> None:
    try:
        value = evaluate_formula(text, VALUES)
    except FormulaError:
        return
    assert math.isfinite(value)


FORMULAS = st.recursive(
    st.sampled_from(["a", "b", "0.5", "2", "10"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/^"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from(["abs", "floor", "ceil", "exp", "sqrt", "log", "-"]), inner).map(
            lambda t: f"{t[0]}({t[1]})"
        ),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
    ),
    max_leaves=8,
)


@given(FORMULAS, st.floats(-1, 1), st.floats(0, 10))
def test_bounds_hold_for_every_value_within(text: str, a: float, b: float) -> None:
    bounds = formula_bounds(text, {"a": (-1.0, 1.0), "b": (0.0, 10.0)})
    if bounds is None:
        return
    value = evaluate_formula(text, {"a": a, "b": b})
    slack = 1e-6 * max(1.0, abs(bounds[0]), abs(bounds[1]))
    assert bounds[0] - slack <= value <= bounds[1] + slack


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("0.7 * a + 0.3 * b", (0.3 * 1, 0.7 + 3.0)),
        ("a - 0.5 * b", (-5.0, 0.5)),
        ("abs(a - 0.5)", (0.0, 0.5)),
        ("a / b", (0.0, 1.0)),
        ("b / a", None),
        ("(a - 1) ^ b", None),
        ("log(a)", None),
    ],
)
def test_bounds_of_parts_from_0_to_1_and_1_to_10(text: str, bounds: tuple[float, float] | None) -> None:
    found = formula_bounds(text, {"a": (0.0, 1.0), "b": (1.0, 10.0)})
    assert found == (None if bounds is None else pytest.approx(bounds))
