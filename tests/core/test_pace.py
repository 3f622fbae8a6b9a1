"""The pace of requests to one platform."""

import pytest

from whatnext_service.core.pace import answered, backoff_s, failed, is_out, start, throttled


def test_a_refusal_halves_the_width_and_answers_widen_it_again() -> None:
    pace = throttled(start(64), 0.0, 1.0, None)
    assert pace.limit == 32.0
    for _ in range(32):
        pace = answered(pace)
    assert 32.9 < pace.limit < 33.1
    for _ in range(5000):
        pace = answered(pace)
    assert pace.limit == 64.0


def test_refusals_of_requests_sent_together_halve_it_once() -> None:
    pace = throttled(start(64), 0.0, 1.0, None)
    pace = throttled(pace, 0.5, 1.1, None)
    assert pace.limit == 32.0
    assert throttled(pace, 1.2, 1.4, None).limit == 16.0


def test_it_never_falls_below_one() -> None:
    pace = start(2)
    for second in range(10):
        pace = throttled(pace, float(second), second + 0.5, None)
    assert pace.limit == 1.0


def test_the_longest_wait_asked_for_is_kept_within_reason() -> None:
    pace = throttled(start(8), 0.0, 10.0, 20.0)
    assert pace.not_before_s == 30.0
    assert throttled(pace, 9.0, 11.0, 1.0).not_before_s == 30.0
    assert throttled(start(8), 0.0, 0.0, 1e9).not_before_s == 300.0


@pytest.mark.parametrize(("attempt", "low", "high"), [(1, 0.25, 0.5), (3, 1.0, 2.0), (30, 15.0, 30.0)])
def test_waits_double_up_to_a_bound_and_are_spread(attempt: int, low: float, high: float) -> None:
    assert (backoff_s(attempt, 0.0), backoff_s(attempt, 1.0)) == (low, high)


def test_a_minute_of_nothing_but_faults_is_an_outage_until_an_answer_comes() -> None:
    pace = failed(failed(start(8), 10.0), 40.0)
    assert not is_out(pace, 69.0)
    assert is_out(pace, 70.0)
    assert not is_out(answered(pace), 70.0)
    assert not is_out(start(8), 1e9)
