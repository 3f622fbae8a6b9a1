"""Splitting a dataset so that no prompt, and no near duplicate of it, stands in two parts."""

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from whatnext_service.core.near_pairs import NearPairs
from whatnext_service.core.row_hashes import Indexes
from whatnext_service.errors import DomainError


class SplitPart(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One part of a split."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    share: Annotated[float, Meta(gt=0, lt=1)]


def assign_parts(prompt_hashes: bytes, rows: Indexes, near: NearPairs | None, parts: tuple[SplitPart, ...]) -> Indexes:
    """Number the part of each of `rows`. Groups of rows stay together: those with the same input whatever the system
    prompt, and those linked by `near`. Which part a group falls to depends on its hash alone, not on the order.
    """
    shares = np.array([part.share for part in parts])
    if abs(shares.sum() - 1) > 0.001:
        raise DomainError("invalid_derivation", "The shares of the parts must add up to 1.")
    if len({part.name for part in parts}) < len(parts):
        raise DomainError("invalid_derivation", "Each part needs a name of its own.")
    inputs = np.frombuffer(prompt_hashes, dtype="<u8").reshape(-1, 2)[:, 0]
    _, first, group = np.unique(inputs, return_index=True, return_inverse=True)
    group = first[group]
    if near is not None:
        group = _joined(group, near)
    heads, member = np.unique(group[rows], return_inverse=True)
    sizes = np.bincount(member)
    order = np.argsort(inputs[heads], kind="stable")
    middle = np.cumsum(sizes[order]) - sizes[order] / 2
    numbers = np.empty(len(heads), dtype=np.int64)
    edges = np.cumsum(shares)[:-1] * len(rows)
    numbers[order] = np.searchsorted(edges, middle)
    assigned: Indexes = numbers[member]
    return assigned


def _joined(group: Indexes, near: NearPairs) -> Indexes:
    heads = group.tolist()

    def head(row: int) -> int:
        while heads[row] != row:
            heads[row] = heads[heads[row]]
            row = heads[row]
        return row

    for first, second in zip(near.first.tolist(), near.second.tolist(), strict=True):
        a, b = sorted((head(first), head(second)))
        heads[b] = a
    return np.array([head(row) for row in range(len(heads))], dtype=np.int64)
