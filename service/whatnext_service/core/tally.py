"""An evaluation's figures from the stored results of its items."""

import math
from collections import Counter

import msgspec

from whatnext_service.core.evaluations import Dimension, pack_scores


class ItemTally(msgspec.Struct, kw_only=True, frozen=True):
    """What one finished item contributes."""

    idx: int
    scores: dict[str, float | None]
    """By dimension, on the suite's scale."""
    combined: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    error_code: str | None


class EvaluationTally(msgspec.Struct, kw_only=True, frozen=True):
    """The whole evaluation."""

    combined: float | None
    n_scored: int
    scores: bytes
    dimensions: tuple[Dimension, ...]
    prompt_tokens: int | None
    completion_tokens: int | None
    completion_tokens_mean: float | None
    failure: str | None
    """Why no item could be scored; null when at least one was."""


def tally_items(items: tuple[ItemTally, ...], n_items: int, weights: tuple[tuple[str, float], ...]) -> EvaluationTally:
    """Sum up: the mean over scored items only, because a missing score is never a zero (evidence 4)."""
    scores: list[float | None] = [None] * n_items
    for item in items:
        scores[item.idx] = item.combined
    known = [score for score in scores if score is not None]
    prompts = [item.prompt_tokens for item in items if item.prompt_tokens is not None]
    completions = [item.completion_tokens for item in items if item.completion_tokens is not None]
    return EvaluationTally(
        combined=_mean(known),
        n_scored=len(known),
        scores=pack_scores(scores),
        dimensions=tuple(_dimension(name, weight, items) for name, weight in weights),
        prompt_tokens=sum(prompts) if prompts else None,
        completion_tokens=sum(completions) if completions else None,
        completion_tokens_mean=sum(completions) / len(completions) if completions else None,
        failure=None if known else _why_none(items),
    )


def _dimension(name: str, weight: float, items: tuple[ItemTally, ...]) -> Dimension:
    values = [value for item in items if (value := item.scores.get(name)) is not None]
    return Dimension(name=name, weight=weight, mean=_mean(values), n_scored=len(values))


def _why_none(items: tuple[ItemTally, ...]) -> str:
    codes = Counter(item.error_code or "unknown" for item in items)
    return "No item could be scored: " + ", ".join(f"{code} x{n}" for code, n in codes.most_common(3))


def _mean(values: list[float]) -> float | None:
    return round(math.fsum(values) / len(values), 9) if values else None
