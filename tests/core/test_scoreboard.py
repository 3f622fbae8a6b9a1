"""What was scored of a run."""

import pytest
from tests.core.loop_states import a_checkpoint, a_config, a_run, a_state, an_effective, an_evaluation

from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.runs import Checkpoint
from whatnext_service.core.scoreboard import read_scoreboard

EARLY, LAST = a_checkpoint(1, 60), a_checkpoint(1, 120, final=True)


@pytest.mark.parametrize(
    ("checkpoints", "evaluations", "expected"),
    [
        ((EARLY, LAST), (an_evaluation(7.0, run=1),), [(120, 7.0)]),
        ((EARLY, LAST), (an_evaluation(7.0, run=1), an_evaluation(8.0, run=1, step=120)), [(120, 8.0)]),
        ((EARLY, LAST), (an_evaluation(7.0, run=1), an_evaluation(8.0, run=1, step=60)), [(60, 8.0), (120, 7.0)]),
        ((EARLY,), (an_evaluation(7.0, run=1), an_evaluation(8.0, run=1, step=60)), [(60, 8.0), (None, 7.0)]),
        ((), (an_evaluation(7.0, run=1),), [(None, 7.0)]),
    ],
)
def test_the_end_of_training_counts_once_however_it_was_scored(
    checkpoints: tuple[Checkpoint, ...], evaluations: tuple[Evaluation, ...], expected: list[tuple[int | None, float]]
) -> None:
    (trial,) = read_scoreboard(a_state(runs=(a_run(1, checkpoints=checkpoints),), evaluations=evaluations)).trials
    assert [(arm.checkpoint and arm.checkpoint.step, arm.utility) for arm in trial.arms] == expected
    assert trial.best is not None
    assert trial.best.utility == max(score for _, score in expected)
    assert trial.mean == sum(score for _, score in expected) / len(expected)


def test_a_configuration_was_tried_as_asked_for_or_as_resolved_unless_cancelled() -> None:
    auto = a_config(learning_rate_multiplier=None)
    runs = (
        a_run(1, auto, effective=an_effective(learning_rate_multiplier=0.3, batch_size=None)),
        a_run(2, a_config(learning_rate_multiplier=0.5, seed=9)),
        a_run(3, a_config(learning_rate_multiplier=0.7), status="cancelled"),
    )
    tried = read_scoreboard(a_state(runs=runs)).tried
    rates = (None, 0.3, 0.5, 0.7, 0.9)
    assert [rate for rate in rates if a_config(learning_rate_multiplier=rate) in tried] == [None, 0.3, 0.5]
    assert [run.number for run in tried.runs_of(a_config(learning_rate_multiplier=0.7))] == [3]
