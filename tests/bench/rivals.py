"""The rivals of the advice: random search, the method read literally, and Optuna's TPE and GP samplers."""

import random
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, Protocol

import optuna
from tests.bench.surfaces import Config, Observation, Surface, start_model

ALL_EPOCHS = 5
NEEDS_TORCH = ("optuna_gp",)


class Rival(Protocol):
    """Something that proposes experiments: told the score of the last one, it names the next."""

    def ask(self) -> Config | None: ...

    def tell(self, observation: Observation, score: float) -> None: ...


class Random:
    """Cells in random order."""

    def __init__(self, space: list[Config], rng: random.Random) -> None:
        self.left = list(space)
        rng.shuffle(self.left)

    def ask(self) -> Config | None:
        return self.left.pop(0) if self.left else None

    def tell(self, observation: Observation, score: float) -> None:
        pass


class LiteralMethod:
    """The published method by its own thresholds: data first, then the ratio of losses, then batch and base model."""

    def __init__(self, space: list[Config], surface: Surface) -> None:
        self.space = set(space)
        self.rows = {version: each["n"] for version, each in surface.data["datasets"].items()}
        self.columns: list[str] = surface.data["curve_columns"]
        self.models = tuple(dict.fromkeys(config.model for config in space))
        self.tried: set[Config] = set()
        self.best: tuple[float, Observation] | None = None
        self.improved = True
        first_version = min(config.version for config in space)
        self.first = Config(start_model(space), first_version, 1.0, "default", 2)

    def ask(self) -> Config | None:
        wanted = self._wanted() if self.best else iter((self.first,))
        return next((config for config in wanted if config in self.space and config not in self.tried), None)

    def tell(self, observation: Observation, score: float) -> None:
        self.tried.add(observation.config)
        self.improved = self.best is None or score > self.best[0]
        if self.improved:
            self.best = (score, observation)

    def _wanted(self) -> Iterator[Config]:
        assert self.best is not None
        seen = self.best[1]
        config = seen.config
        if len(self.tried) == 1 and config.version == "v1":
            yield config._replace(version="v2")
        train, full = self.columns.index("train_loss"), self.columns.index("full_valid_loss")
        passes = [row for row in seen.curve if row[full] is not None]
        losses = [float(row[full] or 0.0) for row in passes]
        last_train = float(passes[-1][train] or 0.0)
        first_train = float(seen.curve[0][train] or 0.0)
        ratio = losses[-1] / max(last_train, 1e-9)
        larger = [config._replace(version=to) for to in ({"v1": "v3", "v2": "v4"}.get(config.version),) if to]
        cleaner = [config._replace(version=to) for to in ({"v1": "v2", "v3": "v4"}.get(config.version),) if to]
        slower = [config._replace(rate=0.5), config._replace(epochs=1)]
        batches = [config._replace(batch=16), config._replace(batch=32)]
        if ratio > 2.0:
            small = self.rows[config.version] < 500
            yield from larger if small else [config._replace(rate=0.3), config._replace(rate=0.1)]
            yield from slower
        elif ratio > 1.5 or losses[-1] > 1.2 * min(losses):
            yield from slower
        elif last_train > 0.7 * first_train:
            yield from [config._replace(rate=1.5), config._replace(epochs=3)]
        else:
            yield from batches if self.improved else [*cleaner, *larger]
        yield from [*batches, *cleaner, *larger]
        yield from (config._replace(model=model) for model in self.models)
        yield from (config._replace(rate=rate) for rate in (0.5, 1.5, 0.3, 2.0, 0.1))
        yield from (config._replace(epochs=epochs) for epochs in (3, 1, 5))


class Optuna:
    """An Optuna sampler over the grid; a cell it has seen is told again without being paid for."""

    def __init__(self, space: list[Config], sampler: optuna.samplers.BaseSampler, rng: random.Random) -> None:
        self.cells = set(space)
        self.space = space
        self.rng = rng
        self.models = tuple(dict.fromkeys(config.model for config in space))
        self.versions = sorted({config.version for config in space})
        self.rates = sorted({config.rate for config in space})
        self.batches = [batch for batch in ("default", 16, 32) if any(config.batch == batch for config in space)]
        self.epochs = sorted({config.epochs for config in space})
        self.seen: dict[Config, float] = {}
        self.study = optuna.create_study(direction="maximize", sampler=sampler)
        self.trial: optuna.Trial | None = None

    def start_from(self, config: Config) -> None:
        """Let the first trial be the default configuration."""
        self.study.enqueue_trial(
            {
                "model": config.model,
                "version": config.version,
                "rate": self.rates.index(config.rate),
                "batch": str(config.batch),
                "epochs": self.epochs.index(config.epochs),
            }
        )

    def ask(self) -> Config | None:
        for _ in range(30):
            trial = self.study.ask()
            names = [str(batch) for batch in self.batches]
            config = Config(
                trial.suggest_categorical("model", self.models),
                trial.suggest_categorical("version", self.versions),
                self.rates[trial.suggest_int("rate", 0, len(self.rates) - 1)],
                self.batches[names.index(trial.suggest_categorical("batch", names))],
                self.epochs[trial.suggest_int("epochs", 0, len(self.epochs) - 1)],
            )
            if config in self.seen:
                self.study.tell(trial, self.seen[config])
            elif config not in self.cells:
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                self.trial = trial
                return config
        self.trial = None
        left = [config for config in self.space if config not in self.seen]
        return self.rng.choice(left) if left else None

    def tell(self, observation: Observation, score: float) -> None:
        self.seen[observation.config] = score
        if self.trial is not None:
            self.study.tell(self.trial, score)


Make = Callable[[list[Config], Surface, int], Rival]


def rivals() -> dict[str, tuple[Make, bool]]:
    """Every rival by name: how to make one, and whether it runs five-epoch jobs with every checkpoint scored.

    Optuna's GP sampler is among them where torch is installed, which it needs.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", module="optuna")

    def make_random(space: list[Config], surface: Surface, seed: int) -> Rival:
        return Random(space, random.Random(seed))

    def make_full_random(space: list[Config], surface: Surface, seed: int) -> Rival:
        longest = max(config.epochs for config in space if config.epochs <= ALL_EPOCHS)
        return Random([config for config in space if config.epochs == longest], random.Random(seed))

    def make_method(space: list[Config], surface: Surface, seed: int) -> Rival:
        return LiteralMethod(space, surface)

    def make_tpe(space: list[Config], surface: Surface, seed: int) -> Rival:
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=4, multivariate=True)
        rival = Optuna(space, sampler, random.Random(seed))
        rival.start_from(Config(start_model(space), min(config.version for config in space), 1.0, "default", 2))
        return rival

    def make_gp(space: list[Config], surface: Surface, seed: int) -> Rival:
        sampler: Any = optuna.samplers.GPSampler(seed=seed, n_startup_trials=4, deterministic_objective=False)
        return Optuna(space, sampler, random.Random(seed))

    found: dict[str, tuple[Make, bool]] = {
        "random": (make_random, False),
        "random_all_checkpoints": (make_full_random, True),
        "method_literal": (make_method, False),
        "optuna_tpe": (make_tpe, False),
    }
    if find_spec("torch") is not None:
        found.update(dict.fromkeys(NEEDS_TORCH, (make_gp, False)))
    return found
