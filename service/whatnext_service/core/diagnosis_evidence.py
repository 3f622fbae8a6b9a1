"""The evidence a diagnosis rests on: one number each, with where it came from."""

import msgspec

from whatnext_service.core.advice import Evidence
from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.gains import Gain
from whatnext_service.core.quick_sweep import SMALL_DATASET
from whatnext_service.core.runs import Run
from whatnext_service.core.shapes import has_diverged
from whatnext_service.core.thresholds import CurveThresholds


def curve_evidence(run: Run, thresholds: CurveThresholds) -> tuple[Evidence, ...]:
    """The ratio, the rise and the verdict that answer for the curve; `no_curve` where there is none."""
    reading = run.reading
    if reading is None:
        return (run_evidence(run, "no_curve", "no training curve has arrived", None, None),)
    found = []
    if reading.overfit_ratio is not None:
        mild = thresholds.ratio_mild
        bound = {"moderate": thresholds.ratio_moderate, "severe": thresholds.ratio_severe}.get(reading.verdict, mild)
        told = f"validation loss is {reading.overfit_ratio:.2f} times training loss at the last evaluated step"
        found.append(run_evidence(run, "overfit_ratio", told, reading.overfit_ratio, bound))
    if reading.rise is not None:
        told = f"validation loss ended at {reading.rise:.2f} times its best value"
        found.append(run_evidence(run, "validation_rise", told, reading.rise, thresholds.rise_strong))
    if has_diverged(reading):
        told = "the losses are no longer numbers, or ended above where they began"
        found.append(run_evidence(run, "diverged", told, reading.last_valid_loss, reading.first_valid_loss))
    told = f"the curve reads as {reading.verdict.replace('_', ' ')}: {reading.verdict_basis}"
    found.append(run_evidence(run, "overfit_verdict", told, None, None))
    return tuple(found)


def run_evidence(run: Run, code: str, statement: str, value: float | None, threshold: float | None) -> Evidence:
    """A number from the run's curve."""
    return Evidence(
        code=code,
        statement=statement,
        value=value,
        threshold=threshold,
        source_type="run",
        source_id=run.id,
        href=f"/v1/runs/{run.id}/metrics",
    )


def checkpoint_evidence(run: Run, statement: str, value: float | None, threshold: float | None) -> Evidence:
    """A number from the evaluations of the run's checkpoints."""
    evidence = run_evidence(run, "checkpoint_eval", statement, value, threshold)
    return msgspec.structs.replace(evidence, href=f"/v1/runs/{run.id}/checkpoints")


def size_evidence(run: Run, n_examples: int) -> Evidence:
    """The number of training examples against the bound between small and large."""
    return Evidence(
        code="dataset_size",
        statement=f"the dataset has {n_examples} examples; {SMALL_DATASET} and more count as large",
        value=n_examples,
        threshold=SMALL_DATASET,
        source_type="dataset_version",
        source_id=run.config.dataset_version_id,
        href=f"/v1/dataset-versions/{run.config.dataset_version_id}",
    )


def score_evidence(evaluation: Evaluation) -> Evidence:
    """The score of a run that nothing was measured before."""
    return Evidence(
        code="score",
        statement=f"the run scores {evaluation.combined:.2f}; there is nothing to compare it with",
        value=evaluation.combined,
        threshold=None,
        source_type="evaluation",
        source_id=evaluation.id,
        href=f"/v1/evaluations/{evaluation.id}",
    )


def gain_evidence(over: Gain, evaluation: Evaluation, reference: Evaluation) -> Evidence:
    """The gain of a run's score over what it is measured against."""
    against = "the baseline" if reference.subject == "base_model" else "the run it was made from"
    return Evidence(
        code="score_gain",
        statement=f"the score is {over.statement} over {against}",
        value=over.points,
        threshold=0.0,
        source_type="evaluation",
        source_id=evaluation.id,
        href=f"/v1/evaluations/{evaluation.id}/comparison?against={reference.id}",
    )
