"""The gates out of the loop: final test, ship, stop, clean up (method 7)."""

from collections.abc import Sequence
from typing import assert_never

from whatnext_service.core.advice import Confidence, Evidence, RequestBody
from whatnext_service.core.compare import Comparison
from whatnext_service.core.draft import Draft, call, draft, measured
from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.gains import arm_name
from whatnext_service.core.incumbent import Standing
from whatnext_service.core.scoreboard import Arm, Scoreboard
from whatnext_service.core.shipping import read_shipping, serves

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
    """Ship the best model if it is better than the baseline, by the sealed test where there is one; else stop."""
    if best is None or board.baseline is None:
        return (_stop(board, None, reason, "No trained model has a held-out score.", ()),)
    reading = read_shipping(board, best.arm)
    evidence = []
    if reading.chosen is not None:
        evidence.append(_gain_evidence("gain_over_baseline", best.arm.evaluation, reading.chosen))
        evidence.append(_shrunken(board, best))
    if reading.sealed is not None and reading.tested is not None:
        evidence.append(_gain_evidence("sealed_gain_over_baseline", reading.tested, reading.sealed))
    match reading.verdict:
        case "ship":
            return (_ship(board, best, reason, reading.told, evidence),)
        case "test":
            return (_final_test(board, best, None if reading.untuned is None else best.arm, reason, evidence),)
        case "stop":
            told = reading.told[-1]
            if reading.sealed is not None:
                told = f"{told} It does not confirm {arm_name(best.arm)}."
            return (_stop(board, best, reason, told, evidence),)
        case unreachable:
            assert_never(unreachable)


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


def _shrunken(board: Scoreboard, best: Standing) -> Evidence:
    """What the chosen score is worth once the luck of being chosen is taken off (evidence 1)."""
    arm, looks, score = best.arm, board.selection_looks, best.arm.evaluation.combined
    estimate = board.sign * best.estimate
    told = f"{arm_name(arm)} scored {score:.2f}, the best of {looks} looks; {estimate:.2f} is to be expected of it"
    return measured("shrunken_score", told, estimate, score, "evaluation", arm.evaluation.id)


def _subject_body(arm: Arm, loop_id: str, suite_id: str) -> RequestBody:
    checkpoint = arm.checkpoint
    return RequestBody(
        loop_id=loop_id,
        suite_id=suite_id,
        subject="run" if checkpoint is None else "checkpoint",
        run_id=arm.run.id if checkpoint is None else None,
        checkpoint_id=None if checkpoint is None else checkpoint.id,
    )
