"""CPU of `what_next` on loops of growing size: `python -m tests.bench.bench_plan`.

On a plateau each run has two scored states on a suite of 50 items, and scores wander. Varied, there are three base
models and three data versions, seeds, resolved settings, three scored states of five checkpoints, every tenth run
diverged, some repeat others, no cost is reported though there is a budget, and scores rise.
"""

import random
import statistics
import time
from decimal import Decimal

import msgspec
from tests.core.loop_states import (
    a_checkpoint,
    a_config,
    a_loop,
    a_model,
    a_reading,
    a_run,
    a_state,
    a_version,
    an_effective,
    an_evaluation,
)

from whatnext_service.core.loops import Budget
from whatnext_service.core.plan import what_next
from whatnext_service.core.runs import Run
from whatnext_service.core.state import LoopState

SIZES = (10, 100, 1_000, 10_000)
ROUNDS = 15
MODELS = ("gpt-4.1-mini", "gpt-4.1", "gpt-4.1-nano")
RATES = tuple(round(0.05 * step, 2) for step in range(1, 41))


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


def a_varied_loop_of(n_runs: int) -> LoopState:
    """A state in which no rule is spared its work."""
    rng = random.Random(n_runs)
    runs = tuple(_varied_run(number, n_runs, rng) for number in range(1, n_runs + 1))
    evaluations = tuple(
        an_evaluation(
            round(6.2 + 1.5 * run.number / n_runs + rng.uniform(-0.3, 0.3), 3), run=run.number, step=each.step
        )
        for run in runs
        for each in run.checkpoints
        if each.deployable
    )
    return a_state(
        loop=a_loop(budget=Budget(max_cost=Decimal(10**9))),
        catalogue=tuple(a_model(name) for name in MODELS),
        versions=(
            a_version(),
            a_version(2, 340, derived_by=("drop_duplicates",)),
            a_version(3, 900, derived_by=("add_examples",)),
        ),
        runs=runs,
        evaluations=evaluations,
    )


def _varied_run(number: int, n_runs: int, rng: random.Random) -> Run:
    config = a_config(
        base_model=rng.choice(MODELS) if number % 9 == 0 else MODELS[0],
        dataset_version_id=f"dsv_{rng.randint(1, 2)}",
        learning_rate_multiplier=rng.choice(RATES),
        n_epochs=rng.randint(1, 5),
        batch_size=rng.choice((None, 8, 16)),
        seed=number,
    )
    last = rng.uniform(0.3, 1.3)
    diverged = number % 10 == 0 and number < n_runs
    checkpoints = (
        ()
        if diverged
        else tuple(
            msgspec.structs.replace(
                a_checkpoint(number, 10 * epoch, final=epoch == 5, deployable=epoch > 2),
                full_valid_loss=rng.uniform(0.3, 1.0),
            )
            for epoch in range(1, 6)
        )
    )
    return a_run(
        number,
        config,
        parent_id=f"run_{rng.randint(max(1, number - 20), number - 1)}" if number > 1 else None,
        status="failed" if diverged else "succeeded",
        failure="the loss is nan" if diverged else None,
        effective=an_effective(
            n_epochs=config.n_epochs,
            learning_rate_multiplier=config.learning_rate_multiplier,
            batch_size=config.batch_size or 4,
            seed=number,
        ),
        reading=a_reading(last_valid_loss=last, rise=last / 0.3, best_is_last=rng.random() < 0.5),
        checkpoints=checkpoints,
        cost=None,
    )


def main() -> None:
    """Print the least and the median of several rounds, in ms of CPU."""
    for name, make in (("plateau", a_loop_of), ("varied", a_varied_loop_of)):
        for size in SIZES:
            state = make(size)
            took = []
            for _ in range(ROUNDS if size < 10_000 else 3):
                started = time.process_time()
                what_next(state)
                took.append(time.process_time() - started)
            best, median = 1e3 * min(took), 1e3 * statistics.median(took)
            print(f"{name:<8}{size:>7} runs: {best:8.2f} ms best, {median:8.2f} ms median")


if __name__ == "__main__":
    main()
