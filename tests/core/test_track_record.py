import pytest

from whatnext_service.core.track_record import Prediction, RuleRecord, demoted, score_predictions


def a_prediction(observed: float, rule: str = "clean_data", direction="up") -> Prediction:
    return Prediction(rule=rule, direction=direction, effect=0.3, effect_low=-0.1, effect_high=0.7, observed=observed)


def test_hits_and_coverage_are_counted_for_each_rule() -> None:
    """Evidence 6.10: each recommendation's expectation is scored when its result arrives."""
    records = score_predictions(
        [a_prediction(0.5), a_prediction(0.9), a_prediction(-0.05), a_prediction(0.0), a_prediction(-1, rule="b")]
    )
    assert [(each.rule, each.n, each.n_hits, each.n_covered) for each in records] == [
        ("b", 1, 0, 0),
        ("clean_data", 4, 2, 3),
    ]
    assert records[1].mean_error == pytest.approx((0.2 + 0.6 - 0.35 - 0.3) / 4)


def test_less_is_a_hit_when_less_is_better() -> None:
    (record,) = score_predictions([a_prediction(-0.5, direction="down"), a_prediction(0.5, direction="down")])
    assert record.n_hits == 1


@pytest.mark.parametrize(
    ("n", "n_hits", "expected"),
    [(0, 0, False), (2, 0, False), (3, 0, False), (4, 0, True), (8, 2, False), (8, 1, True), (5, 4, False)],
)
def test_a_rule_is_demoted_when_a_coin_would_seldom_do_so_badly(n: int, n_hits: int, expected: bool) -> None:
    assert demoted(RuleRecord(rule="x", n=n, n_hits=n_hits, n_covered=0, mean_error=0.0)) is expected
