"""The experiment table: one row a run, in order of number (method, section 2)."""

from decimal import Decimal

import msgspec

from whatnext_service.core.advice import Value
from whatnext_service.core.attribution import systematic_difference
from whatnext_service.core.change_took import took
from whatnext_service.core.compare import paired_interval
from whatnext_service.core.curves import OverfitVerdict
from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.gains import clusters_of
from whatnext_service.core.lineage import changed_variables
from whatnext_service.core.runs import Run, RunStatus, Variable
from whatnext_service.core.scoreboard import Arm, Scoreboard, noise_between, read_scoreboard
from whatnext_service.core.state import DatasetVersion, LoopState
from whatnext_service.core.wording import shown_change


class ChangedValue(msgspec.Struct, kw_only=True, frozen=True):
    """One variable that a run changed against its parent."""

    variable: Variable
    from_value: Value
    to_value: Value
    from_text: str
    """The value for people: a dataset version by its name and size."""
    to_text: str


class Difference(msgspec.Struct, kw_only=True, frozen=True):
    """Points better (positive) or worse than a reference."""

    points: float
    low: float | None
    """Lower end of the 95 % interval; null without shared per-item scores."""
    high: float | None


class HistoryRow(msgspec.Struct, kw_only=True, frozen=True):
    """One run of the experiment table; the first eight values are the method's own columns."""

    run: str
    base_model: str
    dataset: str
    """Version with its number of examples, such as `v1 (335 ex)`."""
    n_epochs: int | None
    """As trained where the provider told it, else as requested; null when the provider chose and did not say."""
    learning_rate_multiplier: float | None
    batch_size: int | None
    """Null when the provider chose ("default")."""
    best_valid_loss: float | None
    combined: float | None
    """Best combined score among the run's scored states, on the selection suite in force."""
    run_id: str
    parent: str | None
    changed: tuple[ChangedValue, ...]
    repeat: bool
    """Whether it repeats its parent, asked to or because its change did not take."""
    confounded_by: tuple[str, ...]
    """More than one change, asked for or hidden: no difference may be attributed to any of them."""
    scored_step: int | None
    """Step of the scored checkpoint; null for the end of training."""
    to_parent: Difference | None
    to_baseline: Difference | None
    overfitting: OverfitVerdict | None
    cost: Decimal | None
    currency: str
    status: RunStatus


def history(state: LoopState, board: Scoreboard | None = None) -> tuple[HistoryRow, ...]:
    """Every run with its difference to the parent and to the baseline, compared item by item (method 2)."""
    board = read_scoreboard(state) if board is None else board
    arms = {trial.run.id: trial.best for trial in board.trials}
    runs = {run.id: run for run in state.runs}
    versions = {version.id: version for version in state.versions}
    rows = []
    for run in state.runs:
        arm, parent = arms.get(run.id), runs.get(run.parent_id or "")
        parent_arm = arms.get(parent.id) if parent is not None else None
        rows.append(
            history_row(
                run,
                parent,
                versions,
                arm,
                to_parent=_difference(board, arm, parent_arm.evaluation if parent_arm is not None else None),
                to_baseline=_difference(board, arm, board.baseline),
                currency=state.loop.budget.currency,
            )
        )
    return tuple(rows)


def history_row(
    run: Run,
    parent: Run | None,
    versions: dict[str, DatasetVersion],
    arm: Arm | None,
    *,
    to_parent: Difference | None,
    to_baseline: Difference | None,
    currency: str,
) -> HistoryRow:
    """One row from a run and its comparisons."""
    known, config = run.effective, run.config
    changed = () if parent is None else changed_variables(parent.config, config)
    return HistoryRow(
        run=run.name,
        base_model=config.base_model,
        dataset=_dataset(run, versions.get(config.dataset_version_id)),
        n_epochs=(known.n_epochs if known is not None else None) or config.n_epochs,
        learning_rate_multiplier=(known.learning_rate_multiplier if known is not None else None)
        or config.learning_rate_multiplier,
        batch_size=config.batch_size,
        best_valid_loss=None if run.reading is None else run.reading.best_valid_loss,
        combined=None if arm is None else arm.evaluation.combined,
        run_id=run.id,
        parent=None if parent is None else parent.name,
        changed=() if parent is None else _changed(parent, run, changed, tuple(versions.values())),
        repeat=parent is not None and (not changed or not took(run)),
        confounded_by=_confounded(parent, run),
        scored_step=_earlier_step(arm),
        to_parent=to_parent,
        to_baseline=to_baseline,
        overfitting=None if run.reading is None else run.reading.verdict,
        cost=run.cost,
        currency=currency,
        status=run.status,
    )


def _dataset(run: Run, version: DatasetVersion | None) -> str:
    n_examples = run.effective.n_examples if run.effective is not None else None
    if version is None:
        return run.config.dataset_version_id if n_examples is None else f"unknown version ({n_examples} ex)"
    return f"{version.name} ({version.n_examples} ex)"


def _changed(
    parent: Run, run: Run, changed: tuple[Variable, ...], versions: tuple[DatasetVersion, ...]
) -> tuple[ChangedValue, ...]:
    return tuple(
        ChangedValue(
            variable=name,
            from_value=getattr(parent.config, name),
            to_value=getattr(run.config, name),
            from_text=shown_change(name, getattr(parent.config, name), versions),
            to_text=shown_change(name, getattr(run.config, name), versions),
        )
        for name in changed
    )


def _confounded(parent: Run | None, run: Run) -> tuple[str, ...]:
    if len(run.confounded_by) > 1 or parent is None:
        return run.confounded_by
    systematic = systematic_difference(parent, run)
    return systematic if len(systematic) > 1 else ()


def _earlier_step(arm: Arm | None) -> int | None:
    point = None if arm is None else arm.checkpoint
    return None if point is None or point.final else point.step


def _difference(board: Scoreboard, arm: Arm | None, reference: Evaluation | None) -> Difference | None:
    """What `gain` says of the two, without its verdict, whose figures take most of its time."""
    if arm is None or reference is None or board.suite is None:
        return None
    scored, metric = arm.evaluation, board.state.loop.metric
    found = None
    if scored.fingerprint == reference.fingerprint and scored.scores and len(scored.scores) == len(reference.scores):
        clusters = clusters_of(scored, board.suite)
        noise = noise_between(board, scored, reference)
        found = paired_interval(
            scored.scores, reference.scores, metric.scale_min, metric.scale_max, clusters, noise=noise
        )
    if found is None:
        points = board.sign * round((scored.combined or 0.0) - (reference.combined or 0.0), 9)
        return Difference(points=points, low=None, high=None)
    low, high = sorted((board.sign * round(found.low, 9), board.sign * round(found.high, 9)))
    return Difference(points=board.sign * round(found.difference, 9), low=low, high=high)
