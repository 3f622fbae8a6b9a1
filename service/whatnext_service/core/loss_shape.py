"""What the validation loss does: its trend, and the verdict on overfitting (method 3, evidence 2 and 8)."""

import msgspec

from whatnext_service.core.curve_noise import n_swings
from whatnext_service.core.curves import OverfitVerdict, Trend
from whatnext_service.core.loss_facts import LossFacts
from whatnext_service.core.thresholds import CurveThresholds


class Verdict(msgspec.Struct, kw_only=True, frozen=True):
    """A verdict on overfitting, and what it rests on."""

    verdict: OverfitVerdict
    basis: str


def rises(facts: LossFacts, thresholds: CurveThresholds) -> bool:
    """Validation loss rises when it ends above its best by `rise_mild` (1.02) and by its noise (evidence 2)."""
    levels = facts.levels
    return levels is not None and levels.rise > 1.0 + max(thresholds.rise_mild - 1.0, levels.doubt)


def above_first(facts: LossFacts, thresholds: CurveThresholds) -> bool:
    """Validation loss ended above its first value: by more than 1 % and its noise (evidence 8)."""
    levels = facts.levels
    return levels is not None and levels.change_from_first > 1.0 + max(thresholds.plateau_change, levels.first_doubt)


def is_flat(facts: LossFacts, thresholds: CurveThresholds) -> bool:
    """Nothing moves after the first fifth: level there, best and last differ by less than 1 % or than the noise.

    A noise of a quarter of the level or more can hide anything: then nothing is called flat.
    """
    levels = facts.levels
    if levels is None or levels.doubt > thresholds.hides_anything:
        return False
    start = int((levels.evaluated.steps < thresholds.plateau_from * levels.evaluated.steps[-1]).sum())
    early_block = levels.evaluated.values[start : start + levels.window]
    if early_block.size < levels.window or start + levels.window >= levels.evaluated.values.size:
        return False
    early = float(early_block.mean())
    moved = max(abs(early - levels.last), early - levels.best, levels.last - levels.best)
    return moved <= max(thresholds.plateau_change * early, levels.doubt * levels.best)


def oscillates(facts: LossFacts, thresholds: CurveThresholds) -> bool:
    """A full-pass loss oscillates when one value jumps by 5 % and training moved it by less than two jumps.

    With fewer than `noise_points` values it must also have swung by 5 % three times: one peak is no oscillation.
    """
    levels = facts.levels
    if levels is None or levels.source != "full" or levels.noise is None or levels.noise < thresholds.oscillation:
        return False
    values = levels.evaluated.values
    if values.size < thresholds.noise_points and n_swings(values, thresholds.oscillation * levels.best) < 3:
        return False
    return abs(levels.last - levels.first) < 2.0 * levels.noise * levels.best


def unreadable(facts: LossFacts, thresholds: CurveThresholds) -> bool:
    """Noise could hide a rise of a quarter, and the loss did not fall beyond its noise: nothing can be read from it."""
    levels = facts.levels
    if levels is None or levels.doubt <= thresholds.hides_anything or rises(facts, thresholds):
        return False
    return levels.change_from_first >= 1.0 - levels.first_doubt


def trend_of(facts: LossFacts, thresholds: CurveThresholds) -> Trend:
    """The shape in a word, the most alarming first; `risen` from `rise_usable` (1.05) on (evidence 8)."""
    levels = facts.levels
    if levels is None:
        return "unknown"
    if oscillates(facts, thresholds):
        return "oscillating"
    if above_first(facts, thresholds):
        return "above_first"
    if rises(facts, thresholds) and levels.rise >= thresholds.rise_usable:
        return "risen"
    if levels.best_is_last and not is_flat(facts, thresholds):
        return "falling"
    return "flat" if levels.doubt <= thresholds.hides_anything else "unknown"


def judge(facts: LossFacts, thresholds: CurveThresholds, *, uses_ratio: bool) -> Verdict:
    """Overfitting needs both signs: a validation loss that rises, and a ratio that says how badly (method 3).

    The shape decides whether; the ratio (1.5, 2.0) how badly, bounded by the rise: below 1.05 it is mild whatever the
    ratio, from 1.2 on at least moderate. Where the ratio means nothing the rise alone decides: 1.05, 1.2. A ratio that
    was above 1 from the start is taken relative to its start (hazards c).
    """
    levels = facts.levels
    if levels is None:
        return _without_shape(facts, thresholds, uses_ratio=uses_ratio)
    ratio = facts.ratio if uses_ratio and facts.same_scale else None
    if ratio is not None and facts.gap_at_start:
        ratio /= max(facts.initial_ratio or 1.0, 1.0)
    ratio_words = "no ratio" if ratio is None else f"ratio {ratio:.2f}"
    shape_words = f"validation loss ended at {levels.rise:.3f} times its best"
    if oscillates(facts, thresholds):
        return Verdict(verdict="cannot_judge", basis="validation loss oscillates: there is no trend to judge")
    if unreadable(facts, thresholds):
        return Verdict(
            verdict="cannot_judge", basis=f"validation loss is noisy: {levels.doubt:.0%} of its level may be chance"
        )
    if not rises(facts, thresholds):
        noise_words = f", within its noise of {levels.doubt:.3f}" if levels.rise > thresholds.rise_mild else ""
        return Verdict(
            verdict="healthy", basis=f"shape: {shape_words}{noise_words}; {ratio_words} does not count alone"
        )
    if facts.early:
        return Verdict(verdict="cannot_judge", basis=f"shape: {shape_words}, but in the first part of training")
    if levels.rise < thresholds.rise_usable or levels.last < thresholds.near_zero:
        return Verdict(verdict="mild", basis=f"shape: {shape_words}, little; {ratio_words}")
    if ratio is None:
        verdict: OverfitVerdict = "severe" if levels.rise >= thresholds.rise_strong else "moderate"
        return Verdict(verdict=verdict, basis=f"shape alone: {shape_words}; the ratio means nothing here")
    if ratio >= thresholds.ratio_severe:
        verdict = "severe"
    elif ratio >= thresholds.ratio_moderate or levels.rise >= thresholds.rise_strong:
        verdict = "moderate"
    else:
        verdict = "mild"
    return Verdict(verdict=verdict, basis=f"ratio and shape: {ratio_words}, and {shape_words}")


def _without_shape(facts: LossFacts, thresholds: CurveThresholds, *, uses_ratio: bool) -> Verdict:
    """One evaluation shows no shape; but without a ratio of 1.2, while training falls, one of two signs is missing."""
    if facts.n_full == 0:
        words = "too few validation losses to show a shape" if facts.n_batch else "no validation loss"
        return Verdict(verdict="cannot_judge", basis=words)
    falls = (
        facts.first_train is not None
        and facts.last_train is not None
        and facts.last_train <= thresholds.barely_falls * facts.first_train
    )
    if uses_ratio and falls and facts.ratio is not None and facts.ratio < thresholds.ratio_mild:
        return Verdict(verdict="healthy", basis=f"ratio alone: {facts.ratio:.2f}, at the single evaluation")
    return Verdict(verdict="cannot_judge", basis="a single evaluation shows no shape")
