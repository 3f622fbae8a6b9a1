"""The two noise floors (evidence 1)."""

from math import sqrt

import numpy as np
import pytest

from whatnext_service.core.evaluations import pack_scores
from whatnext_service.core.noise_floor import (
    n_trained,
    noise_share,
    regrade_floor,
    regrade_noise,
    training_floor,
    training_noise,
)


def test_noise_of_a_judge_is_found_again() -> None:
    source = np.random.RandomState(5)
    answers = source.normal(6.0, 2.0, 2000)
    gradings = tuple((answers + source.normal(0.0, 0.7, 2000)).tobytes() for _ in range(3))
    noise = regrade_noise(gradings)
    assert noise is not None
    assert noise.item_sd == pytest.approx(0.7, abs=0.03)
    assert noise.reliability == pytest.approx(4.0 / 4.49, abs=0.02)
    assert (noise.changed_share, noise.n_items, noise.n_gradings) == (1.0, 2000, 3)


def test_noise_by_hand() -> None:
    noise = regrade_noise((pack_scores([5.0, 7.0, None, 1.0]), pack_scores([6.0, 7.0, 3.0, None])))
    assert noise is not None
    assert noise.item_sd == pytest.approx(0.5)
    assert (noise.n_items, noise.changed_share, noise.largest_shift) == (2, 0.5, 0.5)


@pytest.mark.parametrize(
    "gradings",
    [(), ([1.0, 2.0],), ([1.0, None], [None, 2.0]), ([1.0], [1.0, 2.0])],
    ids=["none", "one", "apart", "unlike"],
)
def test_without_an_item_graded_twice_there_is_no_floor(gradings: tuple[list[float | None], ...]) -> None:
    assert regrade_noise(tuple(pack_scores(scores) for scores in gradings)) is None


def test_a_judge_that_never_wavers_has_no_noise() -> None:
    scores = pack_scores([3.0, 5.0, 9.0])
    noise = regrade_noise((scores, scores))
    assert noise is not None
    assert (noise.item_sd, noise.changed_share, noise.reliability) == (0.0, 0.0, 1.0)


def test_one_score_for_all_answers_has_no_reliability() -> None:
    scores = pack_scores([5.0, 5.0])
    noise = regrade_noise((scores, scores))
    assert noise is not None
    assert noise.reliability is None


def repeated(
    source: np.random.RandomState, *, run_sd: float, item_sd: float, n_items: int, n_runs: int
) -> tuple[bytes, ...]:
    """Runs of one configuration: what the seed moves, and what each answer moves beside it."""
    items = source.normal(5.0, 1.0, n_items)
    return tuple(
        (items + source.normal(0.0, run_sd) + source.normal(0.0, item_sd, n_items)).tobytes() for _ in range(n_runs)
    )


def test_what_runs_differ_by_beyond_their_items_is_the_seeds() -> None:
    """By hand: means 5 and 6, no other difference, so half of one squared is the variance."""
    group = (pack_scores([4.0, 5.0, 6.0]), pack_scores([5.0, 6.0, 7.0]))
    noise = training_noise((group,))
    assert noise is not None
    assert noise.run_sd == pytest.approx(sqrt(0.5))
    assert (noise.df, noise.n_runs, noise.n_groups) == (1, 2, 1)


def test_groups_of_any_size_are_pooled_by_their_degrees_of_freedom() -> None:
    """By hand: squares of 0.5 from two runs on three items, and of 2 from three on the two items that all scored."""
    two = (pack_scores([4.0, 5.0, 6.0]), pack_scores([5.0, 6.0, 7.0]))
    three = tuple(pack_scores([mean, mean, missing]) for mean, missing in ((1.0, None), (2.0, 9.0), (3.0, 9.0)))
    noise = training_noise((two, three))
    assert noise is not None
    assert noise.run_sd == pytest.approx(sqrt(2.5 / 3))
    assert (noise.df, noise.n_runs, noise.n_groups) == (3, 5, 2)


def test_what_the_items_explain_is_not_the_seeds() -> None:
    """Scores that differ item by item and not on the whole."""
    noise = training_noise(((pack_scores([4.0, 6.0, 5.0, 7.0]), pack_scores([6.0, 4.0, 7.0, 5.0])),))
    assert noise is not None
    assert noise.run_sd == 0.0


@pytest.mark.parametrize("run_sd", [0.0, 0.1, 0.4])
def test_the_seeds_noise_is_found_on_average(run_sd: float) -> None:
    source = np.random.RandomState(2)
    variances = []
    for _ in range(300):
        groups = tuple(repeated(source, run_sd=run_sd, item_sd=1.0, n_items=100, n_runs=3) for _ in range(2))
        noise = training_noise(groups)
        assert noise is not None
        assert (noise.df, noise.n_runs, noise.n_groups) == (4, 6, 2)
        variances.append(noise.run_sd**2)
    assert float(np.mean(variances)) == pytest.approx(run_sd**2, abs=0.012)


ONE = pack_scores([1.0, 2.0])


@pytest.mark.parametrize(
    "groups",
    [
        (),
        ((ONE,), (ONE,)),
        ((),),
        ((ONE, pack_scores([1.0])),),
        ((pack_scores([1.0, None]), pack_scores([None, 2.0])),),
    ],
)
def test_without_a_repeat_the_seeds_noise_is_unknown(groups: tuple[tuple[bytes, ...], ...]) -> None:
    assert training_noise(groups) is None


def test_floors_shrink_with_what_they_depend_on() -> None:
    assert regrade_floor(0.7, 50) == pytest.approx(0.14)
    assert regrade_floor(0.7, 50, (4, 4)) == pytest.approx(0.07)
    assert regrade_floor(0.7, 50, (1, 4)) == pytest.approx(0.7 * sqrt(1.25 / 50))
    assert [training_floor(0.1, sides) for sides in (0, 1, 2)] == pytest.approx([0.0, 0.1, 0.1 * sqrt(2)])


@pytest.mark.parametrize(
    ("one", "other", "sides"),
    [(None, None, 0), ("run_1", None, 1), (None, "run_1", 1), ("run_1", "run_2", 2), ("run_1", "run_1", 0)],
)
def test_checkpoints_of_one_run_share_its_seed(one: str | None, other: str | None, sides: int) -> None:
    assert n_trained(one, other) == sides


def test_share_of_the_spread_that_is_the_items_noise() -> None:
    """Ten times the noise's variance leaves a tenth of the spread to it; without any difference all of it is."""
    source = np.random.RandomState(11)
    real, none = (
        tuple(repeated(source, run_sd=run_sd, item_sd=1.0, n_items=100, n_runs=5) for _ in range(60))
        for run_sd in (0.3, 0.0)
    )
    share = noise_share(real)
    assert share is not None
    assert share == pytest.approx(0.1, abs=0.02)
    assert noise_share(none) == pytest.approx(1.0, abs=0.1)


def test_no_share_without_two_that_share_items() -> None:
    assert noise_share(()) is None
    assert noise_share(((pack_scores([1.0, 2.0]),),)) is None
    assert noise_share(((pack_scores([1.0, None]), pack_scores([None, 2.0])),)) is None
