"""Nominated checkpoints (evidence 2, method 3 "best checkpoint", hazards j)."""

import pytest
from tests.core.curve_tables import curve_from_columns

from whatnext_service.core.read_curve import read_curve

STEPS = [10, 20, 30, 40, 50]


@pytest.mark.parametrize(
    ("losses", "deployable", "nominated", "source"),
    [
        ([1.5, 1.2, 1.0, 1.2, 1.4], None, (30, 50, 20), "evidence 2: best, last, the epoch before"),
        ([1.0, 1.2, 1.3, 1.3, 1.4], None, (10, 50, 20), "evidence 2: the best is the first, so the epoch after"),
        ([1.5, 1.2, 1.0, 1.01, 1.02], None, (50, 30, 20), "evidence 8: below 1.05 the last is the better bet"),
        ([1.5, 1.2, 1.1, 1.05, 1.0], None, (50, 40), "evidence 2: the best is the last"),
        ([1.5, 1.2, 1.0, 1.2, 1.4], (30, 40, 50), (30, 50, 40), "hazards j: only what can be deployed"),
        ([1.5, 1.2, 1.0, 1.2, 1.4], (25, 50), (25, 50), "method 3: the nearest not after the best step"),
        ([1.0, 1.2, 1.3, 1.3, 1.4], (40, 50), (40, 50), "hazards j: the best is gone, the earliest comes nearest"),
        ([1.5, 1.2, 1.0, 1.2, 1.4], (), (), "hazards j: nothing is deployable"),
    ],
)
def test_nominated_steps(
    losses: list[float], deployable: tuple[int, ...] | None, nominated: tuple[int, ...], source: str
) -> None:
    curve = curve_from_columns(STEPS, {"full_valid_loss": losses, "train_loss": [1.5, 1.2, 1.0, 0.8, 0.6]})
    assert read_curve(curve, deployable_steps=deployable).nominated_steps == nominated


def test_without_validation_the_last_step_is_nominated() -> None:
    curve = curve_from_columns(STEPS, {"train_loss": [1.5, 1.2, 1.0, 0.8, 0.6]})
    assert read_curve(curve).nominated_steps == (50,)
