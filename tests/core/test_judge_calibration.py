"""The judge as an instrument (method 4, evidence 1)."""

import numpy as np
import pytest

from whatnext_service.core.evaluations import pack_scores
from whatnext_service.core.judge_calibration import calibrate, corrected, read_drift, read_pass_threshold

HAND = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 5.0, 7.0]


def on_ten(judge: list[float | None], hand: list[float | None] = HAND):
    return calibrate(pack_scores(judge), pack_scores(hand), scale_min=1.0, scale_max=10.0)


@pytest.mark.parametrize(
    ("judge", "verdict"),
    [
        ([score + (0.5 if index % 2 else -0.5) for index, score in enumerate(HAND)], "sound"),
        ([score * 0.5 + 5.0 for score in HAND], "biased"),
        ([6.0, 2.0, 3.0, 9.0, 5.0, 4.0, 7.0, 6.0, 9.0, 10.0, 2.0, 7.0], "doubtful"),
        (list(reversed(HAND)), "unsound"),
        ([5.0] * 12, "cannot_tell"),
        ([*HAND[:9], None, None, None], "cannot_tell"),
    ],
)
def test_verdict(judge: list[float | None], verdict: str) -> None:
    assert on_ten(judge).verdict == verdict


def test_a_lenient_judge_is_corrected_to_the_hand_grades() -> None:
    reading = on_ten([score * 0.5 + 5.0 for score in HAND])
    assert reading.correction is not None
    assert (reading.correction.slope, reading.correction.intercept) == (pytest.approx(2.0), pytest.approx(-10.0))
    assert corrected(7.5, reading.correction, scale_min=1.0, scale_max=10.0) == pytest.approx(5.0)
    assert corrected(2.0, reading.correction, scale_min=1.0, scale_max=10.0) == 1.0
    assert reading.bias == pytest.approx(5.0 - 0.5 * np.mean(HAND))


def test_agreement_within_a_tenth_of_the_scale() -> None:
    judge = [score + 0.9 for score in HAND[:9]] + [score - 2.0 for score in HAND[9:]]
    reading = on_ten(judge)
    assert reading.within_one_share == pytest.approx(9 / 12)
    assert reading.mean_absolute_error == pytest.approx((9 * 0.9 + 3 * 2.0) / 12)


def test_a_judge_that_ranks_badly_offers_no_correction() -> None:
    assert on_ten(list(reversed(HAND))).correction is None


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        (HAND, "steady"),
        ([score + (0.1 if index % 2 else -0.1) for index, score in enumerate(HAND)], "steady"),
        ([score - (1.0 if index % 2 else 0.8) for index, score in enumerate(HAND)], "drifted"),
        ([score + (3.0 if index % 2 else -3.0) for index, score in enumerate(HAND)], "cannot_tell"),
        ([None] * 12, "cannot_tell"),
    ],
)
def test_drift_on_anchors(now: list[float | None], verdict: str) -> None:
    reading = read_drift(pack_scores(HAND), pack_scores(now), scale_min=1.0, scale_max=10.0, margin=0.25)
    assert reading.verdict == verdict


@pytest.mark.parametrize(
    ("threshold", "verdict"),
    [
        (0.05, "no_signal"),
        (0.20, "lenient"),
        (0.25, "good"),
        (0.40, "good"),
        (0.50, "good"),
        (0.60, "strict"),
        (0.80, "may_diverge"),
    ],
)
def test_a_quarter_to_a_half_of_the_base_models_outputs_should_fail(threshold: float, verdict: str) -> None:
    """Method 4: under 10 % no signal, over 70 % may diverge."""
    reading = read_pass_threshold(pack_scores([index / 100 for index in range(100)]), threshold)
    assert reading.failing_share == pytest.approx(threshold)
    assert reading.verdict == verdict
    assert reading.suggested == pytest.approx(0.375, abs=0.011)


def test_a_score_at_the_threshold_passes() -> None:
    assert read_pass_threshold(pack_scores([0.0] * 4 + [1.0] * 6), 1.0).failing_share == pytest.approx(0.4)
    assert read_pass_threshold(pack_scores([0.0] * 4 + [1.0] * 6), 0.0).failing_share == 0.0


def test_no_threshold_is_suggested_where_none_fits() -> None:
    reading = read_pass_threshold(pack_scores([0.0] * 9 + [1.0] * 3), 1.0)
    assert (reading.verdict, reading.suggested) == ("may_diverge", None)


def test_few_outputs_calibrate_nothing() -> None:
    assert read_pass_threshold(pack_scores([0.0, 1.0, None] * 4), 0.5).verdict == "cannot_tell"
