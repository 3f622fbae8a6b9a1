"""Showing what a derivation would drop and add before it is stored."""

from collections.abc import Iterable
from typing import assert_never

import msgspec

from whatnext_service.core.corpus import EXCERPT_CHARS
from whatnext_service.core.dataset_formats import normalise_row
from whatnext_service.core.derive import MAX_SHOWN, Plan
from whatnext_service.core.state import DerivationKind


class TouchedRow(msgspec.Struct, kw_only=True, frozen=True):
    """A row that a derivation drops or adds."""

    line: int
    """The line of the source on which it begins; 0 for a row that is added."""
    row_id: str
    operation: DerivationKind
    reason: str
    prompt: str
    """The beginning of its last question."""
    answer: str
    """The beginning of its answer."""


def show_touched(plan: Plan, rows: Iterable[tuple[int, bytes]]) -> tuple[TouchedRow, ...]:
    """Show the first rows that the operations drop or add, at most 100, in the order of the file.

    Reads no further in `rows` than the last of them.
    """
    named: dict[int, tuple[str, DerivationKind]] = {
        place: (name, effect.kind)
        for effect in plan.effects
        for place, name in zip(effect.places, effect.rows, strict=True)
    }
    wanted = sorted(named)[:MAX_SHOWN]
    n_source = len(plan.parts) - len(plan.added)
    shown = []
    last = max((place for place in wanted if place < n_source), default=-1)
    if last >= 0:
        for place, (line, raw) in enumerate(rows):
            if place in named:
                shown.append(_show(line, raw, *named[place]))
            if place == last:
                break
    shown += [_show(0, plan.added[place - n_source], *named[place]) for place in wanted if place >= n_source]
    return tuple(shown)


def _show(line: int, raw: bytes, row_id: str, kind: DerivationKind) -> TouchedRow:
    row = normalise_row(raw)
    return TouchedRow(
        line=line,
        row_id=row_id,
        operation=kind,
        reason=_reason(kind),
        prompt=(row.question or row.input)[:EXCERPT_CHARS],
        answer=row.answer[:EXCERPT_CHARS],
    )


def _reason(kind: DerivationKind) -> str:
    match kind:
        case "drop_duplicates":
            return "It says what an earlier row says."
        case "drop_contradictions":
            return "Another row has the same prompt and another answer, and nothing says which is right."
        case "fix_contradictions":
            return "Most rows with this prompt answer otherwise, or no answer has a majority."
        case "keep_by_score":
            return "Its score is too low."
        case "drop_ids":
            return "It was named, or a check that was named points at it."
        case "add_examples":
            return "It is added."
        case "split" | "convert" | "upload":
            return "It is kept."
        case _:
            assert_never(kind)
