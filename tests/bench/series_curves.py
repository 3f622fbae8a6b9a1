"""What real experiment histories keep of curves, read by the service's own reader."""

from pathlib import Path

from tests.bench.series_settings import Record, config_of

from whatnext_service.core.curves import Curve, CurveReading, Series
from whatnext_service.core.read_curve import read_curve
from whatnext_service.core.result_files import parse_result_file

LOGS = {
    ("distill_safety", "baseline"): "distill_sft_baseline.json",
    ("distill_safety", "weighted"): "distill_sft_weighted.json",
    ("distill_safety", "with_refusals"): "distill_sft_with_refusals.json",
    ("distill_safety", "dpo"): "distill_dpo.json",
}
"""Logs of runs that are kept beside the series, in trainer_state."""


def reading_of(run: Record, series: Record, folder: Path) -> CurveReading | None:
    """The reading of the run's log or curve, or of its best and last validation loss; null without either."""
    log = LOGS.get((series["series_id"], run["run_id"]))
    config, dataset = config_of(run, series), run.get("dataset") or {}
    curve = parse_result_file((folder.parent / "trainer_state" / log).read_bytes()).curve if log else curve_of(run)
    if not curve.series:
        return None
    return read_curve(
        curve,
        method=config.method,
        n_examples=dataset.get("rows"),
        n_validation=dataset.get("validation_rows"),
        batch_size=config.batch_size,
        n_epochs=config.n_epochs,
    )


def curve_of(run: Record) -> Curve:
    """Losses after each epoch, or the two that a summary keeps."""
    scores = run.get("eval", {})
    epochs = [row for row in run.get("curve") or run.get("curve_eval") or [] if not per_epoch_scores(run)]
    valid = [(int(row[0]), float(row[-1])) for row in epochs]
    train = [(int(row[0]), float(row[1])) for row in epochs if len(row) == 3]
    last = run.get(
        "val_loss_final", scores.get("final_eval_loss", scores.get("final_val_loss", scores.get("val_loss")))
    )
    best = run.get("val_loss_best", scores.get("best_eval_loss", scores.get("best_val_loss")))
    if not valid:
        valid = [(step, float(loss)) for step, loss in ((1, best), (2, last)) if loss is not None]
    if not train and run.get("train_loss_final") is not None and valid:
        train = [(valid[-1][0], float(run["train_loss_final"]))]
    columns = (("full_valid_loss", valid), ("train_loss", train))
    return Curve(
        series=tuple(
            Series(name=name, steps=tuple(step for step, _ in points), values=tuple(value for _, value in points))
            for name, points in columns
            if points
        )
    )


def per_epoch_scores(run: Record) -> list[Record]:
    """The metrics after each epoch, where the curve is one of scores and not of losses: its columns are the eval's."""
    rows, names = run.get("curve_eval") or [], list(run.get("eval", {}))
    if not rows or len(rows[0]) != 1 + len(names) or rows[-1][1:] != [run["eval"][name] for name in names]:
        return []
    return [dict(zip(names, row[1:], strict=True)) for row in rows]
