import pytest
from tests.core.loop_states import a_reading, a_run

from whatnext_service.core.outcome import diverged, outcome


@pytest.mark.parametrize(
    ("source", "reading", "above_first", "risen"),
    [
        (
            "evidence 8: above its first value",
            {"first_valid_loss": 1.0, "last_valid_loss": 1.1, "rise": 1.2},
            True,
            True,
        ),
        ("evidence 8: risen 3-5 %", {"last_valid_loss": 0.4, "rise": 1.05}, False, True),
        ("evidence 8: not yet risen", {"last_valid_loss": 0.4, "rise": 1.03}, False, False),
        (
            "hazards: a single batch above its first value says nothing",
            {"valid_source": "batch", "first_valid_loss": 1.0, "last_valid_loss": 1.1, "rise": 1.0},
            False,
            False,
        ),
        ("evidence 8: collapsed is above every value", {"trend": "collapsed", "rise": None}, True, False),
        ("evidence 8: the ratio decides nothing", {"overfit_ratio": 30.0, "rise": 1.0}, False, False),
    ],
)
def test_a_run_is_read_against_its_first_value_and_its_minimum(source, reading, above_first, risen) -> None:
    seen = outcome(a_run(1, reading=a_reading(**reading)))
    assert (seen.above_first, seen.risen) == (above_first, risen), source


@pytest.mark.parametrize("reading", [None, a_reading(valid_source="none"), a_reading(n_valid_points=1)])
def test_without_validation_nothing_is_known(reading) -> None:
    assert not outcome(a_run(1, reading=reading)).known


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ("Training loss became NaN", True),
        ("the loss diverged at step 12", True),
        ("loss exploded", True),
        ("value is inf", True),
        ("Your finance account has insufficient quota", False),
        ("information missing", False),
        (None, False),
    ],
)
def test_divergence_is_told_from_other_failures(failure: str | None, expected: bool) -> None:
    assert diverged(a_run(1, status="failed", failure=failure, reading=None)) is expected
