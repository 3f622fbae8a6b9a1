"""Fine-tuning surfaces (schema ft-surface/1): every cell of a grid was really trained, so advice can be replayed."""

import gzip
import json
import math
import random
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

MODEL_ORDER = ("ft", "frozen", "hot", "bag", "first", "second")
N_CONFIGS_PER_VERSION = 18


class Config(NamedTuple):
    """One cell: a base model, a data version, a learning-rate multiplier, a batch size and a number of epochs."""

    model: str
    version: str
    rate: float
    batch: str | int
    epochs: int


class Observation(NamedTuple):
    """One finished experiment as an advisor may see it; test scores are looked up by the benchmark alone."""

    config: Config
    run: dict[str, Any]
    checkpoints: list[dict[str, Any]]
    curve: list[list[float | None]]


class Surface:
    """One task's grid of real training runs."""

    draw_number = 0
    """Which redrawing of the results this is; it seeds the replays."""

    def __init__(self, path: Path) -> None:
        with gzip.open(path) as file:
            self.data: dict[str, Any] = json.load(file)
        self.name = path.name.removesuffix(".json.gz")
        if self.data.get("schema", "ft-surface/1") != "ft-surface/1":
            raise ValueError(f"{path} is not of schema ft-surface/1")
        self.sequence = self.data["kind"] == "seq"
        runs: dict[tuple[str, str, float, str | int], dict[int, dict[str, Any]]] = defaultdict(dict)
        for run in self.data["runs"]:
            runs[run["model"], run["ver"], run["lr"], run["bs"]][run["seed"]] = run
        per_model: dict[str, int] = defaultdict(int)
        for key in runs:
            per_model[key[0]] += 1
        n_versions = len(self.data["datasets"])
        complete = {model for model, n in per_model.items() if n >= N_CONFIGS_PER_VERSION * n_versions}
        self.runs = {key: seeds for key, seeds in runs.items() if key[0] in complete}
        self.epochs: list[int] = sorted(self.data["grid"]["epochs"])
        self.baseline: dict[str, dict[str, Any]] = self.data["baseline"]
        self._index()

    def _index(self) -> None:
        """List the cells and their test scores, each the mean of its seeds."""
        self.configs = [Config(*key, epochs) for key in self.runs for epochs in self.epochs]
        self.test = {
            config: float(
                np.mean([self.checkpoint(run, config.epochs)["test"] for run in self.runs[config[:4]].values()])
            )
            for config in self.configs
        }

    @staticmethod
    def checkpoint(run: dict[str, Any], epoch: int) -> dict[str, Any]:
        """The stored checkpoint of an epoch."""
        found: dict[str, Any] = next(each for each in run["ck"] if each["epoch"] == epoch)
        return found

    def observe(self, config: Config, rng: random.Random) -> Observation:
        """Carry an experiment out: one of the seeds of its cell, up to its last epoch."""
        seeds = self.runs[config[:4]]
        run = seeds[rng.choice(sorted(seeds))]
        last = self.checkpoint(run, config.epochs)
        return Observation(
            config=config,
            run=run,
            checkpoints=[each for each in run["ck"] if each["epoch"] <= config.epochs],
            curve=[row for row in run["curve"] if row[0] <= last["step"]],
        )

    def pooled(self, row: dict[str, Any]) -> npt.NDArray[np.float64]:
        """Per-example scores of all held-out items of a checkpoint, those that an advisor may see first."""
        return np.concatenate(
            [
                self.item_scores(row["dev_x"], self.data["n_dev"]),
                self.item_scores(row["test_x"], self.data["n_test"]),
            ]
        )

    def item_scores(self, packed: str, n: int) -> npt.NDArray[np.float64]:
        """Per-example scores of 0 to 10."""
        if self.sequence:
            return np.array([10.0 if char == "A" else float(char) for char in packed])
        bits = bin(int(packed, 16))[2:].zfill(len(packed) * 4)
        return np.array([10.0 if bit == "1" else 0.0 for bit in bits[:n]])


def read_surfaces(folder: Path) -> list[Surface]:
    """Every surface file of a folder, by name."""
    return [Surface(path) for path in sorted(folder.glob("*.json.gz"))]


def spaces(surface: Surface, scenario: str) -> list[list[Config]]:
    """The grids a scenario replays: `full` and `hot` one a task, `dose` one for each model and version."""
    match scenario:
        case "full":
            wanted = [{"ft", "frozen", "bag"}]
        case "hot":
            wanted = [{"hot", "bag"}]
        case "dose":
            cells: dict[tuple[str, str], list[Config]] = defaultdict(list)
            for config in surface.configs:
                cells[config.model, config.version].append(config)
            return [cells[key] for key in sorted(cells, key=lambda key: (_place(key[0]), key[1]))]
        case _:
            raise ValueError(f"no such scenario: {scenario}")
    found = [[config for config in surface.configs if config.model in models] for models in wanted]
    return [space for space in found if space]


def start_model(space: list[Config]) -> str:
    """The base model that the loop starts from."""
    return min({config.model for config in space}, key=_place)


def nearest(space: set[Config], wanted: Config) -> Config:
    """The cell of the grid next to a configuration, of its base model and data version: by rate, epochs, then batch."""
    cells = [cell for cell in space if (cell.model, cell.version) == (wanted.model, wanted.version)]
    return min(
        cells,
        key=lambda cell: (
            abs(math.log(cell.rate / wanted.rate)),
            abs(cell.epochs - wanted.epochs),
            cell.batch != wanted.batch,
            str(cell.batch),
        ),
    )


def _place(model: str) -> tuple[int, str]:
    return MODEL_ORDER.index(model) if model in MODEL_ORDER else len(MODEL_ORDER), model


def best_test(surface: Surface, space: list[Config]) -> float:
    """The best test score in the space, the untuned start model included: regret is counted from here."""
    return max(max(surface.test[config] for config in space), float(surface.baseline[start_model(space)]["test"]))
