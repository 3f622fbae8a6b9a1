"""Which runs repeat one another."""

import pytest
from tests.core.loop_states import a_config, a_run, a_state, an_effective, an_evaluation, scores

from whatnext_service.core.evaluations import pack_scores
from whatnext_service.core.replicates import MAX_GROUPS, MAX_RUNS, replicate_groups
from whatnext_service.core.runs import Run
from whatnext_service.core.scoreboard import noise_between, read_scoreboard


def packed(n: float) -> bytes:
    return pack_scores([n, n + 1.0])


def grouped(*runs: Run) -> tuple[tuple[bytes, ...], ...]:
    return replicate_groups((run, packed(run.number)) for run in reversed(runs))


def test_runs_that_differ_in_their_seed_alone_repeat_one_another() -> None:
    runs = (
        a_run(1, a_config(seed=1)),
        a_run(2, a_config(seed=2)),
        a_run(3, a_config(seed=1, learning_rate_multiplier=0.5)),
        a_run(4, a_config(seed=3)),
        a_run(5, a_config(seed=4, learning_rate_multiplier=0.5)),
        a_run(6, a_config(n_epochs=3)),
    )
    assert grouped(*runs) == ((packed(5), packed(3)), (packed(4), packed(2), packed(1)))


def test_the_same_seed_again_is_the_same_model() -> None:
    assert grouped(a_run(1, a_config(seed=1)), a_run(2, a_config(seed=1))) == ()
    assert grouped(a_run(1, a_config()), a_run(2, a_config())) == ((packed(2), packed(1)),)
    drawn = [a_run(n, a_config(), effective=an_effective(seed=7)) for n in (1, 2)]
    assert grouped(*drawn) == ()


def test_what_trained_counts_and_not_what_was_asked_for() -> None:
    auto = a_run(1, a_config(learning_rate_multiplier=None), effective=an_effective(seed=1))
    asked = a_run(2, a_config(), effective=an_effective(seed=2))
    other_data = a_run(3, a_config(), effective=an_effective(seed=3, dataset_sha256="sha-2"))
    assert grouped(auto, asked, other_data) == ((packed(2), packed(1)),)


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 8},
        {"dataset_version_id": "dsv_2"},
        {"base_model": "gpt-4.1-nano"},
        {"method": "dpo"},
        {"beta": 0.2},
        {"grader": "{}"},
    ],
)
def test_any_other_variable_makes_it_another_configuration(change: dict[str, object]) -> None:
    assert grouped(a_run(1, a_config(seed=1)), a_run(2, a_config(seed=2, **change))) == ()


def test_another_snapshot_is_another_model() -> None:
    known = [an_effective(seed=1), an_effective(seed=2, base_model_snapshot="gpt-4.1-mini-2026-01-01")]
    assert grouped(*(a_run(n, effective=each) for n, each in enumerate(known, start=1))) == ()


def test_the_newest_runs_and_groups_are_enough() -> None:
    runs = [a_run(n, a_config(seed=n, n_epochs=(n + 1) // 2)) for n in range(1, 41)]
    groups = grouped(*runs)
    assert len(groups) == MAX_GROUPS
    assert groups[0] == (packed(40), packed(39))
    (group,) = grouped(*(a_run(n, a_config(seed=n)) for n in range(1, 100)))
    assert group == tuple(packed(n) for n in range(99, 99 - MAX_RUNS, -1))


def test_a_loop_measures_what_training_again_changes() -> None:
    """Method 1 and evidence 1: a repeat shows the seed's noise, and comparisons of trained models count it in."""
    first, again = a_run(1, a_config(seed=1)), a_run(2, a_config(seed=2))
    evaluations = (
        an_evaluation(7.0, run=1, items=scores(7.0)),
        an_evaluation(7.6, run=2, items=[score + 0.6 for score in scores(7.0) if score is not None]),
    )
    alone = read_scoreboard(a_state(runs=(first,), evaluations=evaluations[:1]))
    board = read_scoreboard(a_state(runs=(first, again), evaluations=evaluations))
    assert alone.training_noise is None
    assert board.training_noise is not None
    assert board.training_noise.run_sd == round(0.6 / 2**0.5, 9)
    assert board.baseline is not None
    sides = noise_between(board, evaluations[0], evaluations[1]), noise_between(board, evaluations[0], board.baseline)
    assert [each.n_trained for each in sides] == [2, 1]
