"""The replay benchmark runs through the planner and beats what a loop without advice would hold."""

from pathlib import Path

import pytest
from tests.bench.surface_loop import SurfaceLoop
from tests.bench.surfaces import best_test, read_surfaces, spaces

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "surfaces"


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the training surfaces are not here")
@pytest.mark.parametrize("scenario", ["full", "hot"])
def test_four_advised_experiments_come_close_to_the_best_of_the_grid(scenario: str) -> None:
    regrets = []
    for surface in read_surfaces(FOLDER):
        (space,) = spaces(surface, scenario)
        loop = SurfaceLoop(surface, space, seed=17)
        for _ in range(4):
            assert loop.experiment()
        regrets.append(best_test(surface, space) - loop.held_test_score()[0])
    assert sum(regrets) / len(regrets) <= 0.3
