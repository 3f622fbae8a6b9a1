"""Facts, verdict and findings put together into one reading."""

from collections.abc import Sequence

from whatnext_service.core.curve_noise import moving_mean
from whatnext_service.core.curve_view import CurveView, RunFacts
from whatnext_service.core.curves import CurveReading, Finding, Shape, Trend, ValidSource
from whatnext_service.core.loss_facts import LossFacts
from whatnext_service.core.loss_shape import Verdict
from whatnext_service.core.nominate import nominated
from whatnext_service.core.thresholds import CurveThresholds


def reading_of(
    view: CurveView,
    facts: LossFacts,
    run: RunFacts,
    thresholds: CurveThresholds,
    *,
    verdict: Verdict,
    trend: Trend,
    shape: Shape,
    findings: Sequence[Finding],
) -> CurveReading:
    """The reading. Loss levels are those of full passes wherever there is one, as they stand; rises are smoothed."""
    levels, full = facts.levels, facts.full_values
    source: ValidSource = "full" if full.n else "batch" if facts.n_batch else "none"
    first = best = last = None
    best_step = None
    if full.n:
        at = int(full.values.argmin())
        first, best, last = float(full.values[0]), float(full.values[at]), float(full.values[-1])
        best_step = int(full.steps[at])
    elif levels is not None:
        first, best, last, best_step = levels.first, levels.best, levels.last, levels.best_step
    evaluated = levels.evaluated if levels is not None else full
    return CurveReading(
        thresholds_version=thresholds.version,
        n_points=facts.n_points,
        last_step=facts.last_step,
        verdict=verdict.verdict,
        verdict_basis=verdict.basis,
        trend=trend,
        valid_source=source,
        first_train_loss=facts.first_train,
        last_train_loss=facts.last_train,
        first_valid_loss=first,
        best_valid_loss=best,
        best_step=best_step,
        last_valid_loss=last,
        overfit_ratio=facts.ratio,
        rise=levels.rise if levels is not None else None,
        best_is_last=levels.best_is_last if levels is not None else full.n == 1,
        best_accuracy=_best_accuracy(view, facts),
        n_valid_points=full.n or facts.n_batch,
        nominated_steps=nominated(
            evaluated,
            best_step,
            facts.last_step,
            risen=levels is not None and levels.rise >= thresholds.rise_usable,
            deployable=run.deployable_steps,
        ),
        findings=tuple(findings),
        shape=shape,
        initial_ratio=facts.initial_ratio,
        change_from_first=levels.change_from_first if levels is not None else None,
        noise=levels.noise if levels is not None else None,
    )


def _best_accuracy(view: CurveView, facts: LossFacts) -> float | None:
    """The highest accuracy of a full pass, or of a batch smoothed like its loss."""
    full = view.points("full_valid_mean_token_accuracy").finite()
    if full.n:
        return float(full.values.max())
    batch = view.points("valid_mean_token_accuracy").finite()
    if facts.levels is None or batch.n < facts.levels.window:
        return None
    return float(moving_mean(batch.values, facts.levels.window).max())
