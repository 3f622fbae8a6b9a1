"""Reinforcement fine-tuning (method 3, evidence 2)."""

import numpy as np
import pytest
from tests.core.curve_tables import curve_from_columns

from whatnext_service.core.curves import CurveReading
from whatnext_service.core.read_curve import read_curve

N = 20


def reading(
    train: list[float], valid: list[float] | None = None, deployable: tuple[int, ...] | None = None, **more: list[float]
) -> CurveReading:
    columns: dict[str, list[float | None]] = {"train_mean_reward": list(train), **more}
    if valid is not None:
        every = N // len(valid)
        columns["full_valid_mean_reward"] = [
            valid[step // every - 1] if step % every == 0 else None for step in range(1, N + 1)
        ]
    return read_curve(curve_from_columns(list(range(1, N + 1)), columns), deployable_steps=deployable)


def ramp(first: float, last: float) -> list[float]:
    return np.linspace(first, last, N).tolist()


RISING = ramp(0.3, 0.7)
NOISY = (0.4 + np.random.default_rng(4).normal(0.0, 0.15, N)).tolist()


@pytest.mark.parametrize(
    ("code", "severity", "shown", "source"),
    [
        ("reward_near_zero", "critical", reading([0.01] * N), "method 3: flat near 0"),
        ("reward_always_negative", "critical", reading(ramp(-0.5, -0.2)), "method 3: always negative"),
        ("reward_high_and_flat", "caution", reading([0.95] * N), "method 3: too lenient"),
        ("reward_flat", "info", reading([0.5] * N), "method 3: plateau"),
        ("reward_flat", "info", reading(NOISY), "evidence 2: within its noise"),
        ("reward_fell", "caution", reading(ramp(0.7, 0.3)), "evidence 2"),
        ("reward_gap", "caution", reading(RISING, [0.34, 0.42, 0.5, 0.6]), "method 3: 0.05 to 0.10"),
        ("reward_hacking", "critical", reading(RISING, [0.3, 0.35, 0.35, 0.4]), "method 3: above 0.10"),
        ("tokens_grew", "info", reading(RISING, completion_tokens_mean=ramp(100, 240)), "method 3: x2 is normal"),
        ("tokens_verbose", "caution", reading(RISING, completion_tokens_mean=ramp(100, 400)), "method 3: x3"),
        ("grader_errors", "critical", reading(RISING, train_other_error_count=[0.0] * 19 + [2.0]), "method 3"),
        ("parse_errors", "caution", reading(RISING, train_sample_parse_error_count=[1.0] * N), "method 3"),
        ("unresponsive_rewards", "caution", reading(RISING, mean_unresponsive_rewards=[0.1] * N), "method 3"),
    ],
)  # fmt: skip
def test_reward_finding(code: str, severity: str, shown: CurveReading, source: str) -> None:
    assert {finding.code: finding.severity for finding in shown.findings}.get(code) == severity


@pytest.mark.parametrize(
    ("shown", "source"),
    [
        (reading(RISING, [0.38, 0.48, 0.58, 0.68]), "method 3: gap up to 0.05"),
        (reading(RISING, [0.6, 0.7, 0.8, 0.9]), "evidence 2: signed, validation above training"),
        (reading([0.4, 0.35, 0.3, 0.25, 0.3, *np.linspace(0.35, 0.8, 15)], [0.3, 0.4, 0.6, 0.8]), "hazards i: a dip"),
        (reading(RISING, completion_tokens_mean=ramp(100, 150)), "method 3: below x2"),
        (reading(RISING, train_other_error_count=[0.0] * N), "method 3: zero errors"),
    ],
)
def test_healthy_rewards_have_no_finding(shown: CurveReading, source: str) -> None:
    assert shown.findings == ()


@pytest.mark.parametrize(
    ("valid", "verdict"),
    [([0.38, 0.48, 0.58, 0.68], "healthy"), ([0.34, 0.42, 0.5, 0.6], "mild"), ([0.3, 0.35, 0.35, 0.4], "severe"),
     (None, "cannot_judge")],
)  # fmt: skip
def test_verdict_follows_the_gap(valid: list[float] | None, verdict: str) -> None:
    assert reading(RISING, valid).verdict == verdict


def test_peak_final_and_middle_are_nominated_never_the_peak_alone() -> None:
    shown = reading(RISING, [0.3, 0.7, 0.5, 0.6])
    assert (shown.best_step, shown.nominated_steps) == (10, (10, 20))
    assert reading(RISING, [0.3, 0.5, 0.8, 0.6]).nominated_steps == (15, 20, 10)
    assert reading(RISING, [0.3, 0.5, 0.8, 0.6], (10, 20)).nominated_steps == (10, 20)


def test_two_rewards_are_too_short() -> None:
    shown = read_curve(curve_from_columns([1, 2], {"train_mean_reward": [0.1, 0.2]}))
    assert (shown.shape, shown.verdict) == ("too_short", "cannot_judge")


def test_patterns_wait_for_the_first_third_and_errors_do_not() -> None:
    columns = {"train_mean_reward": [0.01] * N, "train_other_error_count": [1.0] * N}
    shown = read_curve(curve_from_columns(list(range(1, N + 1)), columns), planned_steps=200)
    assert [finding.code for finding in shown.findings] == ["grader_errors"]
