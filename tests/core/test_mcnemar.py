"""Paired right-or-wrong scores, checked against enumeration of every outcome."""

from itertools import product
from math import comb

import pytest

from whatnext_service.core.mcnemar import exact_mcnemar_p, share_interval


@pytest.mark.parametrize("gains", range(7))
@pytest.mark.parametrize("losses", range(7))
def test_p_value_equals_the_enumeration_of_all_sign_patterns(gains: int, losses: int) -> None:
    changed = gains + losses
    observed = abs(gains - losses)
    as_extreme = sum(abs(2 * sum(signs) - changed) >= observed for signs in product((0, 1), repeat=changed))
    assert exact_mcnemar_p(gains, losses) == pytest.approx(as_extreme / 2**changed)


@pytest.mark.parametrize(("n", "gains", "losses"), [(n, b, c) for n in (6, 20, 60) for b in range(7) for c in range(7)])
def test_interval_never_claims_what_the_exact_test_does_not(n: int, gains: int, losses: int) -> None:
    if gains + losses > n:
        return
    low, high = share_interval(n, gains, losses, 0.95)
    assert -1.0 <= low <= (gains - losses) / n <= high <= 1.0
    if low > 0.0 or high < 0.0:
        assert exact_mcnemar_p(gains, losses) < 0.05


@pytest.mark.parametrize("n", [10, 25, 50])
@pytest.mark.parametrize("gain_share", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("loss_share", [0.02, 0.1, 0.3])
def test_interval_covers_the_truth_over_all_outcomes(n: int, gain_share: float, loss_share: float) -> None:
    covered = 0.0
    for gains in range(n + 1):
        for losses in range(n + 1 - gains):
            chance = (
                comb(n, gains)
                * comb(n - gains, losses)
                * gain_share**gains
                * loss_share**losses
                * (1 - gain_share - loss_share) ** (n - gains - losses)
            )
            low, high = share_interval(n, gains, losses, 0.95)
            covered += chance * (low <= gain_share - loss_share <= high)
    assert covered >= 0.94


def test_no_changed_item_is_no_proof_of_equality() -> None:
    low, high = share_interval(50, 0, 0, 0.95)
    assert low == -high
    assert 0.02 < high < 0.1
