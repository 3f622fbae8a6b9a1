"""Gains: how much better one evaluation is than another, and which model of a loop scores best."""

import msgspec

from whatnext_service.core.compare import COUNTED_IN, Comparison, Verdict, compare
from whatnext_service.core.evaluations import Evaluation, Suite, pack_scores
from whatnext_service.core.loops import Metric
from whatnext_service.core.noise_floor import FloorSource
from whatnext_service.core.scoreboard import Arm, Scoreboard, Trial, noise_between


class Gain(msgspec.Struct, kw_only=True, frozen=True):
    """How much better a candidate is than a reference, in points of the metric; positive is better."""

    points: float
    low: float | None
    """Lower end of the 95 % interval; null without shared per-item scores."""
    high: float | None
    standard_error: float | None
    verdict: Verdict
    visible: float | None
    """Smallest true difference that a comparison of this precision shows."""
    n_pairs: int
    floor: FloorSource = "items"
    """What the interval counts beside the items' spread."""

    @property
    def statement(self) -> str:
        """Points with their interval, for people."""
        if self.low is None or self.high is None:
            return f"{self.points:+.2f} (no interval: no shared per-item scores)"
        interval = f"95 % interval {self.low:+.2f} to {self.high:+.2f}{COUNTED_IN[self.floor]}"
        return f"{self.points:+.2f} ({interval}, {self.n_pairs} items)"


def gain(board: Scoreboard, candidate: Evaluation, reference: Evaluation) -> Gain:
    """Compare per item where both kept their items, else by the combined scores, without an interval (method 4)."""
    metric = board.state.loop.metric
    points = round((candidate.combined or 0.0) - (reference.combined or 0.0), 9)
    same_instrument = candidate.fingerprint == reference.fingerprint
    if not candidate.scores or not reference.scores:
        verdict: Verdict = "inconclusive" if same_instrument else "not_comparable"
        return _oriented(None, points, verdict, metric)
    comparison = compare(
        candidate.scores,
        reference.scores,
        scale_min=metric.scale_min,
        scale_max=metric.scale_max,
        direction=metric.direction,
        clusters=clusters_of(candidate, board.suite),
        same_instrument=same_instrument,
        noise=noise_between(board, candidate, reference),
    )
    return _oriented(comparison, points, comparison.verdict, metric)


def gain_over_target(candidate: Evaluation, target: float, metric: Metric, suite: Suite) -> Gain:
    """How far the mean score is beyond a fixed target; missing items count against it as in any comparison."""
    points = round((candidate.combined or 0.0) - target, 9)
    if not candidate.scores:
        return _oriented(None, points, "inconclusive", metric)
    comparison = compare(
        candidate.scores,
        pack_scores([target] * (len(candidate.scores) // 8)),
        scale_min=metric.scale_min,
        scale_max=metric.scale_max,
        direction=metric.direction,
        clusters=clusters_of(candidate, suite),
    )
    return _oriented(comparison, points, comparison.verdict, metric)


def best_arm(*trials: Trial) -> Arm | None:
    """The best scored state of the runs; the earlier one wins a tie."""
    best: Arm | None = None
    for trial in trials:
        arm = trial.best
        if arm is not None and (best is None or arm.utility > best.utility):
            best = arm
    return best


def final_arm(trial: Trial) -> Arm | None:
    """The state at the end of training, if it was scored."""
    return next((arm for arm in trial.arms if arm.checkpoint is None or arm.checkpoint.final), None)


def earlier_arm(trial: Trial) -> Arm | None:
    """The best scored checkpoint before the end of training."""
    earlier = (arm for arm in trial.arms if arm.checkpoint is not None and not arm.checkpoint.final)
    return max(earlier, key=lambda arm: arm.utility, default=None)


def arm_name(arm: Arm) -> str:
    """`R3`, or `R3 at step 60`."""
    if arm.checkpoint is None or arm.checkpoint.final:
        return arm.run.name
    return f"{arm.run.name} at step {arm.checkpoint.step}"


def clusters_of(evaluation: Evaluation, suite: Suite | None) -> tuple[int, ...] | None:
    """The numbers of the items' sources; null where the suite has none, or others than the evaluation's items."""
    clusters = None if suite is None else suite.clusters
    return clusters if clusters is not None and len(clusters) * 8 == len(evaluation.scores) else None


def _oriented(comparison: Comparison | None, points: float, verdict: Verdict, metric: Metric) -> Gain:
    sign = 1.0 if metric.direction == "up" else -1.0
    if comparison is None or comparison.difference is None or comparison.low is None or comparison.high is None:
        return Gain(
            points=sign * points, low=None, high=None, standard_error=None, verdict=verdict, visible=None, n_pairs=0
        )
    return Gain(
        points=sign * comparison.difference,
        low=comparison.low if sign > 0 else -comparison.high,
        high=comparison.high if sign > 0 else -comparison.low,
        standard_error=comparison.standard_error,
        verdict=comparison.verdict,
        visible=comparison.minimum_detectable_effect,
        n_pairs=comparison.n_pairs,
        floor=comparison.noise_floor,
    )
