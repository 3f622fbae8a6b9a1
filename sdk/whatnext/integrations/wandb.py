"""Weights & Biases: the JSON lines of a run's history, whose step is `_step`. Its CSV exports need no reader."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read(path: Path) -> Iterator[bytes] | None:
    """A W&B history (`run.scan_history()` or `wandb-history.jsonl`) as JSON lines; None for anything else."""
    if not path.is_file() or path.suffix not in (".jsonl", ".json"):
        return None
    with path.open(encoding="utf-8") as lines:
        try:
            first = json.loads(lines.readline())
        except ValueError:
            return None
    return _history(path) if isinstance(first, dict) and "_step" in first else None


def _history(path: Path) -> Iterator[bytes]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                row: dict[str, Any] = json.loads(line)
                kept = {name: value for name, value in row.items() if _is_metric(name, value)}
                yield json.dumps({"step": row["_step"], **kept}).encode() + b"\n"


def _is_metric(name: str, value: object) -> bool:
    return not name.startswith("_") and isinstance(value, int | float) and not isinstance(value, bool)
