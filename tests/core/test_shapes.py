"""The shape table of method 3, row by row."""

import pytest
from tests.core.loop_states import a_reading

from whatnext_service.core.shapes import TABLE, shapes

ROWS = [
    ("train_loss_barely_falls", {"last_train_loss": 0.95}, "raise the learning rate, or clean the data"),
    ("train_loss_crashed", {"last_train_loss": 0.001}, "lower the learning rate, or add harder examples"),
    (
        "validation_loss_rises",
        {"rise": 1.35, "best_is_last": False, "best_step": 40},
        "use the checkpoint of the best step",
    ),
    ("validation_loss_flat", {"trend": "flat"}, "train one epoch, or lower the learning rate"),
    ("validation_loss_oscillates", {"trend": "oscillating"}, "take a larger batch, or audit the data"),
    (
        "both_losses_high",
        {"last_train_loss": 0.95, "last_valid_loss": 0.97},
        "take a larger model, or a simpler task",
    ),
    ("large_initial_gap", {"first_valid_loss": 1.8}, "add diverse data"),
    ("diverged", {"trend": "collapsed"}, "lower the learning rate sharply"),
    ("no_validation_series", {"valid_source": "none"}, "attach a validation file"),
]


@pytest.mark.parametrize(("code", "changes", "change"), ROWS)
def test_every_row_of_the_table(code, changes, change):
    found = {one.code: one for one in shapes(a_reading(**changes))}
    assert found[code].suggestion == change
    assert found[code].source == "method 3"
    assert found[code].kind == "curve"


def test_the_rows_tested_are_all_there_are():
    assert {code for code, _, _ in ROWS} == {row.code for row in TABLE}


def test_a_healthy_curve_shows_none_of_them():
    assert shapes(a_reading()) == ()


def test_a_run_without_a_curve_shows_none():
    assert shapes(None) == ()


def test_a_rise_names_the_best_step():
    (found,) = shapes(a_reading(rise=1.35, best_is_last=False, best_step=40))
    assert "step 40" in found.statement
    assert (found.value, found.threshold) == (1.35, 1.2)


@pytest.mark.parametrize(("rise", "shown"), [(1.2, False), (1.21, True)])
def test_a_rise_counts_from_twenty_percent(rise, shown):
    """Method 3: more than 20 % above the best one."""
    found = [one.code for one in shapes(a_reading(rise=rise, best_is_last=False))]
    assert ("validation_loss_rises" in found) is shown


def test_a_learned_task_at_zero_loss_is_no_crash():
    """Method 3 and hazards g: the ratio misleads on an easy task."""
    assert shapes(a_reading(last_train_loss=0.001, best_accuracy=0.99)) == ()


def test_a_tiny_loss_from_the_start_is_no_crash():
    """Hazards 5: one-token answers."""
    assert shapes(a_reading(first_train_loss=0.004, last_train_loss=0.001, first_valid_loss=0.004)) == ()
