"""Reinforcement fine-tuning: rewards, their gap, tokens and grader errors (method 3, evidence 2)."""

import math

import msgspec
import numpy as np

from whatnext_service.core.curve_noise import noise_sd, quotient_or
from whatnext_service.core.curve_view import CurveView, Points
from whatnext_service.core.curves import Finding, OverfitVerdict, Severity, Shape
from whatnext_service.core.loss_shape import Verdict
from whatnext_service.core.thresholds import CurveThresholds

FEWEST_REWARDS = 3


class RewardReading(msgspec.Struct, kw_only=True, frozen=True):
    """What the rewards show."""

    verdict: Verdict
    shape: Shape
    findings: list[Finding]
    best_step: int | None
    """Step of the highest validation reward: a candidate, never the choice (method 3)."""
    candidates: tuple[int, ...]
    """Peak, final and middle evaluated step (method 3)."""


class _Reward(msgspec.Struct, kw_only=True, frozen=True):
    """A reward smoothed over a fifth of its values: single steps see different batches (evidence 2)."""

    first: float
    last: float
    lowest: float
    highest: float
    doubt: float

    def moved(self, thresholds: CurveThresholds) -> bool:
        """Whether it changed by more than 0.05 and than its noise."""
        return abs(self.last - self.first) > max(thresholds.reward_flat, self.doubt)


def read_rewards(view: CurveView, thresholds: CurveThresholds, *, early: bool) -> RewardReading:
    """The reading of an RFT run; early in training (`early`) errors are reported, patterns are not."""
    train = view.points("train_mean_reward").finite()
    valid = view.points("full_valid_mean_reward").finite()
    findings = [
        finding
        for finding in (*_errors(view), _token_growth(view.points("completion_tokens_mean").finite(), thresholds))
        if finding is not None
    ]
    gap, shape = _gap(train, valid, thresholds), _shape(train, valid)
    verdict = _gap_verdict(gap, thresholds)
    if shape == "too_short":
        findings.append(_too_short(max(train.n, valid.n)))
    if shape != "too_short" and not early:
        pattern = _pattern(train if train.n else valid, thresholds)
        findings += [finding for finding in (_gap_finding(gap, thresholds), pattern) if finding is not None]
        if verdict.verdict == "severe":
            shape = "severe_overfitting"
        elif verdict.verdict == "mild":
            shape = "mild_overfitting"
        elif pattern is not None and pattern.code != "reward_fell":
            shape = "plateau"
    evaluated = valid if valid.n else train
    return RewardReading(
        verdict=verdict if shape != "too_short" and not early else Verdict(verdict="cannot_judge", basis="too early"),
        shape=shape,
        findings=findings,
        best_step=int(valid.steps[int(np.argmax(valid.values))]) if valid.n else None,
        candidates=_candidates(evaluated),
    )


def _shape(train: Points, valid: Points) -> Shape:
    if max(train.n, valid.n) < FEWEST_REWARDS:
        return "too_short"
    return "healthy" if valid.n else "no_validation"


def _too_short(n_rewards: int) -> Finding:
    """Fewer than three rewards show no pattern (evidence 2)."""
    return Finding(
        code="too_short",
        severity="caution",
        statement=f"{n_rewards} rewards are too few to read a curve from.",
        value=float(n_rewards),
        threshold=float(FEWEST_REWARDS),
        would_change="More logged rewards.",
        source="evidence 2",
    )


def _smoothed(points: Points, thresholds: CurveThresholds) -> _Reward | None:
    if points.n < FEWEST_REWARDS:
        return None
    window = max(1, points.n // 5)
    means = [float(block.mean()) for block in np.array_split(points.values, points.n // window)]
    noise = noise_sd(points.values) or 0.0
    return _Reward(
        first=means[0],
        last=means[-1],
        lowest=min(means),
        highest=max(means),
        doubt=thresholds.noise_factor * noise * math.sqrt(2.0 / window),
    )


def _gap(train: Points, valid: Points, thresholds: CurveThresholds) -> float | None:
    """Train minus validation reward, signed, over the last third of the evaluations; 0 within its own noise."""
    gaps = []
    since = -1
    for step, reward in zip(valid.steps.tolist(), valid.values.tolist(), strict=True):
        around = train.values[(train.steps > since) & (train.steps <= step)]
        if around.size:
            gaps.append(float(around.mean()) - reward)
        since = step
    if len(gaps) < 2:
        return None
    last = np.array(gaps[-max(1, len(gaps) // 3) :])
    gap = float(last.mean())
    doubt = thresholds.noise_factor * float(last.std(ddof=1)) / math.sqrt(last.size) if last.size >= 3 else 0.0
    return gap if abs(gap) > doubt else 0.0


def _gap_verdict(gap: float | None, thresholds: CurveThresholds) -> Verdict:
    """Training reward above validation by up to 0.05 is healthy, to 0.10 to be watched, beyond likely hacking."""
    if gap is None:
        return Verdict(verdict="cannot_judge", basis="no two validation rewards to compare with training")
    verdict: OverfitVerdict = "healthy"
    if gap > thresholds.gap_watch:
        verdict = "severe" if gap > thresholds.gap_hacking else "mild"
    return Verdict(verdict=verdict, basis=f"training minus validation reward, smoothed, is {gap:+.3f}")


def _gap_finding(gap: float | None, thresholds: CurveThresholds) -> Finding | None:
    if gap is None or gap <= thresholds.gap_watch:
        return None
    hacking = gap > thresholds.gap_hacking
    return Finding(
        code="reward_hacking" if hacking else "reward_gap",
        severity="critical" if hacking else "caution",
        statement=f"Training reward is {gap:.3f} above validation: "
        + ("likely reward hacking, stop." if hacking else "watch it."),
        value=gap,
        threshold=thresholds.gap_hacking if hacking else thresholds.gap_watch,
        would_change="A validation reward that keeps up with training.",
        source="method 3",
    )


def _pattern(points: Points, thresholds: CurveThresholds) -> Finding | None:
    """Reward always negative, flat near 0, high and flat, flat, or fallen; a dip that recovers is none (hazards i)."""
    reward = _smoothed(points, thresholds)
    if reward is None:
        return None
    level, changed = reward.last, reward.moved(thresholds)
    if reward.highest < 0.0:
        return _reward_finding("reward_always_negative", "critical", reward, 0.0, "the pass threshold is too high")
    if not changed and abs(level) < thresholds.reward_near_zero:
        threshold = thresholds.reward_near_zero
        return _reward_finding("reward_near_zero", "critical", reward, threshold, "the grader is broken or too strict")
    if not changed and reward.lowest >= thresholds.reward_high:
        return _reward_finding(
            "reward_high_and_flat", "caution", reward, thresholds.reward_high, "the grader is lenient"
        )
    threshold = max(thresholds.reward_flat, reward.doubt)
    if not changed:
        return _reward_finding("reward_flat", "info", reward, threshold, "nothing changes beyond its noise")
    if level < reward.first:
        return _reward_finding("reward_fell", "caution", reward, threshold, "training made it worse")
    return None


def _reward_finding(code: str, severity: Severity, reward: _Reward, threshold: float, meaning: str) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        statement=f"Smoothed reward went from {reward.first:.3f} to {reward.last:.3f}: {meaning}.",
        value=reward.last,
        threshold=threshold,
        would_change="A reward that rises from a level between 0.05 and 0.9.",
        source="method 3",
    )


def _token_growth(tokens: Points, thresholds: CurveThresholds) -> Finding | None:
    """Completion tokens x2 are normal, x3 or more suggest that the grader pays for verbosity (method 3)."""
    if tokens.n < 3:
        return None
    first, last = tokens.ends(thresholds)
    growth = quotient_or(last, first, 1.0)
    if growth < thresholds.tokens_normal:
        return None
    verbose = growth >= thresholds.tokens_verbose
    return Finding(
        code="tokens_verbose" if verbose else "tokens_grew",
        severity="caution" if verbose else "info",
        statement=f"Completion tokens grew {growth:.1f} times, from {first:.0f} to {last:.0f}.",
        value=growth,
        threshold=thresholds.tokens_verbose if verbose else thresholds.tokens_normal,
        would_change="A grader that does not pay for length.",
        source="method 3",
    )


def _errors(view: CurveView) -> list[Finding | None]:
    """Other errors of the grader must be 0; unparsed samples and unresponsive rewards are worth a look (method 3)."""
    return [
        _error(view, "train_other_error_count", "grader_errors", "grader calls failed: their count must be 0", True),
        _error(view, "train_sample_parse_error_count", "parse_errors", "samples could not be parsed", False),
        _error(
            view, "mean_unresponsive_rewards", "unresponsive_rewards", "(mean share) of rewards were missing", False
        ),
    ]


def _error(view: CurveView, column: str, code: str, words: str, critical: bool) -> Finding | None:
    values = view.points(column).finite().values
    if values.size == 0 or float(values.max()) <= 0.0:
        return None
    amount = float(values.sum()) if column.endswith("_count") else float(values.mean())
    return Finding(
        code=code,
        severity="critical" if critical else "caution",
        statement=f"{amount:g} {words}.",
        value=amount,
        threshold=0.0,
        would_change="A run without them: test the grader on samples of the base model.",
        source="method 3",
    )


def _candidates(evaluated: Points) -> tuple[int, ...]:
    """Peak, final and middle: never the peak of the validation reward alone (method 3)."""
    if evaluated.n == 0:
        return ()
    peak = int(evaluated.steps[int(np.argmax(evaluated.values))])
    return tuple(dict.fromkeys((peak, int(evaluated.steps[-1]), int(evaluated.steps[(evaluated.n - 1) // 2]))))
