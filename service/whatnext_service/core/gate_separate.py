"""The gate to the run that tells entangled changes apart (method 1, evidence 3)."""

from whatnext_service.core.advice import Change, Confidence, Expectation, Overrides, RequestBody
from whatnext_service.core.attribution import EffectiveDifference, effective_difference, resolved_config
from whatnext_service.core.budget import would_exceed
from whatnext_service.core.credit import in_words
from whatnext_service.core.draft import Draft, call, measured
from whatnext_service.core.gate_change import HELD
from whatnext_service.core.identity import config_fingerprint
from whatnext_service.core.incumbent import Standing, paired_gain
from whatnext_service.core.lineage import VARIABLES, apply_overrides
from whatnext_service.core.quick_sweep import Tweak, allowed
from whatnext_service.core.runs import Run, Variable
from whatnext_service.core.scoreboard import Arm, Scoreboard, configuration
from whatnext_service.core.wording import shown_change, variable_name

RULE = "separate_changes"


def separate_gate(board: Scoreboard, best: Standing | None) -> tuple[Draft, ...]:
    """The best run changed more than one thing and leads its parent by more than one standard error: separate them.

    What leads is what the next changes build on, and half of it may be a loss. A tie leaves nothing to credit. Steps
    that more data brings with it are left alone: the evidence counts data as it comes (evidence 8).
    """
    if best is None:
        return ()
    run = best.trial.run
    before = board.trial_of.get(run.parent_id)
    if before is None or before.best is None:
        return ()
    difference = effective_difference(before.run, run)
    entangled = difference.systematic
    separating = difference.separating
    if len(entangled) < 2 or separating is None or set(entangled) == {"dataset_version_id", "n_steps"}:
        return ()
    gain = paired_gain(best.arm.evaluation, before.best.evaluation, board.sign)
    if gain is None or gain[0] <= gain[1]:
        return ()
    parent = run if separating.parent_run_id == run.id else before.run
    config = apply_overrides(parent.config, separating.overrides)
    change = _changed(separating.overrides)
    if change is None or would_exceed(board.state, config, board.spent) is not None:
        return ()
    if not allowed(change, board.state.loop.choices):
        return ()
    if config in board.tried:
        return ()
    return (_draft(board, run, before.best, parent, difference, change, gain),)


def _changed(overrides: Overrides) -> Tweak | None:
    """The one variable that a separating run changes; null for a mere repeat, which separates a seed from nothing."""
    given: list[Variable] = [name for name in VARIABLES if getattr(overrides, name) is not None]
    if len(given) != 1:
        return None
    value = getattr(overrides, given[0])
    return Tweak(variable=given[0], to_value=value, reason="separates what was changed at once", source=RULE)


def _draft(
    board: Scoreboard,
    run: Run,
    before: Arm,
    parent: Run,
    difference: EffectiveDifference,
    change: Tweak,
    gain: tuple[float, float],
) -> Draft:
    state, separating, variable = board.state, difference.separating, change.variable
    assert separating is not None
    facts = " and ".join(map(in_words, difference.systematic))
    config = apply_overrides(parent.config, separating.overrides)
    old = getattr(resolved_config(parent), variable)
    to = shown_change(variable, change.to_value, state.versions)
    metric = state.loop.metric
    return Draft(
        kind="start_run",
        phase="plan",
        headline=(
            f"Train again from {parent.name} with {variable_name(variable)} {to} instead of "
            f"{shown_change(variable, old, state.versions)}: {run.name} changed {facts} at once."
        ),
        fingerprint=config_fingerprint("start_run", configuration(config)),
        rationale=(
            f"{run.name} is {board.sign * gain[0]:+.2f} from {before.run.name}, by more than one standard error "
            f"({gain[1]:.2f}), and differs from it in {facts}: nothing may be credited to any one of them (method 1).",
            "This is the cheapest run that tells them apart, and half of what was changed may be a loss (evidence 3).",
        ),
        confidence=Confidence(
            level="medium",
            basis="Either outcome says which of the changes carried the difference.",
            would_raise_it="A repeat of both runs with other seeds.",
        ),
        evidence=(
            measured(
                "entangled_changes",
                f"{run.name} differs from {before.run.name} in {facts}",
                len(difference.systematic),
                1,
                "run",
                run.id,
            ),
            measured(
                "gain_over_parent",
                f"{run.name} is {board.sign * gain[0]:+.2f} from {before.run.name} (standard error {gain[1]:.2f})",
                board.sign * gain[0],
                round(gain[1], 4),
                "run",
                run.id,
            ),
        ),
        subject_id=run.id,
        config=config,
        request=call(
            "POST",
            "/v1/runs",
            RequestBody(loop_id=state.loop.id, parent_run_id=parent.id, overrides=separating.overrides),
        ),
        change=Change(
            variable=variable,
            from_value=old,
            to_value=change.to_value,
            held_fixed=tuple(name for name in HELD if name != variable),
            expects=Expectation(
                metric=metric.name,
                direction=metric.direction,
                by_at_least=None,
                judged_on=None if board.suite is None else board.suite.id,
                effect=None,
                effect_low=None,
                effect_high=None,
                basis="None is promised: it is made to know, not to gain.",
                rule=RULE,
            ),
        ),
    )
