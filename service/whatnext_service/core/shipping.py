"""Whether a model may be shipped: one rule for the advice and for the request (method 7, evidence 1 and 6)."""

from typing import Literal

import msgspec

from whatnext_service.core.compare import Comparison, compare
from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.incumbent import against_baseline
from whatnext_service.core.scoreboard import Arm, Scoreboard, noise_between, read_scoreboard
from whatnext_service.core.state import LoopState
from whatnext_service.errors import DomainError


class ShipReading(msgspec.Struct, kw_only=True, frozen=True):
    """What the scores say about shipping a model."""

    verdict: Literal["ship", "test", "stop"]
    """`test`: its lead opens the sealed suite, which has not scored it, or the untuned model, yet."""
    told: tuple[str, ...]
    chosen: Comparison | None = None
    """Against the baseline on the selection suite, corrected for every look at it."""
    sealed: Comparison | None = None
    """Against the untuned model on the sealed suite, corrected for every use of it."""
    tested: Evaluation | None = None
    untuned: Evaluation | None = None
    """Their evaluations on the sealed suite."""


def read_shipping(board: Scoreboard, arm: Arm) -> ShipReading:
    """Ship what is better than the baseline, by the sealed test where there is one.

    Without a sealed suite the interval on the selection suite, corrected for every look at it, must be clear of zero.
    With one, a lead of more than one standard error opens it, and the sealed interval must be clear of zero; where
    the selection suite alone was enough, the sealed test only must not contradict it.
    """
    if board.baseline is None:
        return ShipReading(verdict="stop", told=("There is no baseline on the selection suite in force.",))
    chosen = against_baseline(board, arm, board.selection_looks)
    if chosen is None or chosen.difference is None or chosen.standard_error is None:
        return ShipReading(verdict="stop", told=("The model and the baseline share no scored items.",))
    sure = chosen.verdict == "improved"
    if board.final_suite is None:
        return ShipReading(verdict="ship" if sure else "stop", told=(chosen.statement,), chosen=chosen)
    if not sure and board.sign * chosen.difference <= chosen.standard_error:
        told = f"{chosen.statement} The sealed test stays closed."
        return ShipReading(verdict="stop", told=(told,), chosen=chosen)
    untuned = next((each for each in reversed(board.final_evaluations) if each.subject == "base_model"), None)
    tested = next(
        (
            each
            for each in reversed(board.final_evaluations)
            if each.subject != "base_model" and serves(arm, each.run_id, each.checkpoint_id)
        ),
        None,
    )
    if untuned is None or tested is None:
        told = "The sealed test has not scored it and the untuned model yet."
        return ShipReading(verdict="test", told=(told,), chosen=chosen, tested=tested, untuned=untuned)
    sealed = _sealed(board, tested, untuned)
    ahead = sealed.difference is not None and board.sign * sealed.difference > 0
    return ShipReading(
        verdict="ship" if sealed.verdict == "improved" or (sure and ahead) else "stop",
        told=(chosen.statement, f"Sealed test: {sealed.statement}"),
        chosen=chosen,
        sealed=sealed,
        tested=tested,
        untuned=untuned,
    )


def check_shippable(state: LoopState, run_id: str, checkpoint_id: str | None) -> None:
    """Refuse to ship what the same rule would not advise to ship."""
    board = read_scoreboard(state)
    trial = board.trial_of.get(run_id)
    arms = () if trial is None else trial.arms
    arm = next((each for each in arms if serves(each, run_id, checkpoint_id)), None)
    if arm is None:
        told = "It has no score on the selection suite in force."
    elif (reading := read_shipping(board, arm)).verdict == "ship":
        return
    else:
        told = " ".join(reading.told)
    raise DomainError(
        "not_better_than_baseline",
        f"This model is not shown to be better than the baseline. {told} Evaluate it, or give an override_reason.",
    )


def serves(arm: Arm, run_id: str | None, checkpoint_id: str | None) -> bool:
    """Whether a deployment or evaluation is about this arm; a run's final state goes by either name."""
    if arm.checkpoint is None:
        return run_id == arm.run.id and checkpoint_id is None
    if checkpoint_id is not None:
        return checkpoint_id == arm.checkpoint.id
    return run_id == arm.run.id and arm.checkpoint.final


def _sealed(board: Scoreboard, tested: Evaluation, untuned: Evaluation) -> Comparison:
    metric = board.state.loop.metric
    return compare(
        tested.scores,
        untuned.scores,
        scale_min=metric.scale_min,
        scale_max=metric.scale_max,
        direction=metric.direction,
        clusters=None if board.final_suite is None else board.final_suite.clusters,
        n_comparisons=max(1, board.final_uses),
        noise=noise_between(board, tested, untuned),
    )
