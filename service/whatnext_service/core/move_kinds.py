"""The single changes there are to try: each with its one variable, its targets in order and its reason."""

import math
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Literal

import msgspec

from whatnext_service.core.advice import Overrides
from whatnext_service.core.attribution import resolved_config
from whatnext_service.core.catalogue import find_model
from whatnext_service.core.incumbent import Standing
from whatnext_service.core.lineage import apply_overrides
from whatnext_service.core.loops import Method
from whatnext_service.core.outcome import Outcome, outcome
from whatnext_service.core.ranges import (
    LADDER,
    allowed_methods,
    allowed_models,
    limits,
    nearest_rung,
    rungs,
    within,
)
from whatnext_service.core.runs import Run, RunConfig, Variable
from whatnext_service.core.scoreboard import Scoreboard
from whatnext_service.core.training_types import wanted_examples
from whatnext_service.core.versions import data_moves, find_version, revision

Rule = Literal[
    "rate_ruins_run",
    "clean_data",
    "clean_and_enlarge_data",
    "enlarge_data",
    "revised_data",
    "lower_rate_risen",
    "raise_rate_undertrained",
    "train_longer",
    "neighbouring_rate",
    "other_base_model",
    "repair_rate",
    "other_method",
    "batch_size",
    "remaining_rate",
    "lower_rate_failed",
]


class Move(msgspec.Struct, kw_only=True, frozen=True):
    """One change of one variable against a parent run."""

    rule: Rule
    parent: Run
    variable: Variable
    from_value: str | int | float | None
    to_value: str | int | float
    overrides: Overrides
    config: RunConfig
    """What would train."""
    reason: str
    """Why, with its number and its source; a sentence without its full stop."""


def data_changes(board: Scoreboard, run: Run, seen: Outcome, found: tuple[Standing, ...]) -> Iterator[Move]:
    here = find_version(board.versions, run.config.dataset_version_id)
    if here is None:
        return
    better, revised = data_moves(here, board.versions), revision(here, board.versions)
    if not better and revised is None:
        return
    ids = {each.trial.run.config.dataset_version_id for each in found if same_model(each.trial.run, run)}
    used = {version.sha256 for version in board.versions if version.id in ids}
    risen = seen.above_first or seen.risen
    for move in better:
        version = move.version
        if version.sha256 in used:
            continue
        if move.lever == "enlarge" and risen:
            continue
        named = f"{version.name} ({version.n_examples} examples)"
        match move.lever:
            case "clean":
                rule: Rule = "clean_data"
                why = f"{named} is a cleaned version: cleaning gained 0.34 to 0.76 whatever the curve said (evidence 8)"
            case "clean_and_enlarge":
                rule = "clean_and_enlarge_data"
                why = f"{named} is larger and cleaned: data quality is the largest lever (method 6.1, evidence 8)"
            case "enlarge":
                rule = "enlarge_data"
                why = f"{named} has more examples, which help while validation loss has not risen (evidence 8)"
        yield _move(rule, run, "dataset_version_id", version.id, Overrides(dataset_version_id=version.id), why)
    if revised is not None and revised.sha256 not in used:
        why = (
            f"{revised.name} ({revised.n_examples} examples) was uploaded since; data is the largest lever (method 6.1)"
        )
        overrides = Overrides(dataset_version_id=revised.id)
        yield _move("revised_data", run, "dataset_version_id", revised.id, overrides, why)


def rate_changes(board: Scoreboard, run: Run, rule: Rule, seen: Outcome) -> Iterator[Move]:
    rate = resolved_config(run).learning_rate_multiplier or _start_rate(board, run)
    allowed = limits(board.state, run.config.base_model).learning_rate
    rise = "" if seen.rise is None else f" ({seen.rise:.2f} times its minimum)"
    match rule:
        case "rate_ruins_run":
            why = f"Validation loss in {run.name} ended above its first value{rise}: the rate is too high (evidence 8)"
            factors: tuple[float, ...] = (0.1, 0.3, 0.6) if seen.far_above else (0.3, 0.6, 0.1)
        case "lower_rate_risen":
            why = f"Validation loss in {run.name} rose{rise}: a lower rate, not fewer epochs, repairs it (evidence 8)"
            factors = (0.6, 0.3)
        case "repair_rate":
            why = f"The rate ruined {run.name}{rise}: its base model was not judged at a rate of its own (evidence 8)"
            factors = (0.1, 0.3) if seen.far_above else (0.3, 0.1)
        case "raise_rate_undertrained":
            why = f"Validation loss in {run.name} was still at its minimum at the last epoch: undertrained (evidence 8)"
            factors = (2.0, 1.5)
        case _:
            why = f"A neighbouring rate of the best run so far, {run.name}, has not been tried"
            factors = (0.6, 1.6, 0.3, 3.0)
    targets = [nearest_rung(allowed, rate, factor) for factor in factors]
    for target in dict.fromkeys(targets):
        if target is None:
            continue
        yield _move(rule, run, "learning_rate_multiplier", target, Overrides(learning_rate_multiplier=target), why)


def remaining_rates(board: Scoreboard, run: Run) -> Iterator[Move]:
    """Every rate of the ladder, the nearest first."""
    rate = resolved_config(run).learning_rate_multiplier or _start_rate(board, run)
    allowed = limits(board.state, run.config.base_model).learning_rate
    why = f"Nothing with more promise is left; this rate has not been tried on {run.name}"
    for target in sorted(rungs(allowed), key=lambda rung: abs(math.log(rung / rate))):
        overrides = Overrides(learning_rate_multiplier=target)
        yield _move("remaining_rate", run, "learning_rate_multiplier", target, overrides, why)


def longer_training(board: Scoreboard, run: Run) -> Iterator[Move]:
    epochs = resolved_config(run).n_epochs
    if epochs is None:
        return
    allowed = limits(board.state, run.config.base_model).epochs
    more = int(min(allowed.max, max(epochs + 1, round(epochs * 1.6))))
    if more > epochs:
        why = f"Validation loss in {run.name} was still falling at epoch {epochs} (evidence 8)"
        yield _move("train_longer", run, "n_epochs", more, Overrides(n_epochs=more), why)


def untried_models(board: Scoreboard, run: Run, found: tuple[Standing, ...]) -> Iterator[Move]:
    """Every other allowed base model once, on the same data."""
    version = find_version(board.versions, run.config.dataset_version_id)
    n_examples = 0 if version is None else version.n_examples
    used = {each.config.base_model for each in board.failed_runs}
    used.update(each.trial.run.config.base_model for each in found)
    for name in allowed_models(board.state, run.config.method, n_examples):
        if name not in used:
            why = f"{name} has not been tried on this data, and what is likeliest to help {run.config.base_model} has"
            parent = _springboard(board, run, found, name)
            yield _move("other_base_model", parent, "base_model", name, Overrides(base_model=name), why)


def repaired_models(board: Scoreboard, run: Run, found: tuple[Standing, ...]) -> Iterator[Move]:
    """The rate of another base model, once, where it ruined its only run or left it undertrained."""
    alone: defaultdict[str, list[Run]] = defaultdict(list)
    for each in found:
        alone[each.trial.run.config.base_model].append(each.trial.run)
    for name, tried in alone.items():
        if name != run.config.base_model and len(tried) == 1:
            seen = outcome(tried[0])
            if seen.above_first:
                yield from islice(rate_changes(board, tried[0], "repair_rate", seen), 1)
            elif seen.known and seen.best_is_last:
                yield from islice(rate_changes(board, tried[0], "raise_rate_undertrained", seen), 1)


def _springboard(board: Scoreboard, run: Run, found: tuple[Standing, ...], name: str) -> Run:
    """The run to change the base model of: on the same data, the one whose rate is nearest to the new model's own.

    Rates are not comparable across base models (evidence 3): a rate tuned on one would misjudge another.
    """
    model = find_model(board.state.catalogue, name)
    if model is None:
        return run
    own = math.log(model.start_learning_rate)

    def distance(candidate: Run) -> float:
        rate = resolved_config(candidate).learning_rate_multiplier
        return abs(math.log(rate) - own) if rate else math.inf

    alike = [
        each.trial.run
        for each in found
        if each.trial.run.config.dataset_version_id == run.config.dataset_version_id and same_model(each.trial.run, run)
    ]
    nearest = min((run, *alike), key=distance)
    return nearest if distance(nearest) < distance(run) else run


def other_methods(board: Scoreboard, run: Run) -> Iterator[Move]:
    """SFT first, then DPO on top of it for style or RFT for reasoning, once SFT has plateaued (method 6.4).

    Only on a version formatted for it that has the examples it wants: 500 preference pairs, 200 prompts.
    """
    model = find_model(board.state.catalogue, run.config.base_model)
    if model is None or run.config.method != "sft":
        return
    others: tuple[Method, ...] = ("dpo", "rft")
    for method in others:
        if method in model.methods and method in allowed_methods(board.state):
            least, _ = wanted_examples(method)
            fitting = [each for each in board.versions if each.method == method and each.n_examples >= least]
            if fitting:
                why = f"Supervised training has plateaued and {fitting[-1].name} is formatted for {method} (method 6.4)"
                overrides = Overrides(method=method, dataset_version_id=fitting[-1].id)
                yield _move("other_method", run, "method", method, overrides, why)


def batch_changes(board: Scoreboard, run: Run) -> Iterator[Move]:
    """Last, because batch size at the best rate never gained more than 0.04 (evidence 8)."""
    size = resolved_config(run).batch_size
    allowed = limits(board.state, run.config.base_model).batch
    for target in (16, 32):
        if size != target and within(allowed, target):
            why = f"Everything with more promise has been tried; batch {target} has not (method 6.2)"
            yield _move("batch_size", run, "batch_size", target, Overrides(batch_size=target), why)


def _move(rule: Rule, run: Run, variable: Variable, to: str | int | float, overrides: Overrides, why: str) -> Move:
    return Move(
        rule=rule,
        parent=run,
        variable=variable,
        from_value=getattr(resolved_config(run), variable),
        to_value=to,
        overrides=overrides,
        config=apply_overrides(run.config, overrides),
        reason=why,
    )


def same_model(a: Run, b: Run) -> bool:
    return a.config.base_model == b.config.base_model and a.config.method == b.config.method


def _start_rate(board: Scoreboard, run: Run) -> float:
    model = find_model(board.state.catalogue, run.config.base_model)
    return LADDER[3] if model is None else model.start_learning_rate
