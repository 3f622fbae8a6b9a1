"""Whether a change reached the trainer (hazards f)."""

from pathlib import Path

import pytest
from tests.core.curve_tables import curve_from_columns
from tests.core.loop_states import a_config, a_run, a_state, an_evaluation

from whatnext_service.core.change_took import NOT_TAKEN, change_took, must_show, took
from whatnext_service.core.curves import Curve
from whatnext_service.core.diagnose import diagnose
from whatnext_service.core.history import history
from whatnext_service.core.incumbent import standings
from whatnext_service.core.plan import what_next
from whatnext_service.core.predict import observed_effect, past_effects
from whatnext_service.core.read_curve import read_curve
from whatnext_service.core.result_files import parse_result_file
from whatnext_service.core.runs import Run
from whatnext_service.core.scoreboard import read_scoreboard

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
        (run(None, factor=0.0), run(None, factor=0.0), True, "losses of zero prove nothing"),
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


def untaken(number: int, **changes: object) -> Run:
    return a_run(number, a_config(learning_rate_multiplier=0.5), reading=NOT_AS_ASKED, **changes)


NOT_AS_ASKED = read_curve(run(None), parent=run(None))


@pytest.mark.parametrize(
    ("changed", "shows"),
    [
        ((), False),
        (("n_epochs",), False),
        (("eval_interval", "eval_samples"), False),
        (("learning_rate_multiplier",), True),
        (("n_epochs", "batch_size"), True),
        (("dataset_version_id",), True),
    ],
)
def test_only_some_changes_show_in_the_losses(changed: tuple[str, ...], shows: bool) -> None:
    assert must_show(changed) is shows


def test_a_reading_says_once_that_a_change_did_not_take() -> None:
    codes = [finding.code for finding in NOT_AS_ASKED.findings]
    assert codes.count(NOT_TAKEN) == 1
    logged = read_curve(run(1e-5), parent=run(1e-5), requested_learning_rate=1e-3)
    assert [finding.code for finding in logged.findings].count(NOT_TAKEN) == 1
    assert NOT_TAKEN not in {finding.code for finding in read_curve(run(None), parent=run(None, factor=0.9)).findings}


def test_a_change_that_did_not_take_is_no_experiment_and_teaches_nothing() -> None:
    first, second = a_run(1), untaken(2)
    state = a_state(runs=(first, second), evaluations=(an_evaluation(7.0, run=1), an_evaluation(7.4, run=2)))
    board = read_scoreboard(state)
    assert not took(second)
    assert [trial.run.id for trial in board.experiments] == ["run_1"]
    assert past_effects(standings(board)) == ()
    assert observed_effect(standings(board), second) is None
    assert [row.repeat for row in history(state)] == [False, True]
    (warning,) = (each for each in what_next(state).warnings if each.code == NOT_TAKEN)
    assert warning.message.startswith("R2 trained as if nothing had been changed")
    assert NOT_TAKEN in {finding.code for finding in diagnose(state, second).findings}
