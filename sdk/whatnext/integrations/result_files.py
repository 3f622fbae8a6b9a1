"""Send a run's training record as another tool left it.

A file goes to the service as it is, which reads the CSV of any platform, `trainer_state.json`, JSON lines and the
exports of W&B (a chart's CSV, `run.history()` or `run.scan_history()` as CSV or JSON). Folders of Transformers, and
what MLflow keeps, are read first.
"""

import os
from pathlib import Path

from whatnext import models
from whatnext._operation import Ref
from whatnext._upload import File
from whatnext.integrations import mlflow, trainer_state
from whatnext.sync import Client


def put_result_file(
    client: Client, run: Ref, path: str | os.PathLike[str], *, of: str | None = None
) -> models.MetricsReceipt:
    """Replace an external run's curve by what is at a path: a file, a Trainer's output folder, an MLflow database.

    `of` is the id or name of the run that is meant, where MLflow has several at that path.

    >>> from whatnext.integrations.result_files import put_result_file
    >>> receipt = put_result_file(client, "run_1", "trainer_state.json")
    """
    return client.runs.put_metrics(run, file=open_record(Path(path), of))


def open_record(path: Path, of: str | None = None) -> File:
    """What to upload for a path; ValueError for a folder that holds no training record."""
    state = trainer_state.find(path)
    if state is not None:
        return state
    points = mlflow.read(path, of)
    if points is not None:
        return b"".join(points)
    if path.is_dir():
        raise ValueError(f"{path} holds no trainer_state.json and no run of MLflow")
    return path
