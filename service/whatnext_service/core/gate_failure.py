"""The gate after a failed run: failure is an outcome with a reason, not a score (evidence 7)."""

import msgspec

from whatnext_service.core.advice import Change, Confidence, Overrides, RequestBody
from whatnext_service.core.attribution import resolved_config
from whatnext_service.core.budget import would_exceed
from whatnext_service.core.draft import Draft, call, draft, measured
from whatnext_service.core.gate_change import HELD
from whatnext_service.core.identity import config_fingerprint
from whatnext_service.core.lineage import apply_overrides, variables_of
from whatnext_service.core.move_kinds import Move
from whatnext_service.core.outcome import diverged
from whatnext_service.core.predict import expect
from whatnext_service.core.ranges import limits, nearest_rung
from whatnext_service.core.runs import Run
from whatnext_service.core.scoreboard import Scoreboard, configuration

MAX_ATTEMPTS = 2
"""A configuration that failed this often for no reason of its own is left to a person."""


def failure_gate(board: Scoreboard) -> tuple[Draft, ...]:
    """The last run failed: a diverged one wants a much lower rate (method 3), any other one more attempt."""
    state = board.state
    last = next((run for run in reversed(state.runs) if run.status != "cancelled"), None)
    if last is None or last.status != "failed":
        return ()
    if diverged(last):
        return () if any(_alike(trial.run, last) for trial in board.trials if trial.arms) else _lower_rate(board, last)
    asked = configuration(last.config)
    attempts = sum(1 for run in board.failed_runs if configuration(run.config) == asked)
    told = (last.failure or "no reason was given")[:200]
    if attempts >= MAX_ATTEMPTS:
        if any(trial.arms for trial in board.trials):
            return ()
        return (
            draft(
                kind="review",
                phase="train",
                headline=f"Look into {last.name}: the same job failed {attempts} times.",
                rationale=(f"The provider said: {told}.", "Advice cannot repair a job that the provider refuses."),
                subject_id=last.id,
            ),
        )
    if would_exceed(state, last.config, board.spent) is not None:
        return ()
    seed = 1 + max((run.config.seed or 0 for run in state.runs), default=0)
    config = msgspec.structs.replace(last.config, seed=seed)
    return (
        Draft(
            kind="repeat_run",
            phase="train",
            headline=f"Repeat {last.name}: it failed for no reason that lies in its configuration.",
            fingerprint=config_fingerprint("repeat_run", config),
            rationale=(f"The provider said: {told}.", "A failed run is an outcome with a reason, never a bad score."),
            confidence=Confidence(
                level="medium", basis="One failure says little.", would_raise_it="The provider's own diagnosis."
            ),
            subject_id=last.id,
            config=config,
            request=call(
                "POST",
                "/v1/runs",
                RequestBody(loop_id=state.loop.id, parent_run_id=last.id, overrides=Overrides(seed=seed)),
            ),
        ),
    )


def _alike(run: Run, other: Run) -> bool:
    """Whether a scored run on the same model and data exists: its neighbourhood then avoids the failed rate."""
    return (run.config.base_model, run.config.dataset_version_id) == (
        other.config.base_model,
        other.config.dataset_version_id,
    )


def _lower_rate(board: Scoreboard, last: Run) -> tuple[Draft, ...]:
    state = board.state
    resolved = resolved_config(last)
    rate = resolved.learning_rate_multiplier or 1.0
    tried = {variables_of(run.config) for run in state.runs if run.status != "cancelled"}
    found: list[Draft] = []
    for factor in (0.1, 0.3, 0.5):
        target = nearest_rung(limits(state, last.config.base_model).learning_rate, rate, factor)
        if target is None:
            continue
        overrides = Overrides(learning_rate_multiplier=target)
        config = apply_overrides(last.config, overrides)
        if variables_of(config) in tried or would_exceed(state, config, board.spent) is not None:
            continue
        tried.add(variables_of(config))
        move = Move(
            rule="lower_rate_failed",
            parent=last,
            variable="learning_rate_multiplier",
            from_value=resolved.learning_rate_multiplier,
            to_value=target,
            overrides=overrides,
            config=config,
            reason=f"{last.name} diverged",
        )
        found.append(
            Draft(
                kind="start_run",
                phase="plan",
                headline=f"Train again from {last.name} with learning-rate multiplier {target:g}: it diverged.",
                fingerprint=config_fingerprint("start_run", configuration(config)),
                rationale=("A run that diverges wants a much lower learning rate (method 3, evidence 8).",),
                confidence=Confidence(
                    level="medium",
                    basis="The loss exploded; the rate is the first suspect.",
                    would_raise_it="A look at the training data for broken rows.",
                ),
                evidence=(
                    measured(
                        "learning_rate_multiplier",
                        f"{last.name} diverged at learning-rate multiplier {rate:g}",
                        rate,
                        None,
                        "run",
                        last.id,
                    ),
                ),
                subject_id=last.id,
                config=config,
                request=call(
                    "POST",
                    "/v1/runs",
                    RequestBody(loop_id=state.loop.id, parent_run_id=last.id, overrides=overrides),
                ),
                change=Change(
                    variable="learning_rate_multiplier",
                    from_value=resolved.learning_rate_multiplier,
                    to_value=target,
                    held_fixed=tuple(name for name in HELD if name != "learning_rate_multiplier"),
                    expects=expect(board, (), move, None),
                ),
            )
        )
    return tuple(found)
