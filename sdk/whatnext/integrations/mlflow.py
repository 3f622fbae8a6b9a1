"""MLflow: a run's folder in the file store, or a CSV of its metric history (`key,value,step,...`)."""

import csv
import itertools
import json
from collections.abc import Iterator
from pathlib import Path


def read(path: Path) -> Iterator[bytes] | None:
    """The record of an MLflow run as JSON lines; None for anything else."""
    if (path / "metrics").is_dir():
        return _folder(path / "metrics")
    if path.name == "metrics" and (path.parent / "meta.yaml").is_file():
        return _folder(path)
    if path.is_file() and path.suffix == ".csv" and {"key", "value", "step"} <= _header(path):
        return _history(path)
    return None


def _folder(metrics: Path) -> Iterator[bytes]:
    """One file a metric, its path the name; each line is a timestamp, a value and a step."""
    for file in sorted(each for each in metrics.rglob("*") if each.is_file()):
        name = file.relative_to(metrics).as_posix()
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                _, value, *step = line.split()
                yield _point(name, value, step[0] if step else str(number))


def _history(path: Path) -> Iterator[bytes]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            yield _point(row["key"], row["value"], row["step"])


def _header(path: Path) -> set[str]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        return {name for row in itertools.islice(csv.reader(lines), 1) for name in row}


def _point(name: str, value: str, step: str) -> bytes:
    return json.dumps({"step": int(float(step)), name: float(value)}).encode() + b"\n"
