"""Which item of a suite an outside result is about, and its score on the suite's scale."""

import math
from typing import Literal

import msgspec

from whatnext_service.core.eval_rows import message_text
from whatnext_service.core.json_values import JsonObject
from whatnext_service.core.log_entries import EvaluationLog, LogEntry, conversation, refused
from whatnext_service.errors import FieldError

REPEATS = ("inspect_ai", "promptfoo")
"""Formats in which an item may occur several times (epochs, repeats): its score is their mean."""

MatchBy = Literal["auto", "prompt", "index"]


class MatchedItem(msgspec.Struct, kw_only=True, frozen=True):
    """One item of the suite, with what the file says of it."""

    idx: int
    score: float | None
    """On the suite's scale; the mean where the file has it several times (epochs)."""
    output: str | None
    completion_tokens: int | None
    error: str | None


def match_items(
    log: EvaluationLog,
    prompts: tuple[tuple[JsonObject, ...], ...],
    *,
    scale_min: float,
    scale_max: float,
    low: float | None = None,
    high: float | None = None,
    by: MatchBy = "auto",
) -> tuple[MatchedItem, ...]:
    """Match by what was asked where the file tells it, else by number; one entry that fits nowhere refuses all.

    `low` and `high` are the range of the file's scores, where it is not the format's own (0 to 1; a table's scores are
    on the suite's scale); scores are mapped onto the suite's scale linearly.
    """
    if not log.entries:
        raise refused("the file holds no result")
    bottom = next(each for each in (low, log.low, scale_min) if each is not None)
    top = next(each for each in (high, log.high, scale_max) if each is not None)
    if not bottom < top:
        raise refused(f"the scores' range {bottom:g} to {top:g} is empty")
    placed, faults = _placed(log.entries, prompts, by)
    if log.format not in REPEATS:
        faults += [
            FieldError(pointer=f"/{each.row}", message=f"item {place} is given twice")
            for place, found in placed.items()
            for each in found[1:]
        ]
    for entry in log.entries:
        if entry.score is not None and not bottom <= entry.score <= top:
            message = f"the score {entry.score:g} lies outside {bottom:g} to {top:g}; name the range"
            faults.append(FieldError(pointer=f"/{entry.row}", message=message))
    if faults:
        raise refused(f"{len(faults)} entries do not fit the suite; nothing was stored", tuple(faults[:100]))
    return tuple(
        _matched(place, placed[place], (scale_max - scale_min) / (top - bottom), scale_min, bottom)
        for place in sorted(placed)
    )


def _placed(
    entries: tuple[LogEntry, ...], prompts: tuple[tuple[JsonObject, ...], ...], by: MatchBy
) -> tuple[dict[int, list[LogEntry]], list[FieldError]]:
    by_text = by == "prompt" or (by == "auto" and any(entry.texts for entry in entries))
    asked = _asked(prompts) if by_text else {}
    taken: dict[tuple[str, int | None], int] = {}
    uses: dict[str, int] = {}
    placed: dict[int, list[LogEntry]] = {}
    faults: list[FieldError] = []
    for entry in entries:
        place = None
        if not by_text:
            place = entry.index if entry.index is not None and entry.index < len(prompts) else None
        elif (text := next((each for each in map(_plain, entry.texts) if each in asked), None)) is not None:
            places = asked[text]
            known = taken.get((text, entry.index)) if entry.index is not None else None
            place = entry.index if entry.index in places else known
            if place is None:
                place = places[min(uses.get(text, 0), len(places) - 1)]
                uses[text] = uses.get(text, 0) + 1
                taken[text, entry.index] = place
        if place is None or place < 0:
            faults.append(FieldError(pointer=f"/{entry.row}", message=_unplaced(entry, by_text, len(prompts))))
        else:
            placed.setdefault(place, []).append(entry)
    return placed, faults


def _asked(prompts: tuple[tuple[JsonObject, ...], ...]) -> dict[str, list[int]]:
    """Places by what is asked there: the last user turn, and the whole conversation."""
    places: dict[str, list[int]] = {}
    for place, turns in enumerate(prompts):
        users = [message_text(turn) for turn in turns if turn.get("role") == "user"]
        for text in dict.fromkeys(_plain(each) for each in (*users[-1:], conversation(list(turns)))):
            if text:
                places.setdefault(text, []).append(place)
    return places


def _plain(text: str) -> str:
    """Spaces and line ends differ from tool to tool."""
    return " ".join(text.split())


def _unplaced(entry: LogEntry, by_text: bool, n_items: int) -> str:
    if not by_text:
        named = "has no number" if entry.index is None else f"is number {entry.index}"
        return f"the entry {named}; the suite has items 0 to {n_items - 1}"
    said = repr(entry.texts[0][:60]) if entry.texts else "nothing"
    return f"the suite asks none of what the entry asks ({said}); match by index if the order is the suite's"


def _matched(place: int, entries: list[LogEntry], factor: float, scale_min: float, bottom: float) -> MatchedItem:
    known = [entry.score for entry in entries if entry.score is not None]
    mean = math.fsum(known) / len(known) if known else None
    first = next((entry for entry in entries if entry.score is not None), entries[0])
    tokens = [entry.completion_tokens for entry in entries if entry.completion_tokens is not None]
    return MatchedItem(
        idx=place,
        score=None if mean is None else round(scale_min + factor * (mean - bottom), 9),
        output=first.output,
        completion_tokens=round(sum(tokens) / len(tokens)) if tokens else None,
        error=None if known else first.error or "no_score",
    )
