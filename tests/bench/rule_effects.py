"""What each rule's change did on real surfaces: the source of the priors in `core/predict.py`.

`python -m tests.bench.rule_effects FOLDER` follows the advice through twelve experiments, declining every end, and
prints for each rule the change of the test score from the best scored state of the parent to that of the run, best by
the held-out score: its mean, its spread, the share that went up, and the mean on each surface; and beside it how often
the effect that the service would score lay in the 80 % interval that the advice had stated.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tests.bench.replay import DEFAULT_FOLDER, N_EXPERIMENTS, SCENARIOS
from tests.bench.surface_loop import SurfaceLoop
from tests.bench.surfaces import read_surfaces, spaces

from whatnext_service.core.incumbent import standings
from whatnext_service.core.predict import observed_effect
from whatnext_service.core.scoreboard import read_scoreboard

REPETITIONS = 3


class Effect(NamedTuple):
    """One advised change of a replayed loop."""

    rule: str
    surface: str
    effect: float
    """On the test score."""
    covered: bool
    """Whether its effect on the held-out score lay in the stated interval."""


def effects(loop: SurfaceLoop) -> list[Effect]:
    """Every advised change of a replayed loop."""
    stated = {each.action.recommendation_id: each.change.expects for each in loop.answers if each.change}
    found = standings(read_scoreboard(loop.state))
    made = []
    for run in loop.state.runs:
        expects, observed = stated.get(run.recommendation_id or ""), observed_effect(found, run)
        if run.parent_id is None or expects is None or observed is None:
            continue
        assert expects.effect_low is not None
        assert expects.effect_high is not None
        made.append(
            Effect(
                rule=expects.rule,
                surface=loop.surface.name,
                effect=_best_test(loop, run.id) - _best_test(loop, run.parent_id),
                covered=expects.effect_low <= observed <= expects.effect_high,
            )
        )
    return made


def _best_test(loop: SurfaceLoop, run_id: str) -> float:
    best = max(loop.observations[run_id].checkpoints, key=lambda each: float(each["dev"]))
    return float(best["test"])


def main() -> None:
    """Replay and print."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER
    found: list[Effect] = []
    for surface in read_surfaces(folder):
        for space in (space for scenario in SCENARIOS for space in spaces(surface, scenario)):
            for repetition in range(REPETITIONS):
                loop = SurfaceLoop(surface, space, 1000 * repetition + 17, declines_ends=True)
                for _ in range(N_EXPERIMENTS):
                    if not loop.experiment():
                        break
                found += effects(loop)
    for rule in sorted({each.rule for each in found}):
        chosen = [each for each in found if each.rule == rule]
        every = np.array([each.effect for each in chosen])
        names = dict.fromkeys(each.surface for each in chosen)
        means = [f"{name} {np.mean([each.effect for each in chosen if each.surface == name]):+.2f}" for name in names]
        covered = 100 * np.mean([each.covered for each in chosen])
        told = f"{every.size:>4} changes {every.mean():+.2f} sd {every.std():.2f}, {100 * (every > 0).mean():.0f} % up"
        print(f"{rule:<24}{told}, {covered:.0f} % covered: {', '.join(means)}")
    print(f"all: {100 * np.mean([each.covered for each in found]):.0f} % of {len(found)} covered")


if __name__ == "__main__":
    main()
