"""The gates between a run's start and its score: wait for what is under way, evaluate what has finished."""

from whatnext_service.core.advice import Confidence, Evidence, RequestBody
from whatnext_service.core.choose_checkpoint import n_nominated, nominate
from whatnext_service.core.draft import Draft, call, draft, measured
from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.scoreboard import Scoreboard

CHECK_RUN_S = 60
CHECK_EVALUATION_S = 10
MAX_ATTEMPTS = 2
"""A subject whose evaluation failed this often is left to a person."""


def evaluation_pending_gate(board: Scoreboard) -> tuple[Draft, ...]:
    """Never decide while an evaluation is under way that would change the answer (evidence 7)."""
    if not board.active_evaluations:
        return ()
    first = board.active_evaluations[0]
    n = len(board.active_evaluations)
    return (
        draft(
            kind="wait",
            phase="evaluate",
            headline=f"Wait for {n} evaluation{'s' if n > 1 else ''} under way.",
            rationale=("Their scores would change the answer (evidence 7).",),
            subject_id=first.id,
            check_after_s=CHECK_EVALUATION_S,
        ),
    )


def run_pending_gate(board: Scoreboard) -> tuple[Draft, ...]:
    """Never decide while a run is under way that would change the answer (evidence 7)."""
    if not board.active_runs:
        return ()
    names = ", ".join(run.name for run in board.active_runs[:5])
    paused = all(run.status == "paused" for run in board.active_runs)
    rationale = ["Its outcome would change the answer (evidence 7)."]
    if paused:
        rationale.append("The provider has paused it: resume or cancel it there if it stays so.")
    return (
        draft(
            kind="wait",
            phase="train",
            headline=f"Wait for {names} to finish.",
            rationale=tuple(rationale),
            subject_id=board.active_runs[0].id,
            check_after_s=CHECK_RUN_S,
        ),
    )


def evaluate_gate(board: Scoreboard) -> tuple[Draft, ...]:
    """A finished run is scored on the held-out suite, at the states its curve nominates, one evaluation at a time."""
    state, suite = board.state, board.suite
    if suite is None:
        return ()
    for trial in board.trials:
        run = trial.run
        if len(trial.arms) >= n_nominated(len(run.checkpoints)):
            continue
        scored = {None if arm.checkpoint is None else arm.checkpoint.id for arm in trial.arms}
        nominees = nominate(run)
        wanted = [
            each
            for each in nominees
            if (None if each.checkpoint is None else each.checkpoint.id) not in scored
            and failures(board, run.id if each.checkpoint is None else each.checkpoint.id) < MAX_ATTEMPTS
        ]
        if not wanted or (len(trial.arms) >= len(nominees)):
            continue
        nominee = wanted[0]
        checkpoint = nominee.checkpoint
        body = RequestBody(
            loop_id=state.loop.id,
            suite_id=suite.id,
            subject="run" if checkpoint is None else "checkpoint",
            run_id=run.id if checkpoint is None else None,
            checkpoint_id=None if checkpoint is None else checkpoint.id,
        )
        where = "" if checkpoint is None else f" at step {checkpoint.step}"
        reading = run.reading
        evidence: tuple[Evidence, ...] = ()
        if reading is not None and reading.best_step is not None:
            evidence = (
                measured(
                    "best_step",
                    f"validation loss of {run.name} is least at step {reading.best_step}",
                    reading.best_step,
                    None,
                    "run",
                    run.id,
                ),
            )
        return (
            draft(
                kind="evaluate",
                phase="evaluate",
                headline=f"Evaluate {run.name}{where} on the held-out suite: {nominee.reason}.",
                rationale=(
                    "The curve nominates two or three deployable checkpoints, the held-out evaluation chooses "
                    "(evidence 2).",
                    f"{len(trial.arms)} of {len(nominees)} nominated states of {run.name} are scored.",
                ),
                confidence=Confidence(
                    level="high",
                    basis="Scoring stored checkpoints chose better than validation loss did (evidence 8).",
                    would_raise_it="Nothing could.",
                ),
                evidence=evidence,
                subject_id=run.id,
                request=call("POST", "/v1/evaluations", body),
            ),
        )
    return ()


def failures(board: Scoreboard, subject_id: str) -> int:
    """Failed evaluations of a subject on the suite in force."""
    suite_id = None if board.suite is None else board.suite.id
    return sum(1 for each in board.failed_evaluations if each.suite_id == suite_id and _about(each, subject_id))


def _about(evaluation: Evaluation, subject_id: str) -> bool:
    return subject_id in (evaluation.checkpoint_id, evaluation.run_id, evaluation.base_model)
