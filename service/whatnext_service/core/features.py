"""Words and pairs of neighbouring words of many texts, as hashes of four bytes each."""

from itertools import pairwise
from typing import TypeVar
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt

from whatnext_service.core.row_hashes import Indexes
from whatnext_service.core.scratch import JoinedScratch, Offsets, Scratch

Numbers = npt.NDArray[np.uint32]
Keys = npt.NDArray[np.uint64]
"""The number of a text << 32 | a feature of it."""

BLOCK_FEATURES = 250_000
"""Features that are worked on at once."""

Number = TypeVar("Number", np.uint32, np.uint64)

_WORD_BYTES = 4
_TABLE_BITS = 22
_MASK_32 = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_SPREAD = np.uint32(0xC2B2AE3D)


class Features(msgspec.Struct, frozen=True):
    """The distinct features of many texts: of each its words, ascending, then its pairs of neighbours, ascending."""

    scratch: Scratch
    offsets: Offsets
    """Text i has the features from `offsets[i]` to `offsets[i + 1]`."""
    n_words: Numbers
    """How many features of each text are words."""

    def of(self, rows: Indexes) -> tuple[Indexes, Numbers]:
        """Position in `rows`, and feature."""
        lengths = self.offsets[rows + 1] - self.offsets[rows]
        return np.repeat(np.arange(len(rows)), lengths), self._read(rows)

    def keys(self, rows: Indexes) -> Keys:
        """The features of `rows`, each once."""
        position, feature = self.of(rows)
        return (position.astype(np.uint64) << _32) | feature

    def word_keys(self, rows: Indexes) -> Keys:
        """The words alone of `rows`, each once."""
        keys = self.keys(rows)
        lengths = self.offsets[rows + 1] - self.offsets[rows]
        place = np.arange(len(keys)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        words: Keys = keys[place < np.repeat(self.n_words[rows], lengths)]
        return words

    def blocks(self, rows: Indexes, n_features: int = BLOCK_FEATURES) -> list[slice]:
        """Cut `rows` into runs of about so many features."""
        ends = np.cumsum(self.offsets[rows + 1] - self.offsets[rows])
        cuts = np.flatnonzero(np.diff(ends // n_features)) + 1 if len(ends) else ends
        edges = [0, *(int(cut) for cut in cuts), len(rows)]
        return [slice(a, b) for a, b in pairwise(edges) if b > a]

    def _read(self, rows: Indexes) -> Numbers:
        starts, ends = self.offsets[rows], self.offsets[rows + 1]
        fresh = np.flatnonzero(np.append(True, starts[1:] != ends[:-1])[: len(rows)])
        runs = zip(starts[fresh].tolist(), np.append(ends[fresh[1:] - 1], ends[-1:]).tolist(), strict=True)
        read = [self.scratch.read(first * _WORD_BYTES, (last - first) * _WORD_BYTES) for first, last in runs]
        return np.frombuffer(read[0] if len(read) == 1 else b"".join(read), dtype=np.uint32)


def hash_features(words: list[bytes]) -> tuple[bytes, int]:
    """The features of one text as bytes, and how many of them are words."""
    hashed = np.fromiter(map(crc32, words), dtype=np.uint32, count=len(words))
    pairs = (hashed[:-1] * np.uint32(0x9E3779B1)) ^ (hashed[1:] * np.uint32(0x85EBCA77) + np.uint32(0x27D4EB2F))
    single = distinct(hashed * _SPREAD)
    return single.tobytes() + distinct(pairs * _SPREAD).tobytes(), len(single)


def hash_word(word: bytes) -> int:
    """The feature that a word alone is."""
    return crc32(word) * int(_SPREAD) & 0xFFFFFFFF


def join_features(parts: tuple[Features, ...]) -> Features:
    """Put the texts of several corpora one after the other."""
    sizes = tuple(int(part.offsets[-1]) for part in parts)
    starts = np.cumsum([0, *sizes])
    offsets = [part.offsets[:-1] + start for part, start in zip(parts, starts[:-1], strict=True)]
    return Features(
        JoinedScratch(tuple(part.scratch for part in parts), tuple(size * _WORD_BYTES for size in sizes)),
        np.append(np.concatenate(offsets), starts[-1]),
        np.concatenate([part.n_words for part in parts]),
    )


def row_counts(features: Features, rows: Indexes) -> Numbers:
    """How many of `rows` have a feature, under its `count_slot`. A slot is shared by what hashes alike."""
    counts = np.zeros(1 << _TABLE_BITS, dtype=np.uint32)
    for block in features.blocks(rows):
        np.add.at(counts, count_slot(features.of(rows[block])[1]), np.uint32(1))
    return counts


def count_slot(feature: Numbers) -> Numbers:
    """Where `row_counts` counts a feature."""
    return feature >> np.uint32(32 - _TABLE_BITS)


def feature_of(keys: Keys) -> Numbers:
    """The features of some keys."""
    return (keys & _MASK_32).astype(np.uint32)


def per_text(keys: Keys, n_texts: int) -> Indexes:
    """How many keys each text has."""
    return np.bincount((keys >> _32).astype(np.int64), minlength=n_texts)


def distinct(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Sorted distinct values, sorted in place; several times faster than `numpy.unique`, which hashes."""
    if len(values) < 2:
        return values
    values.sort()
    new = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return values[new]
