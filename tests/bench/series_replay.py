"""Replay real experiment histories: for each single change with a known outcome, what would the advice have said?

`python -m tests.bench.series_replay` builds the loop as it stood before each single-variable transition, asks
`what_next`, and compares. A change that improved should be among what is advised, one that did not should not be
the advice. Changes that the loop cannot express (adapter rank, gradient accumulation) are counted and left out.
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from whatnext_service.core.curves import CurveReading
from whatnext_service.core.evaluations import Evaluation, Suite
from whatnext_service.core.loops import Budget, Choices, Loop, Metric, Range, Rules
from whatnext_service.core.plan import what_next
from whatnext_service.core.runs import Run, RunConfig, Variable
from whatnext_service.core.state import DatasetVersion, LoopState

START = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT_FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "series"
RATES, EPOCHS = ("lr", "learning_rate"), ("epochs", "max_steps")
EXPRESSIBLE: dict[str, Variable] = {
    **dict.fromkeys(RATES, "learning_rate_multiplier"),
    **dict.fromkeys(EPOCHS, "n_epochs"),
    "dataset": "dataset_version_id",
}


def dataset_key(run: dict[str, Any]) -> str:
    """The dataset a run was trained on, as the history describes it."""
    return json.dumps(run.get("dataset"), sort_keys=True)


def first(config: dict[str, Any], names: tuple[str, ...]) -> float | None:
    """The first of several names that a configuration has."""
    return next((float(config[name]) for name in names if config.get(name) is not None), None)


def config_of(run: dict[str, Any], series: dict[str, Any]) -> RunConfig:
    """The run's configuration; rates and step counts are given relative to the first run's."""
    configs = [each.get("config", {}) for each in series["runs"]]
    base_rate = next((rate for each in configs if (rate := first(each, RATES)) is not None), None)
    base_steps = next((float(each["max_steps"]) for each in configs if each.get("max_steps")), None)
    config = run.get("config", {})
    rate, epochs = first(config, RATES), first(config, EPOCHS)
    if epochs is not None and base_steps is not None and "max_steps" in config:
        epochs = max(1.0, epochs / base_steps)
    names = list(dict.fromkeys(dataset_key(each) for each in series["runs"]))
    return RunConfig(
        base_model=str(run.get("base_model", "model")),
        dataset_version_id=f"dsv_{names.index(dataset_key(run)) + 1}",
        method=config.get("method", "sft") if config.get("method") in ("sft", "dpo", "rft") else "sft",
        n_epochs=None if epochs is None else int(epochs),
        learning_rate_multiplier=None if rate is None or base_rate is None else rate / base_rate,
    )


def reading_of(run: dict[str, Any]) -> CurveReading | None:
    """What little the histories tell of curves: best and final validation loss, where both are known."""
    scores = run.get("eval", {})
    best, last = scores.get("best_eval_loss"), scores.get("final_eval_loss")
    if best is None or last is None:
        return None
    return CurveReading(
        thresholds_version="series",
        n_points=2,
        last_step=2,
        verdict="cannot_judge",
        verdict_basis="two values",
        trend="risen" if last > 1.04 * best else "falling",
        valid_source="full",
        first_train_loss=None,
        last_train_loss=run.get("train_loss_final"),
        first_valid_loss=None,
        best_valid_loss=best,
        best_step=None,
        last_valid_loss=last,
        overfit_ratio=None,
        rise=last / best,
        best_is_last=last <= best,
        best_accuracy=None,
        n_valid_points=2,
        nominated_steps=(),
        findings=(),
    )


def state_before(series: dict[str, Any], transition: dict[str, Any]) -> LoopState:
    """The loop as it stood before the transition; the untuned model counts as worse than every run."""
    names = [run["run_id"] for run in series["runs"]]
    so_far = series["runs"][: names.index(transition["from_run"]) + 1]
    metric = series["primary_metric"]
    values = [run["eval"].get(metric) for run in series["runs"]]
    known = [value for value in values if value is not None]
    up = series["direction"] == "higher"
    low, high = min(known), max(known)
    spread = (high - low) or 1.0
    versions = list(dict.fromkeys(dataset_key(run) for run in series["runs"]))
    baseline = (low - 0.1 * spread) if up else (high + 0.1 * spread)
    runs = tuple(
        Run(
            id=f"run_{number}",
            number=number,
            parent_id=None if number == 1 else f"run_{number - 1}",
            provider="external",
            status="succeeded",
            config=config_of(run, series),
            effective=None,
            confounded_by=(),
            recommendation_id=None,
            reading=reading_of(run),
            checkpoints=(),
            failure=None,
            cost=None,
            created_at=START,
            finished_at=START,
        )
        for number, run in enumerate(so_far, start=1)
    )
    scored = [
        evaluation(f"run_{number}", run["eval"][metric])
        for number, run in enumerate(so_far, start=1)
        if run["eval"].get(metric) is not None
    ]
    return LoopState(
        loop=Loop(
            id="loop_series",
            slug="series",
            task=series["task"],
            metric=Metric(
                name=metric,
                scale_min=low - spread,
                scale_max=high + spread,
                direction="up" if up else "down",
            ),
            rules=Rules(),
            budget=Budget(),
            choices=Choices(
                learning_rate_multiplier=Range(min=0.02, max=50.0),
                n_epochs=Range(min=1, max=50),
                base_models=tuple(dict.fromkeys(str(run.get("base_model", "model")) for run in series["runs"])),
            ),
            autopilot="off",
            dataset_id="ds",
            validation_version_id=None,
            created_at=START,
        ),
        version=1,
        as_of=START,
        catalogue=(),
        versions=tuple(
            DatasetVersion(
                id=f"dsv_{number}",
                number=number,
                sha256=name,
                n_examples=(json.loads(name) or {}).get("rows", 100 + number),
                method="sft",
                parent_id=None if number == 1 else f"dsv_{number - 1}",
                derived_by=("upload",) if number == 1 else ("fix_contradictions",),
                n_duplicates=0,
                n_contradictions=0,
                n_label_suspects=None,
                n_tokens=None,
                created_at=START,
            )
            for number, name in enumerate(versions, start=1)
        ),
        runs=runs,
        suites=(
            Suite(
                id="suite",
                role="selection",
                fingerprint="suite",
                n_items=50,
                dataset_version_id=None,
                clusters=None,
                binary=False,
                regrade_sd=None,
                created_at=START,
            ),
        ),
        evaluations=(evaluation(None, baseline), *scored),
        baseline_id="eval_base",
        deployments=(),
        declines=(),
        open_recommendation=None,
    )


def evaluation(run_id: str | None, value: float) -> Evaluation:
    """A score without items: histories do not keep them."""
    return Evaluation(
        id=f"eval_{run_id or 'base'}",
        suite_id="suite",
        fingerprint="suite",
        subject="base_model" if run_id is None else "run",
        base_model="model" if run_id is None else None,
        run_id=run_id,
        checkpoint_id=None,
        status="succeeded",
        origin="registered",
        combined=value,
        n_items=50,
        n_scored=50,
        scores=b"",
        dimensions=(),
        completion_tokens_mean=None,
        failure=None,
        created_at=START,
        finished_at=START,
    )


def said(state: LoopState, variable: Variable, upward: bool | None) -> str:
    """Whether the advice changes the variable in this direction: as the advice, as an alternative, or not at all."""
    answer = what_next(state)
    changes = [answer.change, *(each.change for each in answer.alternatives)]
    for place, change in enumerate(changes):
        if change is None or change.variable != variable:
            continue
        old, new = change.from_value, change.to_value
        numbers = isinstance(old, int | float) and isinstance(new, int | float)
        if upward is None or not numbers or (float(new or 0) > float(old or 0)) == upward:
            return "advised" if place == 0 else "alternative"
    return "not advised"


def main() -> None:
    """Print every transition and the agreement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER)
    n = agreed = inexpressible = 0
    for path in sorted(parser.parse_args().folder.glob("*.json")):
        series = json.loads(path.read_text())
        for transition in series["transitions"]:
            if transition.get("n_changed") != 1:
                continue
            ((name, (old, new)),) = transition["changed"].items()
            if name not in EXPRESSIBLE:
                inexpressible += 1
                continue
            upward = new > old if isinstance(old, int | float) and isinstance(new, int | float) else None
            improved = transition["outcome_vs_previous"] == "improved"
            verdict = said(state_before(series, transition), EXPRESSIBLE[name], upward)
            agrees = (verdict != "not advised") if improved else (verdict != "advised")
            n, agreed = n + 1, agreed + agrees
            outcome = transition["outcome_vs_previous"]
            print(f"{series['series_id']:<24}{name:<15}{outcome:<10}{verdict:<13}{'agrees' if agrees else 'DIFFERS'}")
    print(f"{agreed} of {n} single changes agree; {inexpressible} concern variables that a loop does not have")


if __name__ == "__main__":
    main()
