"""What each rule's change did on real surfaces: the source of the priors in `core/predict.py`.

`python -m tests.bench.rule_effects FOLDER` follows the advice through twelve experiments, declining every end, and
prints for each rule the change of the test score from the best scored state of the parent to that of the run, best by
the held-out score: its mean, its spread, the share that went up, and the mean on each surface.
"""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from tests.bench.replay import DEFAULT_FOLDER, N_EXPERIMENTS, SCENARIOS
from tests.bench.surface_loop import SurfaceLoop
from tests.bench.surfaces import read_surfaces, spaces

REPETITIONS = 3


def effects(loop: SurfaceLoop) -> list[tuple[str, float]]:
    """Rule and effect of every advised change of a replayed loop."""
    rules = {each.action.recommendation_id: each.change.expects.rule for each in loop.answers if each.change}
    return [
        (rule, _best_test(loop, run.id) - _best_test(loop, run.parent_id))
        for run in loop.state.runs
        if run.parent_id is not None and (rule := rules.get(run.recommendation_id or "")) is not None
    ]


def _best_test(loop: SurfaceLoop, run_id: str) -> float:
    best = max(loop.observations[run_id].checkpoints, key=lambda each: float(each["dev"]))
    return float(best["test"])


def main() -> None:
    """Replay and print."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER
    found: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for surface in read_surfaces(folder):
        for space in (space for scenario in SCENARIOS for space in spaces(surface, scenario)):
            for repetition in range(REPETITIONS):
                loop = SurfaceLoop(surface, space, 1000 * repetition + 17, declines_ends=True)
                for _ in range(N_EXPERIMENTS):
                    if not loop.experiment():
                        break
                for rule, effect in effects(loop):
                    found[rule][surface.name].append(effect)
    for rule, by_surface in sorted(found.items()):
        every = np.array([effect for each in by_surface.values() for effect in each])
        each_mean = ", ".join(f"{name} {np.mean(values):+.2f}" for name, values in by_surface.items())
        told = f"{every.size:>4} changes {every.mean():+.2f} sd {every.std():.2f}, {100 * (every > 0).mean():.0f} % up"
        print(f"{rule:<24}{told}: {each_mean}")


if __name__ == "__main__":
    main()
