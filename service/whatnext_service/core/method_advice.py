"""What the published method, read literally, would do next (method, sections 1 and 4 to 7)."""

from collections.abc import Iterator

import msgspec

from whatnext_service.core.advice import ActionKind, Evidence, Step, StopRule
from whatnext_service.core.diagnose import Diagnosis, diagnose
from whatnext_service.core.lineage import apply_overrides
from whatnext_service.core.quick_sweep import (
    LEARNING_RATE_RANGE,
    Tweak,
    allowed,
    baseline_config,
    learning_rates_for,
    when_overfitting,
    when_rate_is_good,
    when_underfitting,
)
from whatnext_service.core.ranges import allowed_models, within
from whatnext_service.core.runs import Run, RunConfig
from whatnext_service.core.scoreboard import Arm, Scoreboard, read_scoreboard
from whatnext_service.core.state import LoopState
from whatnext_service.core.stop_rules import stop_rules
from whatnext_service.core.versions import CLEANING, find_version, origins

GOOD_ALREADY = 9.0
"""Score of 10 above which the base model needs no fine-tuning (method 6)."""
FEWEST_EXAMPLES = 50
"""Fewer and no way to get more: do not fine-tune (method 6)."""
SWEEP_RATES = (0.5, 1.5, 0.3, 2.0, 0.1)
SWEEP_EPOCHS = (3, 1, 5)


class MethodAdvice(msgspec.Struct, kw_only=True, frozen=True):
    """One step of the published method."""

    kind: ActionKind
    headline: str
    run_id: str | None
    """The run it starts from, or is about."""
    checkpoint_id: str | None
    tweak: Tweak | None
    """The one change; null where it asks for none."""
    config: RunConfig | None
    """What would train."""
    path: tuple[Step, ...]
    evidence: tuple[Evidence, ...]
    """The numbers that the steps of the path name."""
    source: str


def method_advice(
    state: LoopState, board: Scoreboard | None = None, rules: tuple[StopRule, ...] | None = None
) -> MethodAdvice:
    """The loop of method 1 in its order: baseline, train, evaluate, diagnose, one change, until a stop rule fires.

    The change is made to the best run so far, data quality before hyperparameters before base model (method 6).
    """
    board = read_scoreboard(state) if board is None else board
    before = _before_training(state, board)
    if before is not None:
        return before
    best = board.best
    if board.active_runs or board.active_evaluations:
        waiting = _plain("wait", "Wait for what is under way.", "method 1")
        return waiting if best is None else _read(waiting, diagnose(state, best.run, board))
    unscored = next((trial.run for trial in board.trials if not trial.arms), None)
    if unscored is not None:
        told = f"Evaluate {unscored.name} on the held-out set."
        return _read(_plain("evaluate", told, "method 4", run=unscored), diagnose(state, unscored, board))
    if best is None:
        return _first_run(state, board)
    met = [rule for rule in (stop_rules(state, board) if rules is None else rules) if rule.met]
    diagnosis = diagnose(state, best.run, board)
    if met:
        return _leave(board, best, diagnosis, met)
    if diagnosis.leaf == "deploy_checkpoint":
        told = f"Deploy the earlier checkpoint of {best.run.name}: it evaluates better than the end of training."
        ship = _about(diagnosis, best, "ship", told, "method 5")
        return msgspec.structs.replace(ship, checkpoint_id=diagnosis.checkpoint_id)
    other_data = [*_data(state, best.run, cleaner=True), *_data(state, best.run, cleaner=False)]
    if diagnosis.leaf in ("improve_data", "add_data") and not other_data:
        return _about(diagnosis, best, "fix_data", diagnosis.suggestion, "method 5")
    for tweak in method_changes(state, best.run, diagnosis):
        config = apply_overrides(best.run.config, tweak.overrides)
        if next(board.tried.runs_of(config), None) is None and allowed(tweak, state.loop.choices):
            return MethodAdvice(
                kind="start_run",
                headline=f"Change {tweak.variable} of {best.run.name} to {_shown(state, tweak)}: {tweak.reason}.",
                run_id=best.run.id,
                checkpoint_id=None,
                tweak=tweak,
                config=config,
                path=diagnosis.path,
                evidence=diagnosis.evidence,
                source=tweak.source,
            )
    return _about(diagnosis, best, "review", "Every change the method names has been tried.", "method 6")


def wrong_tool(state: LoopState, board: Scoreboard) -> str | None:
    """Why fine-tuning is the wrong tool here: the base model scores above 9.0 of 10, or there are fewer than 50
    examples (method 6); null when neither holds.
    """
    metric = state.loop.metric
    if board.baseline is not None and board.baseline.combined is not None:
        share = (board.baseline.combined - metric.scale_min) / (metric.scale_max - metric.scale_min)
        reached = share if metric.direction == "up" else 1.0 - share
        if reached > (GOOD_ALREADY - 1.0) / 9.0:
            return f"the untuned model already scores {board.baseline.combined:.2f}, above 9.0 of 10"
    largest = max((version.n_examples for version in state.versions), default=None)
    if largest is not None and largest < FEWEST_EXAMPLES:
        return f"the largest dataset version has {largest} examples, fewer than {FEWEST_EXAMPLES}"
    return None


def _before_training(state: LoopState, board: Scoreboard) -> MethodAdvice | None:
    if not state.versions:
        return _plain("attach_dataset", "Attach a training dataset.", "method 1")
    wrong = wrong_tool(state, board)
    if wrong is not None and not state.runs:
        return _plain("do_not_fine_tune", f"Do not fine-tune: {wrong}.", "method 6")
    if board.baseline is None:
        return _plain("record_baseline", "Establish the baseline first: no baseline, no advice.", "method 4")
    return None


def _first_run(state: LoopState, board: Scoreboard) -> MethodAdvice:
    version = state.versions[-1]
    models = allowed_models(state, version.method, version.n_examples)
    if board.failed_runs or not models:
        told = f"{board.failed_runs[-1].name} failed" if board.failed_runs else "No base model can be trained"
        return _plain("review", f"{told}; the method has no step for that.", "method 1")
    config = baseline_config(models[0], version.id, version.method, n_examples=version.n_examples)
    told = f"Train {models[0]} on {version.name} for {config.n_epochs} epochs at learning-rate multiplier 1.0."
    return msgspec.structs.replace(_plain("start_run", told, "method 6.2"), config=config)


def _leave(board: Scoreboard, best: Arm, diagnosis: Diagnosis, met: list[StopRule]) -> MethodAdvice:
    baseline = 0.0 if board.baseline is None else board.sign * (board.baseline.combined or 0.0)
    why = ", ".join(rule.rule.replace("_", " ") for rule in met)
    if best.utility <= baseline:
        return _about(diagnosis, best, "stop", f"Stop ({why}): nothing beats the baseline.", "method 7")
    done = any(one.run_id == best.run.id for one in board.final_evaluations)
    if board.final_suite is not None and not done:
        return _about(diagnosis, best, "final_test", f"Stop ({why}): final test of {best.run.name}.", "method 7")
    return _about(diagnosis, best, "ship", f"Stop ({why}): ship {best.run.name}.", "method 7")


def method_changes(state: LoopState, run: Run, diagnosis: Diagnosis) -> Iterator[Tweak]:
    """The leaf's own changes, then the sweep: batch, data, base models, rates (those for the data's size before the
    others), epochs (method 6).
    """
    model = next((one for one in state.catalogue if one.name == run.config.base_model), None)
    if diagnosis.leaf == "improve_data":
        yield from _data(state, run, cleaner=True)
    if diagnosis.leaf in ("improve_data", "add_data"):
        yield from _data(state, run, cleaner=False)
    if any(one.code in ("underfit", "rate_too_high") for one in diagnosis.findings):
        yield from when_underfitting(run.config, model)
    yield from diagnosis.tweaks
    if diagnosis.leaf in ("lower_rate_drastically", "add_data"):
        yield from when_overfitting(run.config)
    yield from when_rate_is_good(run.config)
    yield from _data(state, run, cleaner=True)
    yield from _data(state, run, cleaner=False)
    version = find_version(state.versions, run.config.dataset_version_id)
    n_examples = 0 if version is None else version.n_examples
    for name in allowed_models(state, run.config.method, n_examples):
        yield Tweak(variable="base_model", to_value=name, reason="another base model", source="method 6.3")
    rate_max = LEARNING_RATE_RANGE.max if model is None else model.learning_rate_max
    fitting = learning_rates_for(n_examples, refining=diagnosis.leaf == "refine_further")
    for rate in sorted(SWEEP_RATES, key=lambda each: not within(fitting, each)):
        if rate <= rate_max:
            yield Tweak(variable="learning_rate_multiplier", to_value=rate, reason="quick sweep", source="method 6.2")
    for epochs in SWEEP_EPOCHS:
        yield Tweak(variable="n_epochs", to_value=epochs, reason="quick sweep", source="method 6.2")


def _data(state: LoopState, run: Run, *, cleaner: bool) -> Iterator[Tweak]:
    """Cleaned versions made from this one, or larger ones, newest first; never one that this was made from."""
    here = find_version(state.versions, run.config.dataset_version_id)
    if here is None:
        return
    before = origins(here, state.versions)
    for version in reversed(state.versions):
        if version.id == here.id or version.id in before or version.method != here.method:
            continue
        clean = version.parent_id == here.id and any(step in CLEANING for step in version.derived_by)
        if clean if cleaner else version.n_examples > here.n_examples:
            reason = "cleaner data" if cleaner else "more data"
            yield Tweak(variable="dataset_version_id", to_value=version.id, reason=reason, source="method 6.1")


def _about(diagnosis: Diagnosis, best: Arm, kind: ActionKind, headline: str, source: str) -> MethodAdvice:
    plain = _plain(kind, headline, source, run=best.run)
    point = best.checkpoint.id if best.checkpoint is not None else None
    return _read(msgspec.structs.replace(plain, checkpoint_id=point), diagnosis)


def _read(advice: MethodAdvice, diagnosis: Diagnosis) -> MethodAdvice:
    return msgspec.structs.replace(advice, path=diagnosis.path, evidence=diagnosis.evidence)


def _plain(kind: ActionKind, headline: str, source: str, *, run: Run | None = None) -> MethodAdvice:
    return MethodAdvice(
        kind=kind,
        headline=headline,
        run_id=None if run is None else run.id,
        checkpoint_id=None,
        tweak=None,
        config=None,
        path=(),
        evidence=(),
        source=source,
    )


def _shown(state: LoopState, tweak: Tweak) -> str:
    if tweak.variable == "dataset_version_id":
        version = find_version(state.versions, str(tweak.to_value))
        return str(tweak.to_value) if version is None else version.name
    return str(tweak.to_value)
