"""The reading of one training curve (method 3, evidence 2 and 8, hazards, interpretation)."""

import msgspec

from whatnext_service.core import extremes
from whatnext_service.core.change_took import NOT_TAKEN, change_took
from whatnext_service.core.collapse import collapse_findings
from whatnext_service.core.curve_view import CurveView, RunFacts
from whatnext_service.core.curves import Curve, CurveReading
from whatnext_service.core.loops import Method
from whatnext_service.core.loss_facts import LossFacts, loss_facts
from whatnext_service.core.nominate import best_step_gone, first_of_each
from whatnext_service.core.read_losses import read_losses
from whatnext_service.core.read_rft import read_rewards
from whatnext_service.core.reading import reading_of
from whatnext_service.core.thresholds import DEFAULT, CurveThresholds


def read_curve(
    curve: Curve,
    *,
    method: Method | None = None,
    n_examples: int | None = None,
    n_validation: int | None = None,
    batch_size: int | None = None,
    n_epochs: int | None = None,
    deployable_steps: tuple[int, ...] | None = None,
    requested_learning_rate: float | None = None,
    planned_steps: int | None = None,
    running: bool = False,
    parent: Curve | None = None,
    thresholds: CurveThresholds = DEFAULT,
) -> CurveReading:
    """Everything a curve shows, and nothing it cannot show: where the columns do not support a verdict, it abstains.

    `method` null is taken from the columns. `n_validation` is in rows. `requested_learning_rate` is as configured, a
    multiplier or an absolute rate. A curve counts as whole unless `planned_steps` says otherwise or the job is still
    `running`; its planned steps then follow from examples, batch and epochs, and in their first 30 % there are no
    alarms. `deployable_steps` null: every step counts as deployable. `parent` is the curve of the run that this one
    was changed from, where the change must show.
    """
    run = RunFacts(
        n_examples=n_examples,
        n_validation=n_validation,
        batch_size=batch_size,
        n_epochs=n_epochs,
        deployable_steps=deployable_steps,
        requested_learning_rate=requested_learning_rate,
        planned_steps=planned_steps,
        running=running,
    )
    view = CurveView(curve)
    facts = loss_facts(view, run, thresholds)
    dialect = method or dialect_of(view)
    if dialect == "rft":
        reading = _read_rewards(view, facts, run, thresholds)
    else:
        reading = read_losses(view, facts, run, thresholds, dialect)
    untaken = None if parent is None else change_took(parent, curve, thresholds)
    if untaken is None or any(finding.code == NOT_TAKEN for finding in reading.findings):
        return reading
    return msgspec.structs.replace(reading, findings=(*reading.findings, untaken))


def dialect_of(view: CurveView) -> Method:
    """The training method, by its columns: preference rewards, mean rewards, or losses alone."""
    names = {name.lower() for name in view.names()}
    if any("reward" in name and name.endswith(("chosen", "rejected", "margins")) for name in names):
        return "dpo"
    return "rft" if names & {"train_mean_reward", "full_valid_mean_reward"} else "sft"


def _read_rewards(view: CurveView, facts: LossFacts, run: RunFacts, thresholds: CurveThresholds) -> CurveReading:
    rewards = read_rewards(view, thresholds, early=facts.early)
    extra = [
        extremes.extreme_rate(view, run, thresholds),
        extremes.rate_did_not_take(view, run, thresholds),
        best_step_gone(rewards.best_step, run.deployable_steps),
    ]
    findings = collapse_findings(view, "rft", thresholds) + rewards.findings
    findings += [finding for finding in extra if finding is not None]
    broken = any(finding.code == "not_finite" for finding in findings)
    reading = reading_of(
        view,
        facts,
        run,
        thresholds,
        verdict=rewards.verdict,
        trend="collapsed" if broken else "unknown",
        shape="diverged" if broken else rewards.shape,
        findings=findings,
    )
    return msgspec.structs.replace(
        reading,
        best_step=rewards.best_step,
        nominated_steps=first_of_each(rewards.candidates, run.deployable_steps),
    )
