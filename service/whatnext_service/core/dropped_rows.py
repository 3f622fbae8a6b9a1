"""Which rows of a dataset version an operation drops."""

from typing import TypeVar, assert_never

import msgspec
import numpy as np
import numpy.typing as npt

from whatnext_service.core.near_pairs import NearPairs
from whatnext_service.core.operations import Operation
from whatnext_service.core.row_hashes import HASH_BYTES, Indexes, agreement, row_id
from whatnext_service.errors import DomainError

T = TypeVar("T")


class DerivationSource(msgspec.Struct, kw_only=True, frozen=True):
    """What planning needs to know of the version derived from."""

    row_hashes: bytes
    prompt_hashes: bytes
    reversed_hashes: bytes
    lines: bytes
    """Line of each row, packed as little-endian uint32."""
    scores: bytes | None
    """`row_scores` of its quality report; null without one."""
    near: NearPairs | None
    """Near duplicates with the same answer; null without a quality report."""
    flags: bytes | None = None
    """`row_flags` of the quality report; null without one."""
    flag_codes: tuple[str, ...] = ()
    """What its bits stand for."""
    judge_scores: bytes | None = None
    """A judge's score of each row, packed as little-endian float64, NaN where there is none; null without a judge."""


def rows_to_drop(operation: Operation, source: DerivationSource, kept: Indexes) -> Indexes:
    """Indexes of those of the rows `kept` so far that the operation drops."""
    kind = operation.kind
    if kind == "drop_ids":
        return _named_rows(operation, source, kept)
    if kind == "keep_by_score":
        return _below(operation, source, kept)
    found = agreement(*(_rows_of(packed, kept) for packed in _hashes(source)))
    if kind == "drop_duplicates":
        repeats = kept[found.duplicates]
        return np.union1d(repeats, _near_repeats(source, kept, repeats)) if operation.near else repeats
    if kind == "drop_contradictions":
        return kept[found.contradictions]
    if kind == "fix_contradictions":
        return _outvoted(source, kept, found.contradictions, found.first)
    if kind == "add_examples" or kind == "split" or kind == "convert":
        raise ValueError(f"{kind} drops nothing")
    assert_never(kind)


def _below(operation: Operation, source: DerivationSource, kept: Indexes) -> Indexes:
    """Rows with a score below one of the limits; a missing score is below nothing."""
    below = np.zeros(len(kept), dtype=np.bool_)
    if operation.min_judge_score is None or operation.min_score is not None:
        least = given(operation.min_score, operation, "min_score")
        if source.scores is None:
            raise DomainError("quality_missing", "`keep_by_score` needs the version's quality report.")
        below |= np.frombuffer(source.scores, dtype="<f4")[kept] < least
    if operation.min_judge_score is not None:
        if source.judge_scores is None:
            raise DomainError(
                "quality_missing", "`min_judge_score` needs rows scored by a judge that attacks do not move."
            )
        below |= np.frombuffer(source.judge_scores, dtype="<f8")[kept] < operation.min_judge_score
    return kept[below]


def _named_rows(operation: Operation, source: DerivationSource, kept: Indexes) -> Indexes:
    others = operation.lines is not None or operation.checks is not None
    wanted = {*given((operation.ids or ()) if others else operation.ids, operation, "ids")}
    names = {name_of(source, int(at)) for at in kept} if wanted else set()
    lines = np.frombuffer(source.lines, dtype="<u4")[kept]
    unknown = sorted(wanted - names) + sorted(set(operation.lines or ()) - set(lines.tolist()))
    if unknown or not (wanted or operation.lines or operation.checks):
        named = ", ".join(str(one)[:40] for one in unknown[:10]) or "none given"
        raise DomainError("invalid_derivation", f"No row has these names or lines: {named}.")
    by_line = np.isin(lines, np.array(operation.lines or (), dtype=np.uint32))
    by_name = np.array([name_of(source, int(at)) in wanted for at in kept], dtype=np.bool_) if wanted else by_line
    return kept[by_line | by_name | _flagged(operation, source, kept)]


def _flagged(operation: Operation, source: DerivationSource, kept: Indexes) -> npt.NDArray[np.bool_]:
    """Rows that the named checks of the quality report point at."""
    if not operation.checks:
        return np.zeros(len(kept), dtype=np.bool_)
    if source.flags is None:
        raise DomainError("quality_missing", "`checks` needs the version's quality report.")
    bits = sum(1 << source.flag_codes.index(code) for code in operation.checks if code in source.flag_codes)
    flags = np.frombuffer(source.flags, dtype="<u4")
    pointed: npt.NDArray[np.bool_] = (flags[kept] & np.uint32(bits)) != 0
    return pointed


def _near_repeats(source: DerivationSource, kept: Indexes, repeats: Indexes) -> Indexes:
    if source.near is None:
        raise DomainError("quality_missing", "Near duplicates are known once the quality report is there.")
    gone = set(repeats.tolist()) | (set(range(len(source.row_hashes) // HASH_BYTES)) - set(kept.tolist()))
    dropped = []
    order = np.lexsort((source.near.first, source.near.second))
    for first, second in zip(source.near.first[order].tolist(), source.near.second[order].tolist(), strict=True):
        if first not in gone and second not in gone:
            gone.add(second)
            dropped.append(second)
    return np.array(dropped, dtype=np.int64)


def _outvoted(source: DerivationSource, kept: Indexes, opposed: Indexes, first: Indexes) -> Indexes:
    """Rows whose answer is not the one most rows with that prompt give; where two tie, the higher score decides, and
    without scores all of them go."""
    votes = np.bincount(first, minlength=len(kept)).astype(np.float64)
    weight = votes[first]
    if source.scores is not None:
        score = np.frombuffer(source.scores, dtype="<f4")[kept].astype(np.float64)
        best = np.zeros(len(kept))
        np.maximum.at(best, first, score)
        weight = weight + best[first] / 2
    prompts = np.frombuffer(_rows_of(source.prompt_hashes, kept), dtype="V16")
    groups: dict[bytes, list[int]] = {}
    for at in opposed.tolist():
        groups.setdefault(prompts[at].tobytes(), []).append(at)
    dropped: list[int] = []
    for rows in groups.values():
        top = max(weight[at] for at in rows)
        winners = {int(first[at]) for at in rows if weight[at] == top}
        dropped += [at for at in rows if len(winners) > 1 or int(first[at]) not in winners]
    return np.sort(kept[np.array(dropped, dtype=np.int64)])


def _hashes(source: DerivationSource) -> tuple[bytes, bytes, bytes]:
    return source.row_hashes, source.prompt_hashes, source.reversed_hashes


def _rows_of(packed: bytes, rows: Indexes) -> bytes:
    return np.frombuffer(packed, dtype=np.uint8).reshape(-1, HASH_BYTES)[rows].tobytes() if packed else b""


def name_of(source: DerivationSource, index: int) -> str:
    """The name of a row."""
    return row_id(source.row_hashes[index * HASH_BYTES : (index + 1) * HASH_BYTES])


def given(value: T | None, operation: Operation, name: str) -> T:
    """A field that the operation cannot do without."""
    if value is None:
        raise DomainError("invalid_derivation", f"`{operation.kind}` needs `{name}`.")
    return value
