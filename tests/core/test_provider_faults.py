"""Nothing that may pass ends a run, and what does not pass ends it only when it is certain."""

from datetime import timedelta
from typing import get_args

import msgspec
import pytest
from tests.core.loop_states import START, a_run, a_state

from whatnext_service.core.incumbent import leader
from whatnext_service.core.loop_warnings import loop_warnings
from whatnext_service.core.provider_faults import (
    CANCEL_S,
    LASTING_LOOKS,
    LASTING_S,
    Verdict,
    is_told,
    judge_fault,
    may_do_without,
    wait_s,
)
from whatnext_service.core.runs import RunFault
from whatnext_service.core.scoreboard import read_scoreboard
from whatnext_service.errors import ProviderFault

PASSING = ("unreachable", "timeout", "rate_limited", "unavailable")
LONG = {"n_in_a_row": LASTING_LOOKS, "lasted_s": LASTING_S}
FIRST = {"n_in_a_row": 1, "lasted_s": 0.0}


def judged(fault: str, **changes: object) -> Verdict:
    given: dict[str, object] = {"retryable": fault in PASSING, "sent": True, "job_known": True}
    return judge_fault(fault, **given | {"cancel_requested": False} | FIRST | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", get_args(ProviderFault))
def test_a_known_job_is_never_given_up_at_first_sight(fault: str) -> None:
    assert judged(fault) == "keep"
    assert judged(fault, n_in_a_row=10_000) == "keep", "however often, within a short time"
    assert judged(fault, lasted_s=10 * LASTING_S) == "keep", "after however long, seen once"


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("unauthorized", "keep"),
        ("unavailable", "keep"),
        ("not_found", "lost"),
        ("refused", "lost"),
        ("malformed", "lost"),
    ],
)
def test_a_known_job_is_lost_once_its_denial_lasts(fault: str, verdict: Verdict) -> None:
    assert judged(fault, **LONG) == verdict
    assert judged(fault, n_in_a_row=100_000, lasted_s=30 * 86400.0) == verdict


@pytest.mark.parametrize(
    ("fault", "first", "lasting"),
    [
        ("unauthorized", "keep", "keep"),
        ("unavailable", "keep", "keep"),
        ("malformed", "keep", "keep"),
        ("not_found", "keep", "failed"),
        ("refused", "failed", "failed"),
    ],
)
def test_before_there_is_a_job_only_a_refusal_ends_the_run(fault: str, first: Verdict, lasting: Verdict) -> None:
    assert judged(fault, job_known=False) == first
    assert judged(fault, job_known=False, **LONG) == lasting


def test_a_request_that_was_never_sent_and_makes_no_sense_is_not_sent_again() -> None:
    assert judged("malformed", job_known=False, sent=False) == "failed"


@pytest.mark.parametrize("fault", ["unauthorized", "unreachable", "not_found"])
def test_a_cancellation_is_carried_for_a_day(fault: str) -> None:
    assert judged(fault, cancel_requested=True, n_in_a_row=2, lasted_s=CANCEL_S - 1) == "keep"
    assert judged(fault, cancel_requested=True, n_in_a_row=2, lasted_s=CANCEL_S) == "cancelled"


def test_waits_double_to_a_minute_and_stay_there() -> None:
    assert [wait_s(n, None) for n in (1, 2, 3, 6, 7, 1_000_000)] == [1.0, 2.0, 4.0, 32.0, 60.0, 60.0]


def test_the_provider_may_ask_for_a_wait_but_not_for_a_day() -> None:
    assert (wait_s(1, 120.0), wait_s(9, 0.5), wait_s(1, 86_400.0)) == (120.0, 0.5, 3600.0)


def test_a_fault_of_the_moment_is_told_when_it_stays_and_another_at_once() -> None:
    assert not is_told("unavailable", retryable=True, n_in_a_row=2)
    assert is_told("unavailable", retryable=True, n_in_a_row=3)
    assert is_told("unauthorized", retryable=False, n_in_a_row=1)
    assert is_told("not_found", retryable=False, n_in_a_row=1)


@pytest.mark.parametrize(
    ("fault", "retryable", "under_way", "at_the_end", "at_last"),
    [
        ("unavailable", True, False, False, False),
        ("unauthorized", False, False, False, False),
        ("not_found", False, True, False, True),
        ("malformed", True, True, False, True),
        ("malformed", False, True, True, True),
        ("refused", False, True, True, True),
    ],
)
def test_a_part_of_a_job_is_done_without_only_when_that_is_certain_or_it_will_be_asked_for_again(
    fault: ProviderFault, retryable: bool, under_way: bool, at_the_end: bool, at_last: bool
) -> None:
    def without(ended: bool, **sightings: float) -> bool:
        return may_do_without(fault, retryable=retryable, ended=ended, **sightings)  # type: ignore[arg-type]

    assert without(False, **FIRST) == under_way
    assert without(True, **FIRST) == at_the_end
    assert without(True, **LONG) == at_last


def warned(fault: str | None) -> list[tuple[str, str, str]]:
    seen = RunFault(fault=fault, detail="401 key revoked", since=START + timedelta(hours=1)) if fault else None
    state = a_state(runs=(msgspec.structs.replace(a_run(1), status="running", provider_fault=seen),))
    board = read_scoreboard(state)
    found = loop_warnings(board, leader(board))
    return [(each.code, each.severity, each.message) for each in found if each.code.startswith("provider_")]


def test_the_loop_is_warned_of_a_refused_key() -> None:
    ((code, severity, message),) = warned("unauthorized")
    assert (code, severity) == ("provider_refuses_key", "critical")
    assert "The provider refuses the key of R1: 401 key revoked; since 2026-11-22 09:00 UTC." in message


def test_the_loop_is_warned_of_a_provider_that_does_not_answer() -> None:
    ((code, severity, message),) = warned("unavailable")
    assert (code, severity) == ("provider_unreachable", "caution")
    assert "R1" in message
    assert "unavailable" in message


def test_a_provider_that_answers_is_no_matter_for_a_warning() -> None:
    assert warned(None) == []
