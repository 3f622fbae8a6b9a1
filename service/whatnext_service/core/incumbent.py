"""Which model is best so far, by estimates that lucky scores cannot inflate."""

import msgspec

from whatnext_service.core.compare import Comparison, compare, paired_difference
from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.runs import RunConfig
from whatnext_service.core.scoreboard import Arm, Scoreboard, Trial, configuration

SHRINKAGE = 0.5
"""Weight of the run's own mean in the estimate of one of its checkpoints (evidence 1: the best of several equal
candidates looks better than it is). A half is the ratio of noise to noise plus spread where the two are equal."""


class Standing(msgspec.Struct, kw_only=True, frozen=True):
    """A run's best arm and what it is believed to be worth."""

    trial: Trial
    arm: Arm
    estimate: float
    """Shrunken utility: the arm's score pulled half-way to the mean of its run, averaged over repeats of the
    configuration."""
    n_repeats: int
    """Runs of this configuration with a score, this one included."""


def standings(board: Scoreboard) -> tuple[Standing, ...]:
    """One standing for every run with a scored state that can still be deployed, in order of number."""
    best: list[tuple[Trial, Arm, float]] = []
    groups: dict[RunConfig, list[float]] = {}
    for trial in board.trials:
        arms = trial.arms
        if not arms:
            continue
        mean = sum(arm.utility for arm in arms) / len(arms)
        top: Arm | None = None
        for arm in arms:
            deployable = arm.checkpoint is None or arm.checkpoint.deployable
            if deployable and (top is None or arm.utility > top.utility):
                top = arm
        if top is None:
            continue
        estimate = top.utility + SHRINKAGE * (mean - top.utility)
        best.append((trial, top, estimate))
        groups.setdefault(configuration(trial.run.config), []).append(estimate)
    found: list[Standing] = []
    for trial, top, _ in best:
        group = groups[configuration(trial.run.config)]
        found.append(Standing(trial=trial, arm=top, estimate=sum(group) / len(group), n_repeats=len(group)))
    return tuple(found)


def incumbent(found: tuple[Standing, ...]) -> Standing | None:
    """The standing with the highest estimate; among equal ones the earliest (simpler wins a tie, evidence 7)."""
    return max(found, key=lambda each: (each.estimate, each.arm.utility), default=None)


def paired_gain(candidate: Evaluation, reference: Evaluation, sign: float) -> tuple[float, float] | None:
    """Mean gain of candidate over reference and its standard error; null when they share no items."""
    pair = paired_difference(candidate.scores, reference.scores)
    if pair.difference is None or pair.standard_error is None:
        return None
    return sign * pair.difference, pair.standard_error


def against_baseline(board: Scoreboard, arm: Arm, n_comparisons: int) -> Comparison | None:
    """The arm against the baseline, its interval corrected for every candidate it was chosen from."""
    if board.baseline is None or board.suite is None:
        return None
    metric = board.state.loop.metric
    return compare(
        arm.evaluation.scores,
        board.baseline.scores,
        scale_min=metric.scale_min,
        scale_max=metric.scale_max,
        direction=metric.direction,
        clusters=board.suite.clusters,
        n_comparisons=max(1, n_comparisons),
        same_instrument=arm.evaluation.fingerprint == board.baseline.fingerprint,
    )


def leader(board: Scoreboard) -> Standing | None:
    """What the loop holds best: the incumbent, or null while the untuned model is believed to be as good."""
    best = incumbent(standings(board))
    if best is None or board.baseline is None or board.baseline.combined is None:
        return best
    return best if best.estimate > board.sign * board.baseline.combined else None
