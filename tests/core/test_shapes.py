"""The shape table of method 3, row by row, from the columns of a result file to the change."""

import math

import pytest
from tests.core.loop_states import a_reading

from whatnext_service.core.curves import Curve, Series
from whatnext_service.core.read_curve import read_curve
from whatnext_service.core.shapes import TABLE, has_diverged, row_of, shapes

STEPS = tuple(range(1, 101))
EPOCHS = tuple(range(10, 101, 10))


def falling(last, first=1.0, n=100):
    return tuple(last + (first - last) * math.exp(-5 * index / n) for index in range(n))


def losses(train, full=None, accuracy=None):
    series = [Series(name="train_loss", steps=STEPS, values=tuple(train))]
    if full is not None:
        series.append(Series(name="full_valid_loss", steps=EPOCHS, values=tuple(full)))
    if accuracy is not None:
        series.append(Series(name="full_valid_mean_token_accuracy", steps=EPOCHS, values=(accuracy,) * 10))
    return Curve(series=tuple(series))


def rewards(train, valid=None, **columns):
    series = [Series(name="train_mean_reward", steps=STEPS, values=tuple(train))]
    if valid is not None:
        series.append(Series(name="full_valid_mean_reward", steps=EPOCHS, values=tuple(valid)))
    series += [Series(name=name, steps=STEPS, values=tuple(values)) for name, values in columns.items()]
    return Curve(series=tuple(series))


RISING = (0.6, 0.5, 0.45, 0.5, 0.58, 0.66, 0.74, 0.8, 0.86, 0.92)
ROWS = [
    ("training loss barely falls", losses(falling(0.95), falling(0.8, n=10))),
    ("training loss crashes to about 0", losses(falling(0.001), falling(0.5, n=10), accuracy=0.4)),
    ("validation loss rises after epoch k", losses(falling(0.2), RISING)),
    ("validation loss flat after epoch 1", losses(falling(0.4), (0.6, *(0.5,) * 9))),
    ("validation loss oscillates", losses(falling(0.4), (0.7, 0.6, 0.8, 0.65, 0.75) * 2)),
    ("both losses stay high", losses(falling(0.96), falling(0.97, n=10))),
    (
        "large train/validation gap from the first step",
        losses(falling(0.5), tuple(value + 1.0 for value in falling(0.9, n=10))),
    ),
    ("NaN, or loss explodes", losses((*falling(0.5, n=60), *(math.nan,) * 40), falling(0.5, n=10))),
    ("no validation series", losses(falling(0.4))),
    ("reward flat near 0", rewards((0.0, 0.01) * 50, (0.0, 0.01) * 5)),
    ("reward always negative", rewards((-0.5, -0.6) * 50, (-0.5, -0.6) * 5)),
    ("reward high and flat from the start", rewards((0.95, 0.96) * 50, (0.95, 0.96) * 5)),
    (
        "train/validation reward gap",
        rewards(tuple(0.3 + index / 200 for index in range(100)), (0.3,) * 10),
    ),
    (
        "completion tokens grow",
        rewards(
            tuple(0.3 + index / 400 for index in range(100)),
            completion_tokens_mean=tuple(100 + 4 * index for index in range(100)),
        ),
    ),
    (
        "other errors of the grader",
        rewards(tuple(0.3 + index / 400 for index in range(100)), train_other_error_count=(0.0,) * 99 + (2.0,)),
    ),
]


@pytest.mark.parametrize(("observation", "curve"), ROWS, ids=[observation for observation, _ in ROWS])
def test_every_row_of_the_table(observation, curve):
    (row,) = [one for one in TABLE if one.observation == observation]
    found = [one for one in shapes(read_curve(curve)) if one.code in row.codes]
    assert found, [one.code for one in shapes(read_curve(curve))]
    assert found[0].suggestion == f"{row.reading}: {row.change}"
    assert found[0].kind == "curve"


def test_the_rows_tested_are_all_there_are():
    assert {observation for observation, _ in ROWS} == {row.observation for row in TABLE}


def test_no_code_stands_in_two_rows():
    codes = [code for row in TABLE for code in row.codes]
    assert len(codes) == len(set(codes))


def test_a_healthy_curve_shows_none_of_them():
    assert not [one for one in shapes(read_curve(losses(falling(0.4), falling(0.45, n=10)))) if row_of(one.code)]


def test_a_run_without_a_curve_shows_none():
    assert shapes(None) == ()


def test_a_broken_run_has_diverged():
    assert has_diverged(read_curve(ROWS[7][1]))
    assert not has_diverged(read_curve(losses(falling(0.4), falling(0.45, n=10))))


def test_a_learned_task_at_zero_loss_is_no_crash():
    """Method 3 and hazards g: the ratio misleads on an easy task."""
    reading = read_curve(losses(falling(0.001), falling(0.02, n=10), accuracy=0.99))
    assert "train_loss_crashed" not in [one.code for one in shapes(reading)]


def test_a_tiny_loss_from_the_start_is_no_crash():
    """Hazards 5: one-token answers."""
    assert shapes(a_reading(first_train_loss=0.004, last_train_loss=0.001)) == ()


def test_a_rate_that_ruins_the_run_keeps_the_advice_of_the_evidence():
    """Evidence 8: training loss barely falls and validation rises above its first value: lower the rate."""
    curve = losses(falling(0.95), (1.0, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.35, 1.4, 1.45))
    found = {one.code: one.suggestion for one in shapes(read_curve(curve))}
    assert "underfit" not in found
    assert "lower the learning rate" in found["rate_too_high"]
