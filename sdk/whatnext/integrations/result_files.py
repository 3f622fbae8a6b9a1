"""Send a run's training record as another tool left it.

A file goes to the service as it is (CSV of any platform, `trainer_state.json`, a W&B export); folders of Transformers
and MLflow, and formats that only those tools know, are read first.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from whatnext import models
from whatnext._operation import Ref
from whatnext._upload import File
from whatnext.integrations import mlflow, trainer_state, wandb
from whatnext.sync import Client

READERS: tuple[Callable[[Path], Iterator[bytes] | None], ...] = (trainer_state.read, mlflow.read, wandb.read)
"""Each returns the record in chunks, or None for what is not its own."""


def put_result_file(client: Client, run: Ref, path: str | os.PathLike[str]) -> models.MetricsReceipt:
    """Replace an external run's curve by what is at a path: a file, a Trainer's output folder or an MLflow run.

    >>> from whatnext.integrations.result_files import put_result_file
    >>> receipt = put_result_file(client, "run_1", "trainer_state.json")
    """
    return client.runs.put_metrics(run, file=open_record(Path(path)))


def open_record(path: Path) -> File:
    """What to upload for a path; ValueError for a folder that holds no training record."""
    for read in READERS:
        chunks = read(path)
        if chunks is not None:
            return chunks
    if path.is_dir():
        raise ValueError(f"{path} holds no trainer_state.json and is no MLflow run")
    return path
