import msgspec
import pytest
from tests.core.loop_states import a_checkpoint, a_config, a_run, a_state, an_evaluation, scores

from whatnext_service.core.incumbent import incumbent, leader, standings
from whatnext_service.core.scoreboard import read_scoreboard


def a_loop_of(*runs: tuple[float, ...], losses=(), accuracies=(), seeds=None, wobble=0.2):
    """One run for each tuple of checkpoint scores, with validation losses and accuracies where given.

    Items lie `wobble` points apart, otherwise for every checkpoint.
    """
    made, measured = [], []
    for number, points in enumerate(runs, start=1):
        stored = []
        for index, score in enumerate(points):
            loss = losses[number - 1][index] if losses else None
            accuracy = accuracies[number - 1][index] if accuracies else None
            step = 10 * (index + 1)
            point = a_checkpoint(number, step, final=index == len(points) - 1)
            stored.append(msgspec.structs.replace(point, full_valid_loss=loss, full_valid_mean_token_accuracy=accuracy))
            items = scores(score, wobble=wobble, shift=5 * number + index)
            measured.append(an_evaluation(score, run=number, step=step, items=items))
        seed = None if seeds is None else seeds[number - 1]
        rate = 1.0 if seeds is not None else 0.1 * number
        config = a_config(learning_rate_multiplier=rate, seed=seed)
        made.append(a_run(number, config, checkpoints=tuple(stored)))
    return read_scoreboard(a_state(runs=tuple(made), evaluations=tuple(measured)))


def test_a_lucky_checkpoint_of_a_weak_run_loses_to_a_steady_run() -> None:
    """Evidence 1: the best of several equal candidates looks better than it is."""
    board = a_loop_of((6.0, 7.2, 6.0), (7.0, 7.1, 7.0), wobble=6.0)
    assert incumbent(standings(board)).trial.run.number == 2


def test_a_checkpoint_beyond_the_noise_of_its_items_is_believed() -> None:
    """Only the share of the spread within runs that the items' noise explains is taken for luck."""
    noisy, clear = (a_loop_of((6.0, 7.2, 6.0), wobble=wobble) for wobble in (6.0, 0.2))
    (doubted,), (believed,) = standings(noisy), standings(clear)
    assert doubted.level == pytest.approx(6.8)
    assert believed.level == pytest.approx(7.2, abs=0.01)


def test_the_curve_breaks_a_near_tie_between_checkpoints() -> None:
    """Evidence 8: within one validation file the loss orders most pairs rightly."""
    board = a_loop_of((7.0, 7.1), (6.5, 6.0), losses=((0.5, 0.9), (0.8, 1.0)))
    best = incumbent(standings(board))
    assert (best.trial.run.number, best.arm.checkpoint.step) == (1, 10)


def test_a_curve_that_contradicts_the_scores_is_not_followed() -> None:
    board = a_loop_of((7.0, 7.6), (6.0, 6.4), losses=((0.5, 0.9), (0.4, 0.8)))
    best = incumbent(standings(board))
    assert (best.trial.run.number, best.arm.checkpoint.step) == (1, 20)


def test_validation_accuracy_breaks_a_near_tie_as_well() -> None:
    board = a_loop_of((7.0, 7.1), (6.5, 6.0), accuracies=((0.8, 0.6), (0.65, 0.55)))
    best = incumbent(standings(board))
    assert (best.trial.run.number, best.arm.checkpoint.step) == (1, 10)


def test_loss_and_accuracy_count_alike() -> None:
    points, losses, accuracies = ((7.0, 7.4), (6.0, 5.0)), ((0.5, 0.6), (0.8, 1.0)), ((0.9, 0.7), (0.5, 0.3))
    by_loss, by_accuracy, by_both = (
        standings(a_loop_of(*points, **given))
        for given in ({"losses": losses}, {"accuracies": accuracies}, {"losses": losses, "accuracies": accuracies})
    )
    for loss, accuracy, both in zip(by_loss, by_accuracy, by_both, strict=True):
        low, high = sorted((loss.estimate, accuracy.estimate))
        assert low <= both.estimate <= high


def test_the_higher_estimate_leads_and_the_earlier_run_wins_a_tie() -> None:
    """Evidence 7: simpler wins a tie."""
    assert incumbent(standings(a_loop_of((7.0,), (7.02,)))).trial.run.number == 2
    assert incumbent(standings(a_loop_of((7.0,), (7.0,)))).trial.run.number == 1


def test_repeats_of_a_configuration_share_their_mean() -> None:
    """Evidence 7: seeds of one configuration are a group."""
    found = standings(a_loop_of((8.0,), (6.0,), seeds=(1, 2)))
    assert [each.estimate for each in found] == [7.0, 7.0]
    assert [each.n_repeats for each in found] == [2, 2]


def test_a_checkpoint_that_is_gone_is_not_held() -> None:
    """Evidence 6.8."""
    points = (a_checkpoint(1, 10, deployable=False), a_checkpoint(1, 20, final=True))
    state = a_state(
        runs=(a_run(1, checkpoints=points),),
        evaluations=(an_evaluation(8.0, run=1, step=10), an_evaluation(7.0, run=1, step=20)),
    )
    assert leader(read_scoreboard(state)).arm.checkpoint.step == 20


@pytest.mark.parametrize(("score", "held"), [(7.0, True), (6.0, True), (5.9, True), (5.5, False), (5.0, False)])
def test_less_than_a_standard_error_below_the_untuned_model_is_a_tie_that_training_wins(
    score: float, held: bool
) -> None:
    """Evidence 8: differences below one paired standard error are ties; here one is 0.29 points."""
    assert (leader(a_loop_of((score,), wobble=3.0)) is not None) is held
