"""Checkpoint choice: the curve nominates two or three deployable checkpoints, the held-out evaluation chooses."""

import msgspec

from whatnext_service.core.runs import Checkpoint, Run

MAX_NOMINATED = 3
"""Evidence 2: curves nominate two or three; providers keep the last three."""
FEW = 4
"""Up to so many stored checkpoints all are scored: it halves the regret of scoring the last alone (evidence 8)."""


class Nominee(msgspec.Struct, kw_only=True, frozen=True):
    """A state of a run that deserves a held-out evaluation."""

    checkpoint: Checkpoint | None
    """Null for the final state of a run without recorded checkpoints."""
    reason: str


def n_nominated(n_checkpoints: int) -> int:
    """How many states of a run are nominated at most."""
    if n_checkpoints <= FEW:
        return n_checkpoints or 1
    return MAX_NOMINATED


def nominate(run: Run) -> tuple[Nominee, ...]:
    """States to evaluate, most promising first: the last, the curve's choice, and the one beside it; few are all.

    Validation loss is not the goal, so the state it likes least (the last) is scored too (evidence 2). Checkpoints
    that can no longer be deployed are left out (evidence 6.8).
    """
    stored = sorted((each for each in run.checkpoints if each.deployable), key=lambda each: each.step)
    if not stored:
        return () if run.checkpoints else (Nominee(checkpoint=None, reason="the final model"),)
    limit = n_nominated(len(stored))
    found = [Nominee(checkpoint=stored[-1], reason="the end of training")]
    best_step = None if run.reading is None else run.reading.best_step
    steps = [] if run.reading is None else list(run.reading.nominated_steps)
    if best_step is not None and best_step not in steps:
        steps.insert(0, best_step)
    for step in steps:
        at_or_before = [each for each in stored if each.step <= step]
        nearest = at_or_before[-1] if at_or_before else stored[0]
        _add(found, nearest, limit, "the checkpoint that validation loss favours")
    best = found[1].checkpoint if len(found) > 1 else stored[-1]
    assert best is not None
    for each in sorted(stored, key=lambda each: (abs(stored.index(each) - stored.index(best)), -each.step)):
        _add(found, each, limit, "a neighbour of the favoured checkpoint")
    return tuple(found)


def _add(found: list[Nominee], checkpoint: Checkpoint, limit: int, reason: str) -> None:
    known = {each.checkpoint.step for each in found if each.checkpoint is not None}
    if len(found) < limit and checkpoint.step not in known:
        found.append(Nominee(checkpoint=checkpoint, reason=reason))
