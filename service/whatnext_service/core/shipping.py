"""Whether a model may be shipped: better than the baseline, with the interval clear of zero (method 7, evidence 6)."""

from whatnext_service.core.compare import Comparison, compare
from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.state import LoopState
from whatnext_service.errors import DomainError


def check_shippable(state: LoopState, run_id: str, checkpoint_id: str | None) -> None:
    """Refuse to ship what was not shown to be better than the baseline on a suite of the loop.

    A checkpoint that is the run's end, and the run itself, are one model: an evaluation of either counts.
    """
    names = _same_model(state, run_id, checkpoint_id)
    for evaluation in reversed(state.evaluations):
        if (evaluation.run_id, evaluation.checkpoint_id) in names and evaluation.status == "succeeded":
            against = versus_baseline(state, evaluation)
            if against is not None and against.verdict == "improved":
                return
    raise DomainError(
        "not_better_than_baseline",
        "No evaluation shows this model to be better than the baseline with its interval clear of zero. "
        "Evaluate it, or give an override_reason.",
    )


def versus_baseline(state: LoopState, evaluation: Evaluation) -> Comparison | None:
    """An evaluation against the untuned model's on the same suite; null without one."""
    suite = next((each for each in state.suites if each.id == evaluation.suite_id), None)
    baseline = baseline_on(state, evaluation.suite_id)
    if suite is None or baseline is None:
        return None
    metric = state.loop.metric
    return compare(
        evaluation.scores,
        baseline.scores,
        scale_min=metric.scale_min,
        scale_max=metric.scale_max,
        direction=metric.direction,
        clusters=suite.clusters,
        same_instrument=evaluation.fingerprint == baseline.fingerprint,
    )


def baseline_on(state: LoopState, suite_id: str) -> Evaluation | None:
    """The named baseline, or the newest evaluation of the same untuned model on another suite."""
    named = next((each for each in state.evaluations if each.id == state.baseline_id), None)
    if named is None or named.suite_id == suite_id:
        return named
    same = [
        each
        for each in state.evaluations
        if each.suite_id == suite_id and each.base_model == named.base_model and each.status == "succeeded"
    ]
    return same[-1] if same else None


def _same_model(state: LoopState, run_id: str, checkpoint_id: str | None) -> set[tuple[str | None, str | None]]:
    run = next((each for each in state.runs if each.id == run_id), None)
    final = next((each.id for each in run.checkpoints if each.final), None) if run else None
    if checkpoint_id is None or checkpoint_id == final:
        return {(run_id, None), (run_id, final)}
    return {(run_id, checkpoint_id)}
