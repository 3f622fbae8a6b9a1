"""Which rows of a dataset version an operation keeps (method 6.1: quality before quantity)."""

from array import array
from typing import Literal

import msgspec

from whatnext_service.core.datasets import DatasetFacts
from whatnext_service.core.row_hashes import agreement
from whatnext_service.errors import DomainError

OperationKind = Literal["drop_duplicates", "drop_contradictions", "drop_ids"]


class Operation(msgspec.Struct, kw_only=True, frozen=True):
    """One operation on a version's rows."""

    kind: OperationKind
    lines: tuple[int, ...] = ()
    """For `drop_ids`: the lines to drop."""


def kept_rows(facts: DatasetFacts, operations: tuple[Operation, ...]) -> frozenset[int]:
    """The places, from 0, of the rows that every operation keeps.

    `drop_duplicates` keeps the first of equal rows; `drop_contradictions` drops every row whose prompt also occurs
    with another answer, because nothing says which is right.
    """
    found = agreement(facts.row_hashes, facts.prompt_hashes)
    lines = array("I", facts.lines)
    kept = set(range(facts.n_examples))
    for operation in operations:
        match operation.kind:
            case "drop_duplicates":
                kept -= {int(place) for place in found.duplicates}
            case "drop_contradictions":
                kept -= {int(place) for place in found.contradictions}
            case "drop_ids":
                place_of = {line: place for place, line in enumerate(lines)}
                unknown = [line for line in operation.lines if line not in place_of]
                if unknown or not operation.lines:
                    named = ", ".join(map(str, unknown[:10])) or "none given"
                    raise DomainError("invalid_derivation", f"No row begins on these lines: {named}.")
                kept -= {place_of[line] for line in operation.lines}
    return frozenset(kept)
