"""Diagnosis of a run: the path through the method's tree, and the numbers that answered each question (method 5)."""

import hashlib
from typing import Literal

import msgspec

from whatnext_service.core.advice import RULES_VERSION, Evidence, Step
from whatnext_service.core.diagnosis_evidence import (
    checkpoint_evidence,
    curve_evidence,
    gain_evidence,
    score_evidence,
    size_evidence,
)
from whatnext_service.core.eval_findings import evaluation_findings
from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.findings import DiagnosisFinding, data_findings, process_findings
from whatnext_service.core.gains import Gain, best_arm, earlier_arm, final_arm, gain
from whatnext_service.core.quick_sweep import (
    Tweak,
    allowed,
    is_small,
    when_overfitting,
    when_rate_is_good,
    when_severe,
)
from whatnext_service.core.runs import Run
from whatnext_service.core.scoreboard import Scoreboard, Trial, read_scoreboard
from whatnext_service.core.shapes import has_diverged, shapes
from whatnext_service.core.state import DatasetVersion, LoopState

Question = Literal["curves_healthy", "eval_improved", "earlier_checkpoint_better", "severe", "dataset_small"]
Leaf = Literal[
    "refine_further",
    "improve_data",
    "deploy_checkpoint",
    "train_less",
    "add_data",
    "lower_rate_drastically",
    "evaluate_run",
    "establish_baseline",
    "cannot_judge",
    "still_training",
    "run_failed",
]
_Answer = Literal["yes", "no", "unknown"]

SUGGESTIONS: tuple[tuple[Leaf, str], ...] = (
    ("refine_further", "Refine further: one more variable from here."),
    ("improve_data", "A data quality problem: filter or augment the training data."),
    ("deploy_checkpoint", "Use the earlier checkpoint: it evaluates better than the end of training."),
    ("train_less", "Fewer epochs, or a lower learning rate."),
    ("add_data", "Add data: the dataset is small and the model has memorised it."),
    ("lower_rate_drastically", "Lower the learning rate drastically, to 0.1-0.3."),
    ("evaluate_run", "Evaluate the run on the selection suite: without a score its quality is unknown."),
    ("establish_baseline", "Establish the baseline: evaluate the untuned model on the same suite."),
    (
        "cannot_judge",
        "Make validation loss readable, by a (larger) validation file: else overfitting and poor data look alike.",
    ),
    ("still_training", "Wait: the run has not ended."),
    ("run_failed", "The run did not finish: read the reason it gives before starting another like it."),
)


class Diagnosis(msgspec.Struct, kw_only=True, frozen=True):
    """What a run shows."""

    loop_id: str
    run_id: str
    rules_version: str
    thresholds_version: str
    """What its curve was read with."""
    headline: str
    path: tuple[Step, ...]
    leaf: Leaf
    suggestion: str
    tweaks: tuple[Tweak, ...]
    """The single changes the leaf stands for, in the method's order; empty where it asks for no run."""
    checkpoint_id: str | None
    """The earlier checkpoint that the leaf would deploy."""
    findings: tuple[DiagnosisFinding, ...]
    evidence: tuple[Evidence, ...]
    evidence_fingerprint: str
    """SHA-256 over all of the above: the same evidence gives the same diagnosis."""


class _Trace:
    """Collects the steps of a walk through the tree and their evidence."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.steps: list[Step] = []
        self.evidence: dict[str, Evidence] = {}

    def ask(self, question: Question, answer: _Answer, *evidence: Evidence) -> _Answer:
        self.evidence.update({one.code: one for one in evidence})
        self.steps.append(Step(question=question, answer=answer, evidence=tuple(one.code for one in evidence)))
        return answer


def diagnose(state: LoopState, run: Run, board: Scoreboard | None = None) -> Diagnosis:
    """Walk the tree for one run; a scoreboard already read spares reading the state again.

    A question that nothing answers is `unknown` and treated as the next branch says, never guessed: an unhealthy
    curve whose earlier checkpoints were not scored goes on as if none were better.
    """
    board = read_scoreboard(state) if board is None else board
    trial = board.trial_of.get(run.id) or Trial(run=run, arms=())
    version = next((one for one in state.versions if one.id == run.config.dataset_version_id), None)
    n_examples = _n_examples(run, version)
    reference = reference_of(board, trial)
    arm = best_arm(trial)
    over = None
    if arm is not None and reference is not None and board.suite is not None:
        over = gain(board, arm.evaluation, reference)
    trace = _Trace(run)
    leaf = _walk(trace, board, trial, n_examples, reference, over)
    scored: tuple[DiagnosisFinding, ...] = ()
    if arm is not None and board.suite is not None:
        scored = evaluation_findings(arm.evaluation, reference, over, board.suite, state.loop.metric)
    findings = (
        *shapes(run.reading, state.loop.thresholds),
        *scored,
        *data_findings(version),
        *process_findings(state, run),
    )
    earlier = earlier_arm(trial)
    suggestion = next(text for name, text in SUGGESTIONS if name == leaf)
    diagnosis = Diagnosis(
        loop_id=state.loop.id,
        run_id=run.id,
        rules_version=RULES_VERSION,
        thresholds_version=state.loop.thresholds.version if run.reading is None else run.reading.thresholds_version,
        headline=f"{run.name}: {suggestion}",
        path=tuple(trace.steps),
        leaf=leaf,
        suggestion=suggestion,
        tweaks=tuple(tweak for tweak in _tweaks(leaf, run) if allowed(tweak, state.loop.choices)),
        checkpoint_id=earlier.checkpoint.id if leaf == "deploy_checkpoint" and earlier and earlier.checkpoint else None,
        findings=findings,
        evidence=tuple(trace.evidence.values()),
        evidence_fingerprint="",
    )
    digest = hashlib.sha256(msgspec.json.encode(diagnosis)).hexdigest()
    return msgspec.structs.replace(diagnosis, evidence_fingerprint=digest)


def reference_of(board: Scoreboard, trial: Trial) -> Evaluation | None:
    """What "improved" is measured against: the parent's best score on the suite in force, else the baseline."""
    parent = board.trial_of.get(trial.run.parent_id)
    arm = None if parent is None else parent.best
    return arm.evaluation if arm is not None else board.baseline


def _walk(
    trace: _Trace,
    board: Scoreboard,
    trial: Trial,
    n_examples: int | None,
    reference: Evaluation | None,
    over: Gain | None,
) -> Leaf:
    run = trial.run
    small = None if n_examples is None else is_small(n_examples)
    shown = curve_evidence(run, board.state.loop.thresholds)
    healthy = trace.ask("curves_healthy", _healthy(run, small), *shown)
    if run.status in ("failed", "cancelled") and healthy != "no":
        return "run_failed"
    if run.status not in ("succeeded", "failed", "cancelled"):
        return "still_training"
    if healthy != "no":
        arm = best_arm(trial)
        if arm is None:
            trace.ask("eval_improved", "unknown")
            return "evaluate_run"
        if over is None or reference is None:
            trace.ask("eval_improved", "unknown", score_evidence(arm.evaluation))
            return "establish_baseline"
        improved = trace.ask(
            "eval_improved", "yes" if is_improvement(over) else "no", gain_evidence(over, arm.evaluation, reference)
        )
        if improved == "yes":
            return "refine_further"
        return "improve_data" if healthy == "yes" else "cannot_judge"
    better = trace.ask("earlier_checkpoint_better", *_earlier_better(board, trial))
    if better == "yes":
        return "deploy_checkpoint"
    reading = run.reading
    diverged = reading is not None and has_diverged(reading)
    severe = diverged or (reading is not None and reading.verdict == "severe")
    if trace.ask("severe", "yes" if severe else "no", *shown) == "no":
        return "train_less"
    if diverged:
        return "lower_rate_drastically"
    size: tuple[Evidence, ...] = () if n_examples is None else (size_evidence(run, n_examples),)
    answer: _Answer = "unknown" if small is None else "yes" if small else "no"
    return "add_data" if trace.ask("dataset_small", answer, *size) == "yes" else "lower_rate_drastically"


def is_improvement(over: Gain) -> bool:
    """The interval is clear of zero (method 4); without per-item scores, the plain difference."""
    return over.verdict == "improved" if over.low is not None else over.points > 0.0


def _healthy(run: Run, small: bool | None) -> _Answer:
    """Mild overfitting (ratio 1.2-1.5) is acceptable on a small dataset only (method 3)."""
    reading = run.reading
    if reading is None:
        return "unknown"
    if has_diverged(reading):
        return "no"
    match reading.verdict:
        case "healthy":
            return "yes"
        case "mild":
            return "no" if small is False else "yes"
        case "cannot_judge":
            return "unknown"
        case _:
            return "no"


def _earlier_better(board: Scoreboard, trial: Trial) -> tuple[_Answer, *tuple[Evidence, ...]]:
    """Differences below one paired standard error are ties (evidence 8); an unscored checkpoint leaves it unknown."""
    earlier, final = earlier_arm(trial), final_arm(trial)
    if earlier is None or final is None or board.suite is None:
        unscored = [point for point in trial.run.checkpoints if point.deployable and not point.final]
        if not unscored:
            return ("no", checkpoint_evidence(trial.run, "no earlier checkpoint can still be deployed", None, None))
        told = f"{len(unscored)} earlier checkpoints can still be deployed; none is scored beside the final state"
        return ("unknown", checkpoint_evidence(trial.run, told, None, None))
    over = gain(board, earlier.evaluation, final.evaluation)
    least = over.standard_error or 0.0
    step = earlier.checkpoint.step if earlier.checkpoint else None
    told = f"the checkpoint at step {step} scores {over.statement} over the end of training"
    evidence = checkpoint_evidence(trial.run, told, over.points, round(least, 6))
    return ("yes" if over.points > least else "no", evidence)


def _tweaks(leaf: Leaf, run: Run) -> tuple[Tweak, ...]:
    match leaf:
        case "train_less":
            return when_overfitting(run.config)
        case "lower_rate_drastically":
            return when_severe(run.config)
        case "refine_further":
            return when_rate_is_good(run.config)
        case _:
            return ()


def _n_examples(run: Run, version: DatasetVersion | None) -> int | None:
    if run.effective is not None and run.effective.n_examples is not None:
        return run.effective.n_examples
    return None if version is None else version.n_examples
