"""What is wrong with the training data that no call mends: a person must look, or write something."""

from whatnext_service.core.advice import Warning
from whatnext_service.core.first_run import first_config
from whatnext_service.core.incumbent import Standing
from whatnext_service.core.mending import by_hand, mend
from whatnext_service.core.scoreboard import Scoreboard
from whatnext_service.core.versions import find_version

SAID_ELSEWHERE = ("size",)
"""Checks that the plan itself answers."""


def data_warnings(board: Scoreboard, best: Standing | None) -> list[Warning]:
    """The faults of the version that the best run was trained on, else of the one that would be first."""
    config = first_config(board) if best is None else best.trial.run.config
    version = None if config is None else find_version(board.versions, config.dataset_version_id)
    if version is None:
        return []
    return [
        Warning(code=f"data_{fault.code}", severity=fault.verdict, message=f"{version.name}: {by_hand(fault)}")
        for fault in mend(version, board.versions).left_to_a_person
        if fault.code not in SAID_ELSEWHERE
    ]
