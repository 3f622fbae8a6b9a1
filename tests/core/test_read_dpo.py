"""Preference optimisation (evidence 2): the columns that are there, and none that are not."""

import pytest
from tests.core.curve_tables import curve_from_columns

from whatnext_service.core.curves import CurveReading
from whatnext_service.core.read_curve import read_curve

STEPS = list(range(10, 110, 10))
FALLING = [0.69, 0.5, 0.3, 0.2, 0.12, 0.08, 0.06, 0.05, 0.04, 0.03]


def reading(**columns: list[float]) -> CurveReading:
    return read_curve(curve_from_columns(STEPS, columns), method="dpo")


def codes(shown: CurveReading) -> set[str]:
    return {finding.code for finding in shown.findings}


@pytest.mark.parametrize(
    ("valid", "verdict", "source"),
    [
        (
            [0.6, 0.5, 0.45, 0.4, 0.38, 0.36, 0.35, 0.34, 0.33, 0.32],
            "healthy",
            "evidence 2: a ratio of 10 means nothing",
        ),
        ([0.6, 0.5, 0.45, 0.4, 0.38, 0.38, 0.39, 0.40, 0.41, 0.42], "moderate", "evidence 8: shape alone"),
        ([0.6, 0.5, 0.45, 0.4, 0.38, 0.45, 0.5, 0.6, 0.7, 0.8], "severe", "method 3: +20 %"),
    ],
)
def test_the_verdict_rests_on_the_shape_alone(valid: list[float], verdict: str, source: str) -> None:
    shown = reading(train_loss=FALLING, full_valid_loss=valid)
    assert shown.verdict == verdict
    assert "ratio_without_rise" not in codes(shown)


def test_a_saturated_preference_loss_is_no_collapse() -> None:
    """A real job ends at 4e-06 with single-step spikes (evidence 2); another at exactly 0 (hazards g)."""
    spiky = [0.69, 0.2, 0.01, 4e-6, 0.228, 5e-6, 4e-6, 0.1, 4e-6, 4e-6]
    assert codes(reading(train_loss=spiky)) == {"no_validation"}
    zeros = [0.69, 0.16, *([0.0] * 8)]
    shown = reading(train_loss=zeros, **{"rewards/accuracies": [0.0, 0.9, *([1.0] * 8)]})
    assert "saturated_preference" in codes(shown)
    assert shown.trend != "collapsed"


def test_zero_loss_with_a_poor_preference_accuracy_is_a_collapse() -> None:
    shown = reading(train_loss=[0.69, 0.16, *([0.0] * 8)], **{"rewards/accuracies": [0.4] * 10})
    assert "nan_collapse" in codes(shown)
    assert shown.shape == "diverged"


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"train_loss": [0.69] * 10}, True),
        ({"train_loss": FALLING}, False),
        ({"train_loss": FALLING, "Rewards/accuracies": [0.5] * 10}, True),
        ({"train_loss": FALLING, "rewards/accuracies": [0.5, *([0.9] * 9)]}, False),
        ({"train_loss": FALLING, "rewards/accuracies": [0.9] * 10, "eval_rewards/accuracies": [0.5] * 10}, True),
    ],
)
def test_preference_at_chance(columns: dict[str, list[float]], found: bool) -> None:
    assert ("preference_at_chance" in codes(reading(**columns))) is found


def test_a_falling_reward_of_the_preferred_answers_is_told() -> None:
    chosen = [0.1, 0.0, -0.5, -1.0, -1.5, -2.0, -2.2, -2.5, -2.8, -3.0]
    assert "chosen_reward_falls" in codes(reading(train_loss=FALLING, **{"rewards/chosen": chosen}))
    assert "chosen_reward_falls" not in codes(reading(train_loss=FALLING, **{"rewards/chosen": FALLING}))


def test_the_dialect_is_known_by_its_columns() -> None:
    curve = curve_from_columns(STEPS, {"train_loss": FALLING, "rewards/chosen": FALLING, "rewards/margins": FALLING})
    assert read_curve(curve) == read_curve(curve, method="dpo")
