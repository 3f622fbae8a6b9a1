"""CPU of `what_next` on loops of growing size: `python -m tests.bench.bench_plan`.

Each run has two scored states on a suite of 50 items; scores wander, as in a loop that has found its plateau.
"""

import random
import statistics
import time

from tests.core.loop_states import a_checkpoint, a_config, a_run, a_state, an_evaluation

from whatnext_service.core.plan import what_next
from whatnext_service.core.state import LoopState

SIZES = (10, 100, 1_000, 10_000)
ROUNDS = 15


def a_loop_of(n_runs: int) -> LoopState:
    """A state with this many finished, scored runs, every configuration its own."""
    rng = random.Random(n_runs)
    runs, evaluations = [], []
    for number in range(1, n_runs + 1):
        config = a_config(learning_rate_multiplier=round(0.1 + 1.9 * number / n_runs, 5), n_epochs=rng.randint(1, 5))
        checkpoints = (a_checkpoint(number, 50), a_checkpoint(number, 100, final=True))
        runs.append(
            a_run(number, config, checkpoints=checkpoints, parent_id=f"run_{number - 1}" if number > 1 else None)
        )
        for step in (50, 100):
            evaluations.append(an_evaluation(round(rng.uniform(6.0, 7.5), 3), run=number, step=step))
    return a_state(runs=tuple(runs), evaluations=tuple(evaluations))


def main() -> None:
    for size in SIZES:
        state = a_loop_of(size)
        took = []
        for _ in range(ROUNDS if size < 10_000 else 3):
            started = time.process_time()
            what_next(state)
            took.append(time.process_time() - started)
        print(f"{size:>6} runs: {1e3 * min(took):8.2f} ms best, {1e3 * statistics.median(took):8.2f} ms median")


if __name__ == "__main__":
    main()
