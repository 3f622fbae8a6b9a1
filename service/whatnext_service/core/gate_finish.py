"""The gates out of the loop: final test, ship, stop, clean up (method 7)."""

from whatnext_service.core.advice import Confidence, Evidence, Overrides, RequestBody
from whatnext_service.core.budget import would_exceed
from whatnext_service.core.compare import Comparison, compare
from whatnext_service.core.draft import Draft, call, draft, measured
from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.gains import arm_name
from whatnext_service.core.identity import config_fingerprint
from whatnext_service.core.incumbent import Standing, against_baseline
from whatnext_service.core.lineage import apply_overrides
from whatnext_service.core.scoreboard import Arm, Scoreboard

LIVE = ("pending", "live")


def shipped_gate(board: Scoreboard, best: Standing | None) -> tuple[Draft, ...]:
    """Once the best model is served, clean up what is left over, then stop (method 7)."""
    live = [each for each in board.state.deployments if each.status in LIVE]
    if best is None or not any(_serves(best.arm, each.run_id, each.checkpoint_id) for each in live):
        return ()
    loop_id = board.state.loop.id
    left_over = len(live) - 1
    found: list[Draft] = []
    if left_over:
        found.append(
            draft(
                kind="clean_up",
                phase="finish",
                headline=f"Clean up: {left_over} other deployment{'s are' if left_over > 1 else ' is'} still live.",
                rationale=("Old deployments cost quota and money (method 8).",),
                subject_id=loop_id,
                request=call("POST", "/v1/deployments/cleanup", RequestBody(loop_id=loop_id, dry_run=False)),
            )
        )
    found.append(
        draft(
            kind="stop",
            phase="finish",
            headline=f"Stop: {arm_name(best.arm)}, the best model so far, is deployed.",
            rationale=("The loop has reached its end (method 7); a new run would open it again.",),
            subject_id=best.trial.run.id,
        )
    )
    return tuple(found)


def leave_loop(board: Scoreboard, best: Standing | None, reason: str) -> tuple[Draft, ...]:
    """Ship the best model if it is better than the baseline, by the sealed test where there is one; else stop."""
    if best is None or board.baseline is None:
        return (_stop(board, None, reason, ("No trained model has a held-out score.",), ()),)
    comparison = against_baseline(board, best.arm, board.selection_looks)
    if comparison is None or comparison.verdict != "improved":
        why = "Nothing was compared." if comparison is None else comparison.statement
        return (_stop(board, best, reason, (f"No model is better than the baseline beyond the noise. {why}",), ()),)
    evidence = (_gain_evidence(board, best.arm, comparison),)
    if board.final_suite is None:
        return (_ship(board, best, reason, (comparison.statement,), evidence),)
    tested = _final_of(board, best.arm)
    untuned = next((each for each in reversed(board.final_evaluations) if each.subject == "base_model"), None)
    if untuned is None:
        return (_final_test(board, best, None, reason, evidence),)
    if tested is None:
        return (_final_test(board, best, best.arm, reason, evidence),)
    sealed = _compare_final(board, tested, untuned)
    if sealed.difference is not None and board.sign * sealed.difference > 0 and sealed.verdict == "improved":
        return (_ship(board, best, reason, (comparison.statement, f"Sealed test: {sealed.statement}"), evidence),)
    return (
        _stop(
            board,
            best,
            reason,
            (f"The sealed test does not confirm {arm_name(best.arm)}: {sealed.statement}",),
            evidence,
        ),
    )


def repeat_gate(board: Scoreboard, best: Standing | None) -> tuple[Draft, ...]:
    """Noise decides: the best model looks better than the baseline but not beyond the noise, and trained only once.

    Two seeds of one configuration differ by more than 0.1 in half the cases (evidence 8), so a repeat tells more
    than another variable would.
    """
    if best is None or best.n_repeats > 1 or board.baseline is None or board.baseline.combined is None:
        return ()
    state, run = board.state, best.trial.run
    gain = best.level - board.sign * board.baseline.combined
    comparison = against_baseline(board, best.arm, board.selection_looks)
    if comparison is None or comparison.verdict != "inconclusive" or gain < state.loop.rules.min_gain:
        return ()
    if would_exceed(state, run.config) is not None:
        return ()
    seed = 1 + max((each.config.seed or 0 for each in state.runs), default=0)
    config = apply_overrides(run.config, Overrides(seed=seed))
    return (
        Draft(
            kind="repeat_run",
            phase="plan",
            headline=f"Repeat {run.name} with another seed: noise decides whether it is better than the baseline.",
            fingerprint=config_fingerprint("repeat_run", config),
            rationale=(
                f"{comparison.statement}",
                "No single change with more promise is left; two seeds of one configuration differ by more than 0.1 "
                "in half the cases (evidence 8).",
            ),
            confidence=_confidence(board),
            evidence=(_gain_evidence(board, best.arm, comparison),),
            subject_id=run.id,
            config=config,
            request=call(
                "POST",
                "/v1/runs",
                RequestBody(loop_id=state.loop.id, parent_run_id=run.id, overrides=Overrides(seed=seed)),
            ),
        ),
    )


def _final_test(
    board: Scoreboard, best: Standing, arm: Arm | None, reason: str, evidence: tuple[Evidence, ...]
) -> Draft:
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
        confidence=_confidence(board),
        evidence=evidence,
        subject_id=best.trial.run.id,
        request=call("POST", "/v1/evaluations", body),
    )


def _ship(
    board: Scoreboard, best: Standing, reason: str, told: tuple[str, ...], evidence: tuple[Evidence, ...]
) -> Draft:
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
        confidence=_confidence(board),
        evidence=evidence,
        subject_id=arm.run.id,
        request=call("POST", "/v1/deployments", body),
    )


def _stop(
    board: Scoreboard, best: Standing | None, reason: str, told: tuple[str, ...], evidence: tuple[Evidence, ...]
) -> Draft:
    return draft(
        kind="stop",
        phase="finish",
        headline="Stop without shipping: no model is known to be better than the baseline.",
        rationale=(reason, *told),
        confidence=_confidence(board),
        evidence=evidence,
        subject_id=None if best is None else best.trial.run.id,
    )


def _confidence(board: Scoreboard) -> Confidence:
    looks = board.selection_looks
    sealed = "a sealed final test set" if board.final_suite is None else "more items in the sealed set"
    return Confidence(
        level="high" if board.final_suite is not None else "medium",
        basis=f"The interval is corrected for {looks} look{'' if looks == 1 else 's'} at the selection suite.",
        would_raise_it=f"{sealed[0].upper()}{sealed[1:]}.",
    )


def _gain_evidence(board: Scoreboard, arm: Arm, comparison: Comparison) -> Evidence:
    return measured(
        "gain_over_baseline", comparison.statement, comparison.difference, 0.0, "evaluation", arm.evaluation.id
    )


def _final_of(board: Scoreboard, arm: Arm) -> Evaluation | None:
    for each in reversed(board.final_evaluations):
        if each.subject == "base_model":
            continue
        if _serves(arm, each.run_id, each.checkpoint_id):
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


def _serves(arm: Arm, run_id: str | None, checkpoint_id: str | None) -> bool:
    """Whether a deployment or evaluation is about this arm; a run's final state goes by either name."""
    if arm.checkpoint is None:
        return run_id == arm.run.id and checkpoint_id is None
    if checkpoint_id is not None:
        return checkpoint_id == arm.checkpoint.id
    return run_id == arm.run.id and arm.checkpoint.final
