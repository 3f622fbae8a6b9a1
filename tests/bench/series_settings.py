"""The settings of runs in real experiment histories, as a loop has them: names, units and what they are relative to.

Rates become multipliers of the history's first rate, step counts multiples of its first one; a batch is the effective
one. What a loop does not have, such as an adapter's rank, has no variable.
"""

import json
from typing import Any

from whatnext_service.core.loops import Method
from whatnext_service.core.runs import RunConfig, Variable

NAMES: dict[Variable, tuple[str, ...]] = {
    "learning_rate_multiplier": ("lr", "learning_rate", "lr_multiplier", "first_logged_lr"),
    "n_epochs": ("epochs", "num_epochs", "n_epochs", "max_steps"),
    "batch_size": ("batch_size", "batch_eff", "train_batch_size", "bz"),
    "dataset_version_id": ("dataset",),
    "base_model": ("base_model",),
    "method": ("method",),
    "beta": ("beta",),
}
"""What the histories call the variables of a loop."""
ACCUMULATION = ("grad_accum", "gradient_accumulation_steps")
Record = dict[str, Any]
"""A run, a transition or a whole history, as its file has it."""


def variable_of(name: str) -> Variable | None:
    """The loop's variable that a history calls so; null for what a loop does not have, such as an adapter's rank."""
    return next((variable for variable, names in NAMES.items() if name in names), None)


def number(config: Record, variable: Variable) -> float | None:
    """A setting's value under any of its names; null where it is absent or left to the provider."""
    found = next((config[name] for name in NAMES[variable] if config.get(name) is not None), None)
    return float(found) if isinstance(found, int | float) else None


def dataset_key(run: Record) -> str:
    """The dataset a run was trained on, as the history describes it."""
    return json.dumps(run.get("dataset"), sort_keys=True)


def config_of(run: Record, series: Record) -> RunConfig:
    """The run's configuration."""
    configs = [each.get("config", {}) for each in series["runs"]]
    config = run.get("config", {})
    rate, epochs = number(config, "learning_rate_multiplier"), number(config, "n_epochs")
    if rate is not None and "lr_multiplier" not in config:
        rate /= next(each for each in (number(one, "learning_rate_multiplier") for one in configs) if each)
    if epochs is not None and "max_steps" in config:
        epochs = max(1.0, epochs / float(next(each["max_steps"] for each in configs if each.get("max_steps"))))
    batch = number(config, "batch_size")
    repeats = next((config[name] for name in ACCUMULATION if name in config), 1)
    keys = list(dict.fromkeys(dataset_key(each) for each in series["runs"]))
    return RunConfig(
        base_model=str(run.get("base_model", "model")),
        dataset_version_id=f"dsv_{keys.index(dataset_key(run)) + 1}",
        method=method_of(run),
        n_epochs=None if epochs is None else int(epochs),
        learning_rate_multiplier=rate,
        batch_size=None if batch is None else int(batch * repeats),
        seed=config.get("seed"),
        beta=config.get("beta"),
    )


def method_of(run: Record) -> Method:
    """The training method; one with a beta is preference training whatever it is called."""
    config = run.get("config", {})
    named = config.get("method")
    return "dpo" if named == "dpo" or "beta" in config else "rft" if named == "rft" else "sft"
