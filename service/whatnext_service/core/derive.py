"""Making a dataset version from operations on another: planned on hashes, previewed, then carried out row by row."""

from collections.abc import Iterable, Iterator

import msgspec
import numpy as np

from whatnext_service.core.conversion import REFERENCE, convert_row
from whatnext_service.core.dataset_formats import normalise_row
from whatnext_service.core.dataset_lines import one_line
from whatnext_service.core.dropped_rows import DerivationSource, given, name_of, rows_to_drop
from whatnext_service.core.loops import Method
from whatnext_service.core.operations import Operation
from whatnext_service.core.row_hashes import (
    HASH_BYTES,
    Indexes,
    answer_hash,
    prompt_hash,
    reversed_row_hash,
    row_hash,
)
from whatnext_service.core.split import assign_parts
from whatnext_service.core.state import DerivationKind
from whatnext_service.errors import DomainError

MAX_SHOWN = 100
_DROPPED = 255


class OperationEffect(msgspec.Struct, kw_only=True, frozen=True):
    """What one operation did."""

    kind: DerivationKind
    n_before: int
    n_after: int
    statement: str
    rows: tuple[str, ...]
    """Names of the first rows it dropped or added."""
    places: tuple[int, ...]
    """Indexes of those rows, from 0; rows that were added stand behind those of the source."""


class Plan(msgspec.Struct, kw_only=True, frozen=True):
    """A derivation, worked out but not carried out: the preview, and all that `carry_out` needs."""

    effects: tuple[OperationEffect, ...]
    part_names: tuple[str, ...]
    part_counts: tuple[int, ...]
    derived_by: tuple[DerivationKind, ...]
    parts: bytes
    """For each row of the source, then each row added, the number of its part; 255 when it is dropped."""
    added: tuple[bytes, ...]
    method: Method | None
    answer_field: str

    @property
    def changes_rows(self) -> bool:
        """Whether what comes of it can differ from the source."""
        return bool(self.method or self.added or len(self.part_names) > 1 or sum(self.part_counts) < len(self.parts))


def index_rows(rows: Iterable[tuple[int, bytes]]) -> DerivationSource:
    """Hash the rows of an accepted file, where no stored hashes are at hand."""
    row_hashes, prompts, turned = bytearray(), bytearray(), bytearray()
    lines: list[int] = []
    for line, raw in rows:
        lines.append(line)
        row = normalise_row(raw)
        prompt = prompt_hash(row)
        prompts += prompt
        row_hashes += row_hash(prompt, answer_hash(row))
        if row.method == "dpo":
            turned += reversed_row_hash(row)
    return DerivationSource(
        row_hashes=bytes(row_hashes),
        prompt_hashes=bytes(prompts),
        reversed_hashes=bytes(turned),
        lines=np.array(lines, dtype="<u4").tobytes(),
        scores=None,
        near=None,
    )


def plan_derivation(source: DerivationSource, operations: tuple[Operation, ...]) -> Plan:
    """Work out what the operations do, one after the other. Raises `invalid_derivation` and `quality_missing`."""
    if not operations:
        raise DomainError("invalid_derivation", "No operation was given.")
    parts = np.zeros(len(source.row_hashes) // HASH_BYTES, dtype=np.uint8)
    names: tuple[str, ...] = ("main",)
    added: tuple[bytes, ...] = ()
    method: Method | None = None
    answer_field = REFERENCE
    effects = []
    for operation in operations:
        if len(names) > 1 and operation.kind != "convert":
            raise DomainError("invalid_derivation", "Only `convert` may follow `split`.")
        before = int((parts != _DROPPED).sum())
        touched: Indexes = np.empty(0, dtype=np.int64)
        if operation.kind == "add_examples":
            new = tuple(bytes(example) for example in given(operation.examples, operation, "examples"))
            touched = np.arange(len(parts), len(parts) + len(new))
            source, added = _extended(source, new), (*added, *new)
            parts = np.append(parts, np.zeros(len(new), dtype=np.uint8))
        elif operation.kind == "split":
            wanted = given(operation.parts, operation, "parts")
            names = tuple(part.name for part in wanted)
            kept = np.flatnonzero(parts != _DROPPED)
            parts[kept] = assign_parts(source.prompt_hashes, kept, source.near, wanted)
        elif operation.kind == "convert":
            method = given(operation.method, operation, "method")
            answer_field = operation.answer_field
        else:
            touched = rows_to_drop(operation, source, np.flatnonzero(parts != _DROPPED))
            parts[touched] = _DROPPED
        effects.append(_effect(operation, source, before, int((parts != _DROPPED).sum()), touched))
    counts = tuple(int((parts == number).sum()) for number in range(len(names)))
    if empty := next((name for name, count in zip(names, counts, strict=True) if not count), None):
        where = "" if len(names) == 1 else f" in the part {empty}"
        raise DomainError("invalid_derivation", f"No row would be left{where}.")
    return Plan(
        effects=tuple(effects),
        part_names=names,
        part_counts=counts,
        derived_by=tuple(operation.kind for operation in operations),
        parts=parts.tobytes(),
        added=added,
        method=method,
        answer_field=answer_field,
    )


def carry_out(plan: Plan, rows: Iterable[tuple[int, bytes]], part: int = 0) -> Iterator[bytes]:
    """Give the lines of one part of a planned derivation, from the rows of the source in their order."""
    n_source = len(plan.parts) - len(plan.added)
    for at, (_, raw) in enumerate(rows):
        if at >= n_source:
            raise DomainError("invalid_derivation", "The source has more rows than were planned for.")
        if plan.parts[at] == part:
            yield one_line(_converted(plan, raw))
    for at, raw in enumerate(plan.added, start=n_source):
        if plan.parts[at] == part:
            yield one_line(_converted(plan, raw))


def _converted(plan: Plan, raw: bytes) -> bytes:
    return raw if plan.method is None else convert_row(raw, plan.method, plan.answer_field)


def _extended(source: DerivationSource, new: tuple[bytes, ...]) -> DerivationSource:
    more = index_rows((0, raw) for raw in new)
    perfect = np.ones(len(new), dtype="<f4").tobytes()
    unknown = np.full(len(new), np.nan, dtype="<f8").tobytes()
    if bool(source.reversed_hashes) != bool(more.reversed_hashes) and source.row_hashes and new:
        raise DomainError("invalid_derivation", "The examples are not in the format of the version.")
    return DerivationSource(
        row_hashes=source.row_hashes + more.row_hashes,
        prompt_hashes=source.prompt_hashes + more.prompt_hashes,
        reversed_hashes=source.reversed_hashes + more.reversed_hashes,
        lines=source.lines + more.lines,
        scores=None if source.scores is None else source.scores + perfect,
        near=source.near,
        flags=None if source.flags is None else source.flags + bytes(4 * len(new)),
        flag_codes=source.flag_codes,
        judge_scores=None if source.judge_scores is None else source.judge_scores + unknown,
    )


def _effect(
    operation: Operation, source: DerivationSource, before: int, after: int, touched: Indexes
) -> OperationEffect:
    change = f"adds {after - before} rows" if after > before else f"drops {before - after} of {before} rows"
    if operation.kind == "split":
        change = f"splits {before} rows so that no prompt is in two parts"
    if operation.kind == "convert":
        change = f"converts {before} rows to {operation.method}"
    return OperationEffect(
        kind=operation.kind,
        n_before=before,
        n_after=after,
        statement=f"`{operation.kind}` {change}.",
        rows=tuple(name_of(source, int(at)) for at in touched[:MAX_SHOWN]),
        places=tuple(int(at) for at in touched[:MAX_SHOWN]),
    )
