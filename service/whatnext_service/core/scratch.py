"""Bytes of many texts put aside one after the other, where the caller has room for them."""

from collections.abc import Callable
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

Offsets = npt.NDArray[np.int64]


class Scratch(Protocol):
    """A place that only grows: in memory, or in a file."""

    def append(self, data: bytes) -> None:
        """Put bytes behind those that are there."""

    def read(self, start: int, n_bytes: int) -> bytes | memoryview:
        """Bytes put aside before."""
        ...


NewScratch = Callable[[], Scratch]


class HeldScratch:
    """Bytes put aside in memory."""

    def __init__(self) -> None:
        self._held = bytearray()

    def append(self, data: bytes) -> None:
        """Put bytes behind those that are there; not once `read` was called."""
        self._held += data

    def read(self, start: int, n_bytes: int) -> memoryview:
        """Bytes put aside before, without a copy."""
        return memoryview(self._held)[start : start + n_bytes]


class JoinedScratch:
    """Several places read as one; nothing is copied."""

    def __init__(self, parts: tuple[Scratch, ...], sizes: tuple[int, ...]) -> None:
        edges = np.cumsum([0, *sizes]).tolist()
        self._spans = tuple(zip(parts, pairwise(edges), strict=True))

    def append(self, data: bytes) -> None:
        """Nothing can be added to places that are joined."""
        raise TypeError("a joined scratch is only read")

    def read(self, start: int, n_bytes: int) -> bytes | memoryview:
        """Bytes of one part or, over an edge, of several."""
        end = start + n_bytes
        found = [
            part.read(max(start, first) - first, min(end, last) - max(start, first))
            for part, (first, last) in self._spans
            if first < end and start < last
        ]
        return found[0] if len(found) == 1 else b"".join(found)
