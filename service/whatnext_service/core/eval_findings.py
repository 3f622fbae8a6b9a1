"""What an evaluation shows beside its score: trade-offs, noise, tokens, broken output (method, sections 4 and 5)."""

import math
from array import array

from whatnext_service.core.advice import Severity
from whatnext_service.core.evaluations import Dimension, Evaluation, Suite
from whatnext_service.core.findings import DiagnosisFinding
from whatnext_service.core.gains import Gain
from whatnext_service.core.loops import Metric

TRADE_OFF_SHARE = 0.2
"""Share of the scale between two dimensions that counts as high against low: the method gives no figure."""
SLICE_MIN_ITEMS = 5
SLICE_SHARE = 0.2
"""Share of the scale by which a source's mean must lie below the whole to be a slice that fails."""
JUDGE_NOISE_SHARE = 0.5
"""Share of the items' variance that re-grading alone explains, from which the judge is unreliable (evidence 1)."""
FEWER_TOKENS = 0.9


def evaluation_findings(
    evaluation: Evaluation, reference: Evaluation | None, over: Gain | None, suite: Suite, metric: Metric
) -> tuple[DiagnosisFinding, ...]:
    """Findings of one evaluation, and of it against the reference it was compared with."""
    scores = array("d")
    scores.frombytes(evaluation.scores)
    found = [
        *_broken(evaluation, scores, metric),
        *_missing(evaluation),
        *_trade_offs(evaluation.dimensions, metric),
        *_judge(scores, suite),
        *_slices(scores, suite, metric),
    ]
    if reference is not None and over is not None:
        found += [
            *_noise(over),
            *_moved_dimensions(evaluation, reference, metric),
            *_tokens(evaluation, reference, over),
        ]
    return tuple(found)


def _broken(evaluation: Evaluation, scores: "array[float]", metric: Metric) -> list[DiagnosisFinding]:
    """Empty or garbage output is a deployment or client fault, not a training fault (method 5)."""
    worst = metric.scale_min if metric.direction == "up" else metric.scale_max
    scored = [score for score in scores if not math.isnan(score)]
    silent = evaluation.completion_tokens_mean is not None and evaluation.completion_tokens_mean < 1.0
    if not silent and not (len(scored) >= 10 and all(score == worst for score in scored)):
        return []
    told = "the answers are empty" if silent else f"every one of {len(scored)} answers scored {worst:g}"
    return [
        _finding("broken_output", "critical", told, "check the deployment and the client first", None, None, "method 5")
    ]


def _missing(evaluation: Evaluation) -> list[DiagnosisFinding]:
    missing = evaluation.n_items - evaluation.n_scored
    if missing <= 0:
        return []
    told = f"{missing} of {evaluation.n_items} items have no score"
    return [_finding("missing_items", "caution", told, "grade the missing items", missing, 0, "evidence 1")]


def _trade_offs(dimensions: tuple[Dimension, ...], metric: Metric) -> list[DiagnosisFinding]:
    """One dimension high and another low, such as correct but verbose: a style mismatch in the data (method 5)."""
    known = [(one.mean, one.name) for one in dimensions if one.mean is not None and one.weight > 0]
    if len(known) < 2:
        return []
    (low, lower), (high, higher) = min(known), max(known)
    gap, least = high - low, TRADE_OFF_SHARE * (metric.scale_max - metric.scale_min)
    if gap < least:
        return []
    told = f"{higher} is {high:.2f} and {lower} {low:.2f}"
    if {higher, lower} == {"correctness", "conciseness"}:
        told = f"{'correct but verbose' if higher == 'correctness' else 'concise but wrong'}: {told}"
    fix = f"make the examples' answers show the wanted {lower}; then judge again"
    return [_finding("dimension_trade_off", "caution", told, fix, gap, least, "method 5")]


def _moved_dimensions(evaluation: Evaluation, reference: Evaluation, metric: Metric) -> list[DiagnosisFinding]:
    """One dimension rose while another fell against the reference, each by 2 % of the scale or more."""
    before = {one.name: one.mean for one in reference.dimensions}
    sign = 1.0 if metric.direction == "up" else -1.0
    least = 0.1 * TRADE_OFF_SHARE * (metric.scale_max - metric.scale_min)
    moved = [
        (sign * (one.mean - mean), one.name)
        for one in evaluation.dimensions
        if one.mean is not None and (mean := before.get(one.name)) is not None
    ]
    if len(moved) < 2:
        return []
    (fall, worse), (rise, better) = min(moved), max(moved)
    if rise < least or fall > -least:
        return []
    told = f"{better} moved by {rise:+.2f} and {worse} by {fall:+.2f} against the reference"
    fix = f"look at examples that buy {better} with {worse}"
    return [_finding("dimensions_traded", "caution", told, fix, fall, -least, "method 5")]


def _judge(scores: "array[float]", suite: Suite) -> list[DiagnosisFinding]:
    scored = [score for score in scores if not math.isnan(score)]
    if suite.regrade_sd is None or len(scored) < 2:
        return []
    mean = sum(scored) / len(scored)
    variance = sum((score - mean) ** 2 for score in scored) / (len(scored) - 1)
    if variance <= 0.0 or suite.regrade_sd**2 < JUDGE_NOISE_SHARE * variance:
        return []
    share = min(1.0, suite.regrade_sd**2 / variance)
    told = f"re-grading alone explains {share:.0%} of the differences between items"
    fix = "check the judge against hand grades, sharpen the rubric, or grade several times"
    return [_finding("judge_unreliable", "caution", told, fix, share, JUDGE_NOISE_SHARE, "method 4, evidence 1")]


def _slices(scores: "array[float]", suite: Suite, metric: Metric) -> list[DiagnosisFinding]:
    if suite.clusters is None or len(suite.clusters) != len(scores):
        return []
    groups: dict[int, list[float]] = {}
    for cluster, score in zip(suite.clusters, scores, strict=True):
        if not math.isnan(score):
            groups.setdefault(cluster, []).append(score)
    scored = [score for group in groups.values() for score in group]
    if not scored:
        return []
    sign = 1.0 if metric.direction == "up" else -1.0
    mean, least = sum(scored) / len(scored), SLICE_SHARE * (metric.scale_max - metric.scale_min)
    behind = sorted(
        (sign * (sum(group) / len(group) - mean), cluster, len(group))
        for cluster, group in groups.items()
        if len(group) >= SLICE_MIN_ITEMS
    )
    if not behind or behind[0][0] > -least:
        return []
    lag, cluster, n = behind[0]
    told = f"the {n} items of source {cluster} score {-lag:.2f} points worse than the whole"
    return [_finding("failing_slice", "caution", told, "add good examples of that kind", lag, -least, "method 5, 6.1")]


def _noise(over: Gain) -> list[DiagnosisFinding]:
    """An interval that includes zero is never an improvement (method 4)."""
    if over.low is None or over.high is None or not over.low <= 0.0 <= over.high:
        return []
    told = f"the difference {over.statement} is within the noise"
    fix = "add items, grade repeatedly, or repeat the run before building on it"
    return [_finding("difference_within_noise", "info", told, fix, over.points, over.visible, "method 4, evidence 1")]


def _tokens(evaluation: Evaluation, reference: Evaluation, over: Gain) -> list[DiagnosisFinding]:
    """The same score with fewer tokens is strictly better (method 4)."""
    now, before = evaluation.completion_tokens_mean, reference.completion_tokens_mean
    if now is None or not before or over.verdict not in ("no_difference", "inconclusive"):
        return []
    ratio = now / before
    if ratio > FEWER_TOKENS:
        return []
    told = f"about the same score with {now:.0f} instead of {before:.0f} completion tokens"
    return [
        _finding("fewer_tokens", "info", told, "prefer this model at an equal score", ratio, FEWER_TOKENS, "method 4")
    ]


def _finding(
    code: str,
    severity: Severity,
    statement: str,
    suggestion: str,
    value: float | None,
    threshold: float | None,
    source: str,
) -> DiagnosisFinding:
    return DiagnosisFinding(
        kind="evaluation",
        code=code,
        severity=severity,
        statement=statement,
        suggestion=suggestion,
        value=value,
        threshold=threshold,
        source=source,
    )
