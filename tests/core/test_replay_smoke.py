"""The replay benchmark runs through the planner and beats what a loop without advice would hold."""

from pathlib import Path

import pytest
from tests.bench.resampled import SHAPES, ResampledSurface
from tests.bench.surface_loop import SurfaceLoop
from tests.bench.surfaces import Config, best_test, read_surfaces, spaces

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


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the training surfaces are not here")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_redrawn_surface_deals_real_items_anew_and_can_be_replayed(shape: str) -> None:
    source = read_surfaces(FOLDER)[0]
    drawn, again = (ResampledSurface(source, shape, 3) for _ in range(2))
    assert drawn.test == again.test != source.test
    if shape == "split":
        cell = Config("ft", "v1", 1.0, "default", 5)
        seeds = zip(source.runs[cell[:4]].values(), drawn.runs[cell[:4]].values(), strict=True)
        for old, new in ((old["ck"][-1], new["ck"][-1]) for old, new in seeds):
            assert sorted(source.pooled(old)) == sorted([*new["dev_x"], *new["test_x"]])
            assert new["dev"] == pytest.approx(new["dev_x"].mean())
    (space,) = spaces(drawn, "full")
    loop = SurfaceLoop(drawn, space, seed=17)
    assert loop.experiment()
    assert loop.experiment()


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the training surfaces are not here")
def test_advice_off_the_grid_trains_the_cell_next_to_it() -> None:
    surface = read_surfaces(FOLDER)[0]
    space = [config for config in spaces(surface, "full")[0] if config.rate not in (0.3, 1.0) and config.epochs != 2]
    loop = SurfaceLoop(surface, space, seed=17)
    trained = sum(loop.experiment() for _ in range(6))
    assert trained == 6
    assert {observation.config for observation in loop.observations.values()} <= set(space)


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the training surfaces are not here")
def test_whoever_declines_the_end_goes_on_from_where_the_advice_stops() -> None:
    surface = read_surfaces(FOLDER)[0]
    space = spaces(surface, "dose")[0]
    stopping, going_on = (SurfaceLoop(surface, space, seed=17, declines_ends=declines) for declines in (False, True))
    made = [sum(1 for _ in range(12) if loop.experiment()) for loop in (stopping, going_on)]
    assert stopping.answers[-1].action.kind in ("ship", "stop")
    assert made[0] < made[1]
    common = [list(loop.observations.values())[: made[0]] for loop in (stopping, going_on)]
    assert [each.config for each in common[0]] == [each.config for each in common[1]]
