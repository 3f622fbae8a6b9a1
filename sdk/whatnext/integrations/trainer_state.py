"""A Hugging Face Trainer's output folder: its record is `trainer_state.json`, of several the newest."""

import re
from pathlib import Path

NAME = "trainer_state.json"


def find(path: Path) -> Path | None:
    """The file itself, the folder's own record, or that of its last checkpoint; None where there is none."""
    if path.name == NAME and path.is_file():
        return path
    own = path / NAME
    if own.is_file():
        return own
    checkpoints = [
        (int(step[1]), each)
        for each in path.glob(f"checkpoint-*/{NAME}")
        if (step := re.fullmatch(r"checkpoint-(\d+)", each.parent.name))
    ]
    return max(checkpoints)[1] if checkpoints else None
