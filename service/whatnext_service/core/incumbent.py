"""Which model is best so far, by estimates that lucky scores cannot inflate."""

import math
from operator import attrgetter

import msgspec
import numpy as np

from whatnext_service.core.compare import Comparison, compare, paired_difference
from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.noise_floor import noise_share
from whatnext_service.core.runs import RunConfig
from whatnext_service.core.scoreboard import Arm, Scoreboard, Trial, configuration, noise_between

MAX_RUN_WEIGHT = 1 / 2
"""How far a checkpoint's score is pulled to the mean of its run at most: the best of several equal candidates looks
better than it is (evidence 1). It is pulled by the share of the spread within runs that the items' noise explains."""
MAX_WEIGHED = 8
"""Runs that this share is measured on: the best ones."""
CURVE_WEIGHT = 2 / 3
"""How far it is then pulled to what validation loss and accuracy predict, by the loop's own regressions: within one
validation file the loss orders 87 % of pairs rightly, the score of 200 items 91 % (evidence 8)."""
MAX_REFINED = 32
"""Runs that the regression rests on: the best ones."""


class Standing(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A run's best arm and what it is believed to be worth."""

    trial: Trial
    arm: Arm
    estimate: float
    """Shrunken utility, comparable between runs; repeats of a configuration share their mean."""
    level: float
    """The utility shrunk to its run alone, comparable with the untuned model's score."""
    n_repeats: int
    """Runs of this configuration with a score, this one included."""


class _Candidate(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    arm: Arm
    level: float
    comparable: tuple[str, str | None]
    """Base model and validation file: readings of the curve compare within them."""
    log_loss: float | None
    """Logarithm of the validation loss at the arm's step; null when unknown or not positive."""
    accuracy: float | None
    """Validation accuracy at the arm's step; null when unknown."""


def standings(board: Scoreboard) -> tuple[Standing, ...]:
    """One standing for every run with a scored state that can still be deployed, in order of number.

    A checkpoint's score is pulled to the mean of its run by as much of the spread there as is noise, half-way at most;
    then, for the best 32 runs, two thirds of the way to what their validation loss and accuracy predict, by
    regressions within one base model and one validation file at a time.
    """
    scored = [(trial, trial.best_kept) for trial in board.trials if trial.best_kept is not None]
    tops = np.array([top.utility for _, top in scored])
    leading: list[int] = np.argsort(-tops, kind="stable")[:MAX_REFINED].tolist()
    weight = _run_weight([scored[place][0] for place in leading[:MAX_WEIGHED]])
    found: list[Standing] = []
    for trial, top in scored:
        level = top.utility + weight * (trial.mean - top.utility)
        found.append(Standing(trial=trial, arm=top, estimate=level, level=level, n_repeats=1))
    refined = _refined([found[place] for place in leading], weight)
    configs = [configuration(each.trial.run.config) for each in refined]
    groups: dict[RunConfig, list[float]] = {}
    for config, each in zip(configs, refined, strict=True):
        groups.setdefault(config, []).append(each.estimate)
    for place, config, each in zip(leading, configs, refined, strict=True):
        group = groups[config]
        found[place] = msgspec.structs.replace(each, estimate=sum(group) / len(group), n_repeats=len(group))
    return tuple(found)


def _run_weight(trials: list[Trial]) -> float:
    groups = tuple(tuple(arm.evaluation.scores for arm in trial.arms) for trial in trials)
    share = noise_share(groups)
    return MAX_RUN_WEIGHT if share is None else min(MAX_RUN_WEIGHT, share)


def _refined(leading: list[Standing], weight: float) -> list[Standing]:
    """The leading standings by what their curves predict as well."""
    candidates = [(each.trial, _candidates(each.trial, weight)) for each in leading]
    predicted = _predicted([each for _, members in candidates for each in members])
    found: list[Standing] = []
    for trial, members in candidates:
        top, value = members[0], -math.inf
        for each in members:
            curve = predicted.get(each.arm.evaluation.id)
            estimate = each.level if curve is None else each.level + CURVE_WEIGHT * (curve - each.level)
            if estimate > value:
                top, value = each, estimate
        found.append(Standing(trial=trial, arm=top.arm, estimate=value, level=top.level, n_repeats=1))
    return found


def _candidates(trial: Trial, weight: float) -> list[_Candidate]:
    run = trial.run
    comparable = run.config.base_model, None if run.effective is None else run.effective.validation_sha256
    return [
        _Candidate(
            arm=arm,
            level=arm.utility + weight * (trial.mean - arm.utility),
            comparable=comparable,
            log_loss=_log_loss(arm),
            accuracy=_accuracy(arm),
        )
        for arm in trial.arms
        if arm.checkpoint is None or arm.checkpoint.deployable
    ]


def incumbent(found: tuple[Standing, ...]) -> Standing | None:
    """The standing of the highest estimate; the earlier run, being nearer to the start, wins a tie (evidence 7).

    The estimates are shrunken, so a margin on top of them only holds on to the worse run: on redrawn surfaces a third
    of a paired standard error lost 0.01 to 0.02.
    """
    return max(found, key=attrgetter("estimate"), default=None)


def leader(board: Scoreboard) -> Standing | None:
    """What the loop holds best: the incumbent, or null while it is worse than the untuned model.

    Worse is more than one paired standard error below it: less is a tie (evidence 8), and what was trained wins it,
    because training gained on every real surface. Shipping asks for more (`core/shipping.py`).
    """
    best = incumbent(standings(board))
    if best is None or board.baseline is None or board.baseline.combined is None:
        return best
    gain = paired_gain(best.arm.evaluation, board.baseline, board.sign)
    tie = 0.0 if gain is None else gain[1]
    return best if best.level - board.sign * board.baseline.combined > -tie else None


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
        noise=noise_between(board, arm.evaluation, board.baseline),
    )


def _predicted(candidates: list[_Candidate]) -> dict[str, float]:
    """What the curve predicts for each evaluation: the mean of what its validation loss and accuracy say."""
    by_loss = _regressed([(each, each.log_loss) for each in candidates], -1.0)
    by_accuracy = _regressed([(each, each.accuracy) for each in candidates], 1.0)
    both = {name: (by_loss[name] + by_accuracy[name]) / 2 for name in by_loss.keys() & by_accuracy.keys()}
    return by_loss | by_accuracy | both


def _regressed(read: list[tuple[_Candidate, float | None]], sign: float) -> dict[str, float]:
    """Scores regressed on one reading of the curve: group mean plus one common slope, zero if it has the wrong sign."""
    groups: dict[tuple[str, str | None], list[tuple[_Candidate, float]]] = {}
    for each, value in read:
        if value is not None:
            groups.setdefault(each.comparable, []).append((each, value))
    centred: list[tuple[str, float, float]] = []
    squares = products = 0.0
    for members in groups.values():
        mean_value = sum([value for _, value in members]) / len(members)
        mean_level = sum([each.level for each, _ in members]) / len(members)
        for each, value in members:
            off = value - mean_value
            squares += off * off
            products += off * (each.level - mean_level)
            centred.append((each.arm.evaluation.id, off, mean_level))
    slope = products / squares if squares > 1e-12 else 0.0
    if slope * sign < 0.0:
        slope = 0.0
    return {name: mean + slope * off for name, off, mean in centred}


def _accuracy(arm: Arm) -> float | None:
    accuracy = None if arm.checkpoint is None else arm.checkpoint.full_valid_mean_token_accuracy
    return accuracy if accuracy is not None and math.isfinite(accuracy) else None


def _log_loss(arm: Arm) -> float | None:
    checkpoint = arm.checkpoint
    if checkpoint is None:
        reading = arm.run.reading
        loss = None if reading is None else reading.last_valid_loss
    else:
        loss = checkpoint.full_valid_loss
    return math.log(loss) if loss is not None and 0.0 < loss < math.inf else None
