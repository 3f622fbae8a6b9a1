"""Loops as real experiment histories leave them: everything in a file of ../shared/data/series that a loop can hold.

Scores after each epoch become scored checkpoints, the other metrics of an evaluation its dimensions. A history keeps
no scores by item, and seldom an untuned model: where it names none, that counts as a tenth of the history's spread
worse than its worst run.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.series_curves import per_epoch_scores, reading_of
from tests.bench.series_settings import Record, config_of, dataset_key, method_of

from whatnext_service.core.evaluations import Dimension, Evaluation, Suite
from whatnext_service.core.loops import Budget, Choices, Loop, Metric, Range, Rules
from whatnext_service.core.runs import Checkpoint, Run
from whatnext_service.core.state import DatasetVersion, DerivationKind, LoopState

START = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT_FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "series"
N_ITEMS = 50
"""Items of an evaluation whose history does not tell."""


def versions_of(series: Record, keys: list[str]) -> tuple[DatasetVersion, ...]:
    """The dataset versions described so far: what was curated is cleaned, more rows are an addition, anything else is
    a file that somebody uploaded. An unknown size is that of the version before, or after for the first one."""
    described = [json.loads(key) or {} for key in keys]
    sizes = [each.get("rows", each.get("max_samples")) for each in described]
    found: list[DatasetVersion] = []
    for key, facts, size in zip(keys, described, sizes, strict=True):
        before = found[-1] if found else None
        n_examples = int(size or (before.n_examples if before else next(filter(None, sizes), 100)))
        how: DerivationKind = "upload"
        if before is not None and facts.get("curated"):
            how = "drop_ids"
        elif before is not None and n_examples > before.n_examples:
            how = "add_examples"
        found.append(
            DatasetVersion(
                id=f"dsv_{len(found) + 1}",
                number=len(found) + 1,
                sha256=key,
                n_examples=n_examples,
                method=next(method_of(run) for run in series["runs"] if dataset_key(run) == key),
                parent_id=before.id if before else None,
                derived_by=(how,),
                n_duplicates=0,
                n_contradictions=0,
                n_label_suspects=None,
                n_tokens=None,
                created_at=START,
            )
        )
    return tuple(found)


def state_of(series: Record, so_far: list[Record], keys: list[str], folder: Path) -> LoopState:
    """The loop after these runs, with these descriptions of datasets at hand."""
    metric = series["primary_metric"]
    known = [float(value) for run in series["runs"] if (value := run["eval"].get(metric)) is not None]
    up = series["direction"] == "higher"
    low, high = min(known), max(known)
    spread = (high - low) or 1.0
    trained = [run for run in so_far if run.get("config", {}).get("fine_tuned") is not False]
    untuned = [float(run["eval"][metric]) for run in so_far if run not in trained]
    baseline = untuned[0] if untuned else low - 0.1 * spread if up else high + 0.1 * spread
    runs = [run_of(place, run, series, folder) for place, run in enumerate(trained, start=1)]
    scored = [each for run, record in zip(runs, trained, strict=True) for each in evaluations_of(run, record, metric)]
    validated = any(run.reading is not None and run.reading.valid_source != "none" for run in runs)
    return LoopState(
        loop=Loop(
            id="loop_series",
            slug="series",
            task=series["task"],
            metric=Metric(
                name=metric, scale_min=low - spread, scale_max=high + spread, direction="up" if up else "down"
            ),
            rules=Rules(),
            budget=Budget(),
            choices=Choices(
                learning_rate_multiplier=Range(min=0.02, max=50.0),
                n_epochs=Range(min=1, max=50),
                batch_size=Range(min=1, max=256),
                base_models=tuple(dict.fromkeys(str(run.get("base_model", "model")) for run in series["runs"])),
            ),
            autopilot="off",
            dataset_id="ds",
            validation_version_id="dsv_validation" if validated else None,
            created_at=START,
        ),
        version=1,
        as_of=START,
        catalogue=(),
        versions=versions_of(series, keys),
        runs=tuple(runs),
        suites=(SUITE,),
        evaluations=(evaluation("eval_base", None, None, {metric: baseline}, metric), *scored),
        baseline_id="eval_base",
        deployments=(),
        declines=(),
        open_recommendation=None,
    )


SUITE = Suite(
    id="suite",
    role="selection",
    fingerprint="suite",
    n_items=N_ITEMS,
    dataset_version_id=None,
    clusters=None,
    binary=False,
    regrade_sd=None,
    created_at=START,
)


def run_of(place: int, run: Record, series: Record, folder: Path) -> Run:
    """A run that has ended; one without a score has failed, for the reason that its history gives."""
    told = next((each for each in series["transitions"] if each["to_run"] == run["run_id"]), {})
    failed = run["eval"].get(series["primary_metric"]) is None
    n_scored = len(per_epoch_scores(run))
    return Run(
        id=f"run_{place}",
        number=place,
        parent_id=None if place == 1 else f"run_{place - 1}",
        provider="external",
        status="failed" if failed else "succeeded",
        config=config_of(run, series),
        effective=None,
        confounded_by=tuple(told.get("changed", ())) if told.get("n_changed", 0) > 1 else (),
        recommendation_id=None,
        reading=reading_of(run, series, folder),
        checkpoints=tuple(
            Checkpoint(
                id=f"ckpt_{place}_{epoch}",
                step=epoch,
                epoch=epoch,
                model=None,
                deployable=True,
                final=epoch == n_scored,
                train_loss=None,
                valid_loss=None,
                full_valid_loss=None,
            )
            for epoch in range(1, n_scored + 1)
        ),
        failure=str(run.get("status") or run.get("notes") or "no score") if failed else None,
        cost=None,
        created_at=START,
        finished_at=START,
    )


def evaluations_of(run: Run, record: Record, metric: str) -> list[Evaluation]:
    """What was measured of a run: at each epoch where the history has that, else at its end."""
    if run.status == "failed":
        return []
    if run.checkpoints:
        pairs = zip(run.checkpoints, per_epoch_scores(record), strict=True)
        return [evaluation(f"eval_{point.id}", run.id, point.id, scores, metric) for point, scores in pairs]
    return [evaluation(f"eval_{run.id}", run.id, None, record["eval"], metric)]


def evaluation(name: str, run_id: str | None, checkpoint_id: str | None, scores: Record, metric: str) -> Evaluation:
    """One evaluation, without scores by item."""
    n_items = int(scores.get("n", N_ITEMS))
    return Evaluation(
        id=name,
        suite_id=SUITE.id,
        fingerprint=SUITE.fingerprint,
        subject="base_model" if run_id is None else "run" if checkpoint_id is None else "checkpoint",
        base_model="model" if run_id is None else None,
        run_id=run_id,
        checkpoint_id=checkpoint_id,
        status="succeeded",
        origin="registered",
        combined=float(scores[metric]),
        n_items=n_items,
        n_scored=n_items,
        scores=b"",
        dimensions=tuple(
            Dimension(name=each, weight=1.0 if each == metric else 0.0, mean=float(value), n_scored=n_items)
            for each, value in scores.items()
            if isinstance(value, int | float) and each != "n"
        ),
        completion_tokens_mean=None,
        failure=None,
        created_at=START,
        finished_at=START,
    )
