"""Whether a change reached the trainer (hazards f)."""

from pathlib import Path

import pytest

from whatnext_service.core.change_took import change_took
from whatnext_service.core.curve_points import curve_from_columns
from whatnext_service.core.curves import Curve
from whatnext_service.core.result_files import parse_result_file

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def run(rate: float | None, factor: float = 1.0, n: int = 20) -> Curve:
    losses = [factor * (2.0 - 0.05 * step) for step in range(n)]
    columns = {"train_loss": losses} if rate is None else {"train_loss": losses, "learning_rate": [rate] * n}
    return curve_from_columns(list(range(1, n + 1)), columns)


@pytest.mark.parametrize(
    ("a", "b", "took", "case"),
    [
        (run(1e-5), run(1e-5), False, "one logged rate, identical losses"),
        (run(1e-5), run(1e-5, factor=1.001), False, "losses that differ by rounding"),
        (run(None), run(None), False, "no logged rate, identical losses"),
        (run(1e-5), run(2e-5), True, "another logged rate"),
        (run(1e-5), run(1e-5, factor=0.9), True, "other losses"),
        (run(1e-5), run(1e-5, n=10), True, "another length proves nothing"),
        (run(1e-5, n=4), run(1e-5, n=4), True, "too few shared points prove nothing"),
    ],
)
def test_change_took(a: Curve, b: Curve, took: bool, case: str) -> None:
    finding = change_took(a, b)
    assert (finding is None) is took


@pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real training records is missing")
def test_two_requested_rates_and_one_real_curve() -> None:
    folder = DATA / "trainer_state"
    low, high, other = (
        parse_result_file((folder / name).read_bytes()).curve
        for name in ("mti_e1_LABELLED_lr1e-5.json", "mti_e1_LABELLED_lr2e-4.json", "mti_e4_balanced.json")
    )
    finding = change_took(low, high)
    assert finding is not None
    assert finding.code == "change_did_not_take"
    assert change_took(low, other) is None
