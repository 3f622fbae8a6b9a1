import pytest
from tests.core.loop_states import a_checkpoint, a_reading, a_run

from whatnext_service.core.choose_checkpoint import n_nominated, nominate


def steps(*stored: int, best: int | None = None, gone: tuple[int, ...] = ()) -> list[int]:
    points = tuple(a_checkpoint(1, step, final=step == stored[-1], deployable=step not in gone) for step in stored)
    reading = None if best is None else a_reading(best_step=best, nominated_steps=())
    found = nominate(a_run(1, checkpoints=points, reading=reading))
    return [each.checkpoint.step for each in found]


@pytest.mark.parametrize(
    ("stored", "best", "expected"),
    [
        ((10, 20, 30), 10, [30, 10, 20]),
        ((10, 20, 30, 40), 20, [40, 20, 30, 10]),
        ((10, 20, 30, 40, 50), 20, [50, 20, 30]),
        ((10, 20, 30, 40, 50), 50, [50, 40, 30]),
        ((10, 20, 30, 40, 50), 25, [50, 20, 30]),
        ((10, 20, 30, 40, 50), 5, [50, 10, 20]),
        ((10, 20, 30, 40, 50), None, [50, 40, 30]),
    ],
)
def test_the_last_the_curves_choice_and_its_neighbour_are_nominated_few_are_all(stored, best, expected) -> None:
    """Evidence 2 and 8: curves nominate two or three, the held-out evaluation chooses."""
    assert steps(*stored, best=best) == expected
    assert len(expected) == n_nominated(len(stored))


def test_checkpoints_that_are_gone_are_not_nominated() -> None:
    """Evidence 6.8."""
    assert steps(10, 20, 30, best=10, gone=(10,)) == [30, 20]
    assert steps(10, 20, best=10, gone=(10, 20)) == []


def test_a_run_without_checkpoints_stands_for_itself() -> None:
    (only,) = nominate(a_run(1))
    assert only.checkpoint is None
