"""Simulated loops: how often a model no better than the baseline is shipped, and how often a better one is.

`python -m tests.bench.null_loops` follows the planner's own answers, from the first to ship or stop, on simulated
results: every item has its own difficulty, every trained model its own noise, and all candidates the same true
quality. In the null loops that quality is the baseline's. In the power simulation a single planned comparison has
the smallest true difference that the suite is said to see.
"""

import argparse
import math
import random
from typing import Any

import numpy as np
from tests.bench.surface_loop import SurfaceLoop
from tests.bench.surfaces import Config, Observation, Surface

from whatnext_service.core.compare import compare
from whatnext_service.core.evaluations import pack_scores
from whatnext_service.core.resolution import smallest_visible
from whatnext_service.core.scoreboard import read_scoreboard

ITEM_SD = 1.0
NOISE_SD = 1.5 / math.sqrt(2.0)
"""Gives paired differences a standard deviation of 1.5, as judged answers have (evidence 1)."""
EPOCHS = (1, 2, 3, 5)
RATES = (0.1, 0.3, 0.5, 1.0, 1.5, 2.0)


class SimulatedSurface(Surface):
    """A surface that is drawn instead of read: all cells have the same true quality."""

    def __init__(self, n_items: int, *, binary: bool, effect: float, seed: int) -> None:
        self.name = "simulated"
        self.sequence = not binary
        self.binary = binary
        self.effect = effect
        self.draw = np.random.default_rng(seed)
        self.data: dict[str, Any] = {
            "n_dev": n_items,
            "n_test": n_items,
            "n_valid": 50,
            "datasets": {"v1": {"n": 300, "file_valid": "file"}, "v2": {"n": 280, "file_valid": "file"}},
            "curve_columns": ["step", "train_loss", "full_valid_loss"],
        }
        self.items = {
            name: self.draw.uniform(0.1, 0.65, n_items) if binary else self.draw.normal(5.0, ITEM_SD, n_items)
            for name in ("dev_x", "test_x")
        }
        self.baseline = {name: self.model(0.0) for name in ("first", "second")}

    @property
    def space(self) -> list[Config]:
        """Every configuration the loop may train."""
        return [
            Config(model, version, rate, batch, epochs)
            for model in ("first", "second")
            for version in ("v1", "v2")
            for rate in RATES
            for batch in ("default", 16, 32)
            for epochs in EPOCHS
        ]

    def observe(self, config: Config, rng: random.Random) -> Observation:
        """A run whose curve falls or rises by chance and whose checkpoints all have the same true quality."""
        drift = rng.uniform(-0.3, 0.3)
        losses = [1.0 + drift * epoch / 5 + rng.gauss(0, 0.02) for epoch in EPOCHS if epoch <= config.epochs]
        checkpoints = [
            {"epoch": epoch, "step": 30 * epoch, "tr_mean": 0.8, "fvl": loss, **self.model(self.effect)}
            for epoch, loss in zip(EPOCHS, losses, strict=False)
        ]
        curve: list[list[float | None]] = [[30 * each["epoch"], 0.8, each["fvl"]] for each in checkpoints]
        return Observation(config=config, run={"n": 300, "B": 10}, checkpoints=checkpoints, curve=curve)

    def item_scores(self, packed: Any, n: int) -> Any:
        """Scores are drawn as arrays, not packed."""
        return packed

    def model(self, effect: float) -> dict[str, Any]:
        """Scores of a newly trained model whose true quality lies `effect` points above the baseline's."""
        scores = {}
        for name, items in self.items.items():
            if self.binary:
                right = self.draw.random(items.size) < np.clip(items + effect / 10.0, 0.0, 1.0)
                scores[name] = np.where(right, 10.0, 0.0)
            else:
                scores[name] = np.clip(items + effect + self.draw.normal(0.0, NOISE_SD, items.size), 0.0, 10.0)
        return {**scores, "dev": float(scores["dev_x"].mean()), "test": float(scores["test_x"].mean())}


def shipped_share(n_items: int, *, binary: bool, sealed: bool, effect: float, n_loops: int) -> float:
    """Share of loops whose advice ends in `ship`."""
    shipped = 0
    for seed in range(n_loops):
        surface = SimulatedSurface(n_items, binary=binary, effect=effect, seed=seed)
        loop = SurfaceLoop(surface, surface.space, seed, sealed=sealed)
        shipped += loop.run_to_end(300).action.kind == "ship"
    return shipped / n_loops


def power(n_items: int, *, binary: bool, n_draws: int) -> float:
    """Share of single comparisons that show the smallest difference the suite is said to see."""
    seen = 0
    surface = SimulatedSurface(n_items, binary=binary, effect=0.0, seed=0)
    board = read_scoreboard(SurfaceLoop(surface, surface.space, 0).state)
    for seed in range(n_draws):
        null = SimulatedSurface(n_items, binary=binary, effect=0.0, seed=seed)
        first, second = null.model(0.0)["dev_x"], null.model(0.0)["dev_x"]
        effect = smallest_visible(board, n_items, float(np.std(first - second, ddof=1)))
        assert effect is not None
        better = null.model(effect)["dev_x"]
        result = compare(pack_scores(better.tolist()), pack_scores(first.tolist()), scale_min=0.0, scale_max=10.0)
        seen += result.verdict == "improved"
    return seen / n_draws


def main() -> None:
    """Print both simulations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loops", type=int, default=100)
    parser.add_argument("--draws", type=int, default=1000)
    arguments = parser.parse_args()
    print("shipped although no candidate is better (bar: at most 5 %)")
    for n_items in (50, 100, 200):
        for binary in (False, True):
            for sealed in (False, True):
                share = shipped_share(n_items, binary=binary, sealed=sealed, effect=0.0, n_loops=arguments.loops)
                kind, test = "binary" if binary else "graded", "sealed test" if sealed else "no sealed test"
                print(f"  {n_items:>4} {kind} items, {test:<15} {100 * share:5.1f} %")
    print("seen at the smallest difference the suite is said to see (bar: at least 80 %)")
    for n_items in (50, 100, 200):
        for binary in (False, True):
            share = power(n_items, binary=binary, n_draws=arguments.draws)
            print(f"  {n_items:>4} {'binary' if binary else 'graded'} items {100 * share:5.1f} %")


if __name__ == "__main__":
    main()
