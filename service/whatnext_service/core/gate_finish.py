"""The gates out of the loop: final test, ship, stop, clean up (method 7)."""

from collections.abc import Sequence

from whatnext_service.core.advice import Confidence, Evidence, RequestBody
from whatnext_service.core.compare import Comparison, compare
from whatnext_service.core.draft import Draft, call, draft, measured
from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.gains import arm_name
from whatnext_service.core.incumbent import Standing, against_baseline
from whatnext_service.core.scoreboard import Arm, Scoreboard, noise_between

LIVE = ("pending", "live")


def shipped_gate(board: Scoreboard, best: Standing | None) -> tuple[Draft, ...]:
    """Once the best model is served, take older deployments out of service, then stop (method 7)."""
    live = [each for each in board.state.deployments if each.status in LIVE]
    if best is None or not any(serves(best.arm, each.run_id, each.checkpoint_id) for each in live):
        return ()
    for each in live:
        if not serves(best.arm, each.run_id, each.checkpoint_id):
            name = next((run.name for run in board.state.runs if run.id == each.run_id), "an older model")
            return (
                draft(
                    kind="clean_up",
                    phase="finish",
                    headline=f"Clean up: take the deployment of {name} out of service.",
                    rationale=(
                        f"{arm_name(best.arm)} has taken its place; old deployments cost quota and money (method 8).",
                    ),
                    subject_id=each.id,
                    request=call("DELETE", f"/v1/deployments/{each.id}"),
                ),
                _done(best),
            )
    return (_done(best),)


def leave_loop(board: Scoreboard, best: Standing | None, reason: str) -> tuple[Draft, ...]:
    """Ship the best model if it is better than the baseline, by the sealed test where there is one; else stop.

    Without a sealed suite the interval on the selection suite, corrected for every look at it, must be clear of zero.
    With one, a lead of more than one standard error opens it, and the sealed interval must be clear of zero; where
    the selection suite alone was enough, the sealed test only must not contradict it.
    """
    if best is None or board.baseline is None:
        return (_stop(board, None, reason, "No trained model has a held-out score.", ()),)
    chosen = against_baseline(board, best.arm, board.selection_looks)
    if chosen is None or chosen.difference is None or chosen.standard_error is None:
        return (_stop(board, best, reason, "The best model and the baseline share no scored items.", ()),)
    evidence = [_gain_evidence("gain_over_baseline", best.arm.evaluation, chosen)]
    sure = chosen.verdict == "improved"
    leads = board.sign * chosen.difference > chosen.standard_error
    if board.final_suite is None:
        if sure:
            return (_ship(board, best, reason, (chosen.statement,), evidence),)
        return (_stop(board, best, reason, chosen.statement, evidence),)
    if not sure and not leads:
        return (_stop(board, best, reason, f"{chosen.statement} The sealed test stays closed.", evidence),)
    untuned = next((each for each in reversed(board.final_evaluations) if each.subject == "base_model"), None)
    tested = _final_of(board, best.arm)
    if untuned is None or tested is None:
        return (_final_test(board, best, None if untuned is None else best.arm, reason, evidence),)
    sealed = _compare_final(board, tested, untuned)
    evidence.append(_gain_evidence("sealed_gain_over_baseline", tested, sealed))
    ahead = sealed.difference is not None and board.sign * sealed.difference > 0
    told = f"Sealed test: {sealed.statement}"
    if sealed.verdict == "improved" or (sure and ahead):
        return (_ship(board, best, reason, (chosen.statement, told), evidence),)
    return (_stop(board, best, reason, f"{told} It does not confirm {arm_name(best.arm)}.", evidence),)


def serves(arm: Arm, run_id: str | None, checkpoint_id: str | None) -> bool:
    """Whether a deployment or evaluation is about this arm; a run's final state goes by either name."""
    if arm.checkpoint is None:
        return run_id == arm.run.id and checkpoint_id is None
    if checkpoint_id is not None:
        return checkpoint_id == arm.checkpoint.id
    return run_id == arm.run.id and arm.checkpoint.final


def _final_test(board: Scoreboard, best: Standing, arm: Arm | None, reason: str, evidence: Sequence[Evidence]) -> Draft:
    assert board.final_suite is not None
    loop_id = board.state.loop.id
    if arm is None:
        base = board.baseline.base_model if board.baseline is not None else None
        name = base or best.trial.run.config.base_model
        body = RequestBody(loop_id=loop_id, suite_id=board.final_suite.id, subject="base_model", base_model=name)
        headline = f"Open the sealed test: score the untuned model {name} on it first."
    else:
        body = _subject_body(arm, loop_id, board.final_suite.id)
        headline = f"Final test: score {arm_name(arm)} on the sealed suite."
    return draft(
        kind="final_test",
        phase="finish",
        headline=headline,
        rationale=(
            reason,
            "The chosen score is too high by selection; a set never used for choosing tells the truth (method 4).",
            f"The sealed suite has been used {board.final_uses} time{'' if board.final_uses == 1 else 's'} so far; "
            "each look weakens it.",
        ),
        confidence=ship_confidence(board),
        evidence=tuple(evidence),
        subject_id=best.trial.run.id,
        request=call("POST", "/v1/evaluations", body),
    )


def _ship(board: Scoreboard, best: Standing, reason: str, told: tuple[str, ...], evidence: Sequence[Evidence]) -> Draft:
    arm = best.arm
    body = RequestBody(
        loop_id=board.state.loop.id,
        run_id=arm.run.id,
        checkpoint_id=None if arm.checkpoint is None else arm.checkpoint.id,
    )
    return draft(
        kind="ship",
        phase="finish",
        headline=f"Ship {arm_name(arm)}: it is better than the baseline.",
        rationale=(reason, *told),
        confidence=ship_confidence(board),
        evidence=tuple(evidence),
        subject_id=arm.run.id,
        request=call("POST", "/v1/deployments", body),
    )


def _stop(board: Scoreboard, best: Standing | None, reason: str, told: str, evidence: Sequence[Evidence]) -> Draft:
    return draft(
        kind="stop",
        phase="finish",
        headline="Stop without shipping: no model is known to be better than the baseline.",
        rationale=(reason, told),
        confidence=ship_confidence(board),
        evidence=tuple(evidence),
        subject_id=None if best is None else best.trial.run.id,
    )


def _done(best: Standing) -> Draft:
    return draft(
        kind="stop",
        phase="finish",
        headline=f"Stop: {arm_name(best.arm)}, the best model so far, is deployed.",
        rationale=("The loop has reached its end (method 7); a new run would open it again.",),
        subject_id=best.trial.run.id,
    )


def ship_confidence(board: Scoreboard) -> Confidence:
    """How sure the comparison with the baseline is after so many looks."""
    looks = board.selection_looks
    sealed = "a sealed final test set" if board.final_suite is None else "more items in the sealed set"
    return Confidence(
        level="high" if board.final_suite is not None else "medium",
        basis=f"The interval is corrected for {looks} look{'' if looks == 1 else 's'} at the selection suite.",
        would_raise_it=f"{sealed[0].upper()}{sealed[1:]}.",
    )


def _gain_evidence(code: str, evaluation: Evaluation, comparison: Comparison) -> Evidence:
    return measured(code, comparison.statement, comparison.difference, 0.0, "evaluation", evaluation.id)


def _final_of(board: Scoreboard, arm: Arm) -> Evaluation | None:
    for each in reversed(board.final_evaluations):
        if each.subject == "base_model":
            continue
        if serves(arm, each.run_id, each.checkpoint_id):
            return each
    return None


def _compare_final(board: Scoreboard, tested: Evaluation, untuned: Evaluation) -> Comparison:
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


def _subject_body(arm: Arm, loop_id: str, suite_id: str) -> RequestBody:
    checkpoint = arm.checkpoint
    return RequestBody(
        loop_id=loop_id,
        suite_id=suite_id,
        subject="run" if checkpoint is None else "checkpoint",
        run_id=arm.run.id if checkpoint is None else None,
        checkpoint_id=None if checkpoint is None else checkpoint.id,
    )
