"""MLflow: its database (`mlflow.db`), its older folder of files, or a CSV of metric histories (`key,value,step`)."""

import csv
import itertools
import json
import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

SQLITE = b"SQLite format 3\0"


def read(path: Path, of: str | None = None) -> Iterator[bytes] | None:
    """The record of an MLflow run as JSON lines; None for anything else.

    `of` is the run's id or name, where there are several; ValueError when none or more than one fits.
    """
    if path.is_dir():
        folders = _folders(path)
        return (
            _folder(folders[_chosen({each: _name(folder) for each, folder in folders.items()}, of)])
            if folders
            else None
        )
    if path.suffix == ".csv" and {"key", "value", "step"} <= _header(path):
        return _history(path, of)
    with path.open("rb") as file:
        return _database(path, of) if file.read(len(SQLITE)) == SQLITE else None


def _chosen(names: Mapping[str, str], of: str | None) -> str:
    """The id of the run that is meant."""
    fitting = [each for each, name in names.items() if of is None or of in (each, name)]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(f"{name or 'unnamed'} ({each})" for each, name in itertools.islice(names.items(), 10))
    said = f"{len(fitting)} runs fit" if of is None or fitting else f"there is no run {of}"
    raise ValueError(f"{said}: say which one is meant with `of`, its id or name: {listed}")


def _folders(path: Path) -> dict[str, Path]:
    """The folders of runs by id: this one, or those in it or in its experiments."""
    if path.name == "metrics" and (path.parent / "meta.yaml").is_file():
        path = path.parent
    found = [path] if (path / "metrics").is_dir() else [each.parent for each in path.glob("**/metrics")]
    return {each.name: each for each in sorted(found) if (each / "meta.yaml").is_file()}


def _name(folder: Path) -> str:
    named = folder / "tags" / "mlflow.runName"
    return named.read_text(encoding="utf-8").strip() if named.is_file() else ""


def _folder(folder: Path) -> Iterator[bytes]:
    """One file a metric, its path the name; each line is a timestamp, a value and a step."""
    metrics = folder / "metrics"
    for file in sorted(each for each in metrics.rglob("*") if each.is_file()):
        name = file.relative_to(metrics).as_posix()
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                _, value, *step = line.split()
                yield _point(name, float(value), step[0] if step else number)


def _history(path: Path, of: str | None) -> Iterator[bytes]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        ids = {row.get("run_id") or "" for row in csv.DictReader(lines)}
    wanted = _chosen(dict.fromkeys(sorted(ids), ""), of)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            if (row.get("run_id") or "") == wanted:
                yield _point(row["key"], float(row["value"]), row["step"])


def _header(path: Path) -> set[str]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        return {name for row in itertools.islice(csv.reader(lines), 1) for name in row}


def _database(path: Path, of: str | None) -> Iterator[bytes]:
    """Metrics in the order in which they were logged; infinities are stored as the largest numbers, NaN as a flag."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        try:
            names = dict(database.execute("select run_uuid, name from runs where lifecycle_stage = 'active'"))
        except sqlite3.Error as error:
            raise ValueError(f"{path} is no database of MLflow: {error}") from None
        asked = "select key, value, step, is_nan from metrics where run_uuid = ? order by timestamp, step"
        for key, value, step, is_nan in database.execute(asked, (_chosen(names, of),)):
            finite = abs(value) < sys.float_info.max
            yield _point(key, math.nan if is_nan else value if finite else math.copysign(math.inf, value), step)


def _point(name: str, value: float, step: str | int) -> bytes:
    return json.dumps({"step": int(float(step)), name: value}).encode() + b"\n"
