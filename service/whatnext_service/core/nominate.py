"""Checkpoints that deserve a held-out evaluation: curves nominate, the evaluation chooses (evidence 2)."""

from collections.abc import Sequence

from whatnext_service.core.curve_view import Points
from whatnext_service.core.curves import Finding

MOST = 3


def nominated(
    evaluated: Points, best_step: int | None, last_step: int, *, risen: bool, deployable: tuple[int, ...] | None
) -> tuple[int, ...]:
    """Two or three steps: the best, the last, and the evaluated one before the best, or after it when it is the first.

    The best comes first only where the loss has risen by 5 %; below that the last is the better bet (evidence 8). With
    `deployable` steps given, each becomes the nearest one not after it, or the earliest one (method 3).
    """
    if last_step == 0:
        return ()
    if best_step is not None and evaluated.n and best_step == evaluated.steps[-1]:
        best_step = last_step
    wanted = [last_step]
    if best_step is not None and best_step != last_step:
        wanted = [best_step, last_step] if risen else [last_step, best_step]
    if best_step is not None:
        before = [int(step) for step in evaluated.steps if step < best_step]
        after = [int(step) for step in evaluated.steps if best_step < step < last_step]
        wanted += before[-1:] or after[:1]
    return first_of_each(wanted, deployable)


def first_of_each(wanted: Sequence[int], deployable: tuple[int, ...] | None) -> tuple[int, ...]:
    """The wanted steps as steps that can be deployed, each once, in order; filled up with the latest that are left."""
    if deployable is None:
        return tuple(dict.fromkeys(wanted))[:MOST]
    kept = sorted(set(deployable))
    if not kept:
        return ()
    mapped = [max((step for step in kept if step <= want), default=kept[0]) for want in wanted]
    return tuple(dict.fromkeys([*mapped, *reversed(kept)]))[:MOST]


def best_step_gone(best_step: int | None, deployable: tuple[int, ...] | None) -> Finding | None:
    """Providers keep only the last checkpoints: the best step may no longer be deployable (hazards j)."""
    if best_step is None or deployable is None or any(step <= best_step for step in deployable):
        return None
    return Finding(
        code="best_step_gone",
        severity="caution",
        statement=f"No checkpoint at or before the best step, {best_step}, can still be deployed.",
        value=float(best_step),
        threshold=float(min(deployable)) if deployable else None,
        would_change="A run of fewer epochs, whose last checkpoints lie around the best step.",
        source="hazards j",
    )
