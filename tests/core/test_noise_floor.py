"""The two noise floors (evidence 1)."""

from math import sqrt

import numpy as np
import pytest

from whatnext_service.core.evaluations import pack_scores
from whatnext_service.core.noise_floor import regrade_floor, regrade_noise, replicate_floor, replicate_noise


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


def test_repeated_runs_are_pooled_within_their_groups() -> None:
    noise = replicate_noise(((8.0, 8.2), (5.0, 5.2, 5.4), (7.0,), ()))
    assert noise is not None
    assert noise.run_sd == pytest.approx(sqrt((0.02 + 0.08) / 3))
    assert (noise.df, noise.n_groups) == (3, 2)
    assert noise.run_sd_high > 2 * noise.run_sd


@pytest.mark.parametrize("groups", [(), ((1.0,), (2.0,)), ((),)])
def test_without_a_repeat_the_seeds_noise_is_unknown(groups: tuple[tuple[float, ...], ...]) -> None:
    assert replicate_noise(groups) is None


def test_upper_end_covers_the_true_noise_of_few_repeats() -> None:
    source = np.random.RandomState(2)
    covered = 0
    for _ in range(500):
        noise = replicate_noise((tuple(source.normal(0, 0.2, 2)), tuple(source.normal(3, 0.2, 2))))
        assert noise is not None
        covered += noise.run_sd_high >= 0.2
    assert 0.92 <= covered / 500 <= 0.98


def test_floors_shrink_with_what_they_depend_on() -> None:
    assert regrade_floor(0.7, 50) == pytest.approx(0.14)
    assert regrade_floor(0.7, 50, n_gradings=4) == pytest.approx(0.07)
    assert replicate_floor(0.1, n_runs=2) == pytest.approx(0.1)
