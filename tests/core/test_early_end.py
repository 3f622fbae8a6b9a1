"""Ends of an evaluation before its last item."""

from decimal import Decimal

import pytest

from whatnext_service.core.early_end import Spent, TokenPrices, cap_reached, cost_of, failing
from whatnext_service.core.ending import ending

PRICES = TokenPrices(prompt=Decimal("2"), completion=Decimal("8"), judge_prompt=Decimal("1"))
SPENT = Spent(prompt_tokens=1_000_000, completion_tokens=500_000, judge_prompt_tokens=2_000_000)


def test_the_judge_is_paid_too() -> None:
    assert cost_of(SPENT, PRICES) == Decimal("8")
    assert SPENT.tokens == 3_500_000
    assert SPENT.plus(SPENT).tokens == 7_000_000


@pytest.mark.parametrize(
    ("max_tokens", "max_cost", "ended"),
    [
        (None, None, None),
        (3_500_000, None, "max_tokens"),
        (3_500_001, None, None),
        (None, Decimal("8"), "max_cost"),
        (None, Decimal("8.01"), None),
    ],
)
def test_a_cap_ends_it_once_it_is_reached(max_tokens: int | None, max_cost: Decimal | None, ended: str | None) -> None:
    assert cap_reached(SPENT, max_tokens=max_tokens, max_cost=max_cost, prices=PRICES) == ended


def test_only_lasting_faults_without_one_answer_end_it() -> None:
    assert failing(("refused",) * 20)
    assert not failing(("refused",) * 19)
    assert not failing(("refused",) * 40 + (None,))
    assert not failing(("rate_limited",) * 40)


@pytest.mark.parametrize(
    ("ended", "failure", "status"),
    [
        (None, None, "succeeded"),
        (None, "No item could be scored", "failed"),
        ("hopeless", None, "succeeded"),
        ("max_tokens", None, "failed"),
        ("max_cost", None, "failed"),
        ("failing", "No item could be scored", "failed"),
        ("cancelled", None, "cancelled"),
    ],
)
def test_how_it_was_stopped_decides_what_it_counts_for(ended: str | None, failure: str | None, status: str) -> None:
    found, told = ending(ended, 5, 100, failure)  # type: ignore[arg-type]
    assert found == status
    assert (told is None) == (status == "succeeded")
