import httpx
import pytest

from whatnext.retry import delay_s, may_retry, retry_after_s

NOW = 1_795_000_000.0


@pytest.mark.parametrize(
    ("status", "headers", "safe", "expected"),
    [
        (408, {}, True, True),
        (429, {}, True, True),
        (429, {}, False, True),
        (500, {}, True, True),
        (503, {}, True, True),
        (503, {}, False, False),
        (409, {}, True, False),
        (409, {"retry-after": "1"}, True, True),
        (409, {"retry-after": "1"}, False, False),
        (400, {}, True, False),
        (404, {"retry-after": "1"}, True, False),
    ],
)
def test_only_what_may_pass_is_tried_again(status: int, headers: dict[str, str], safe: bool, expected: bool) -> None:
    assert may_retry(status, httpx.Headers(headers), safe=safe) is expected


@pytest.mark.parametrize(("attempt", "longest"), [(0, 0.5), (1, 1.0), (2, 2.0), (4, 8.0), (9, 8.0)])
def test_the_delay_doubles_to_eight_seconds_and_jitter_takes_a_quarter(attempt: int, longest: float) -> None:
    assert delay_s(attempt, {}, now=NOW, jitter=0.0) == longest
    assert delay_s(attempt, {}, now=NOW, jitter=1.0) == longest * 0.75


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3.0),
        ("0.25", 0.25),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("inf", None),
        ("nan", None),
        ("Wed, 18 Nov 2026 11:06:45 GMT", 5.0),
        ("Wed, 18 Nov 2020 11:06:45 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, expected: float | None) -> None:
    assert retry_after_s({"retry-after": text}, NOW) == expected


def test_retry_after_is_capped() -> None:
    assert delay_s(0, {"retry-after": "86400"}, now=NOW, jitter=0.5) == 60.0
