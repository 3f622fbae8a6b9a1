"""Pairs of texts that say nearly the same, among many, in time that grows with their number: MinHash and banding."""

import msgspec
import numpy as np
import numpy.typing as npt

from whatnext_service.core.features import (
    Features,
    Keys,
    Numbers,
    count_slot,
    distinct,
    feature_of,
    per_text,
    row_counts,
)
from whatnext_service.core.row_hashes import Indexes
from whatnext_service.core.same_saying import Question, Verdicts, ask_the_same, words_apart

SIMILARITY = 0.65
"""Two inputs are nearly the same from this Jaccard similarity of their words and pairs of words."""
RARE_SIMILARITY = 0.4
"""... and this similarity of those features that few rows share, so that filling one template does not count."""
EDITED_SIMILARITY = 0.3
"""Inputs less alike are nearly the same where one is the other with a word more or less, or a word misspelt."""
RARE_SHARE = 0.01
RARE_ROWS = 5
"""A feature is rare when it occurs in at most 1 % of the rows, or in five."""
MANY_NUMBERS = 8
MANY_NUMBERS_SIMILARITY = 0.75
"""Inputs that hold other numbers are not the same; but with eight numbers or more one of them may differ, where the
rare features are this alike."""
_WORDS_OF_A_NUMBER = 2

_BANDS = 21
_BAND_ROWS = 3
_WINDOW = 3
_PARTNERS = 3
_MIN_SIGNATURE = 0.33
_BLOCK_PAIRS = 1_024
_BLOCK_SIGNATURES = 65_536
_PENDING_PAIRS = 1_000_000
_MASK_32 = 0xFFFFFFFF
_MASK_64 = 0xFFFFFFFFFFFFFFFF

Likeness = npt.NDArray[np.float64]


class NearPairs(msgspec.Struct, frozen=True):
    """Pairs of rows, the earlier first, in ascending order, and how like their inputs are (0 to 1)."""

    first: Indexes
    second: Indexes
    similarity: Likeness


class Inputs(msgspec.Struct, frozen=True):
    """What inputs are compared by."""

    features: Features
    numbers: Numbers
    n_numbers: npt.NDArray[np.uint8]
    question: Question


class _Signatures(msgspec.Struct, frozen=True):
    """What a row is found by: a key for each band, and the low byte of each hash."""

    keys: npt.NDArray[np.uint32]
    """Shape (bands, rows)."""
    bytes: npt.NDArray[np.uint8]
    """Shape (rows, hashes)."""
    empty: Verdicts
    """Rows that share nothing with any other."""


def find_near_pairs(inputs: Inputs, rows: Indexes) -> NearPairs:
    """Find the pairs among `rows` (ascending) whose inputs are nearly the same and hold the same numbers.

    A pair of the threshold's likeness is seen with probability 0.98 where its rare features are as like, 0.75 where
    they are just like enough. In a crowd of equal signatures each row is compared with its neighbours, and with the
    three earlier rows at most that are most like it. Takes about 150 bytes a row beside the features.
    """
    counts = row_counts(inputs.features, rows)
    limit = max(RARE_ROWS, round(RARE_SHARE * len(rows)))
    signatures = _sign(inputs, rows, counts, limit)
    first, second = _candidates(signatures)
    similarity = np.empty(len(first))
    kept = np.zeros(len(first), dtype=np.bool_)
    for at in range(0, len(first), _BLOCK_PAIRS):
        block = slice(at, at + _BLOCK_PAIRS)
        a, b = rows[first[block]], rows[second[block]]
        all_like, rare_like = _jaccards(inputs.features, a, b, counts, limit)
        similarity[block] = all_like
        kept[block] = _nearly_the_same(inputs, a, b, all_like, rare_like)
    return NearPairs(rows[first[kept]], rows[second[kept]], similarity[kept])


def likeness(features: Features, first: Indexes, second: Indexes) -> Likeness:
    """Jaccard similarity of the words and pairs of words of each pair of texts; 1 for two texts without words."""
    result = np.empty(len(first))
    for at in range(0, len(first), _BLOCK_PAIRS):
        block = slice(at, at + _BLOCK_PAIRS)
        result[block] = _jaccards(features, first[block], second[block], None, 0)[0]
    return result


def pack_pairs(pairs: NearPairs) -> bytes:
    """Pack the pairs without their likeness: little-endian uint32, the earlier row and the later one."""
    return np.stack([pairs.first, pairs.second], axis=1).astype("<u4").tobytes()


def unpack_pairs(packed: bytes) -> NearPairs:
    """Undo `pack_pairs`; how like they were is gone."""
    rows = np.frombuffer(packed, dtype="<u4").reshape(-1, 2).astype(np.int64)
    return NearPairs(rows[:, 0], rows[:, 1], np.ones(len(rows)))


def _nearly_the_same(inputs: Inputs, a: Indexes, b: Indexes, all_like: Likeness, rare_like: Likeness) -> Verdicts:
    equal = inputs.numbers[a] == inputs.numbers[b]
    near: Verdicts = equal & (all_like >= SIMILARITY) & ~(rare_like < RARE_SIMILARITY)
    edited = np.flatnonzero(~near & equal & (all_like >= EDITED_SIMILARITY))
    near[edited] = ask_the_same(inputs.features, inputs.question, a[edited], b[edited])
    other = np.flatnonzero(~equal & (all_like >= SIMILARITY) & (rare_like >= MANY_NUMBERS_SIMILARITY))
    near[other] = words_apart(inputs.features, a[other], b[other]) <= _WORDS_OF_A_NUMBER
    return near


def _sign(inputs: Inputs, rows: Indexes, counts: Numbers, limit: int) -> _Signatures:
    """Hashes of the features that a row shares with few others; where it has none of these, with any other."""
    multipliers, masks = _constants(2 * _BANDS * _BAND_ROWS).reshape(2, -1)
    numbers = np.where(inputs.n_numbers[rows] < MANY_NUMBERS, inputs.numbers[rows], 0).astype(np.uint64)
    made = _Signatures(
        np.empty((_BANDS, len(rows)), dtype=np.uint32),
        np.empty((len(rows), _BANDS * _BAND_ROWS), dtype=np.uint8),
        np.ones(len(rows), dtype=np.bool_),
    )
    for block in inputs.features.blocks(rows):
        position, feature = inputs.features.of(rows[block])
        n_rows = counts[count_slot(feature)]
        shared, rare = n_rows > 1, (n_rows > 1) & (n_rows <= limit)
        bare = np.bincount(position[rare], minlength=block.stop - block.start) == 0
        used = rare | (shared & bare[position])
        position, feature = position[used], feature[used]
        hashes = np.full((block.stop - block.start, _BANDS * _BAND_ROWS), _MASK_32, dtype=np.uint32)
        if len(position):
            starts = np.flatnonzero(np.diff(position, prepend=-1))
            for column, (multiplier, mask) in enumerate(zip(multipliers, masks, strict=True)):
                hashed = (feature ^ mask) * (multiplier | np.uint32(1))
                hashes[position[starts], column] = np.minimum.reduceat(hashed, starts)
        made.empty[block] = np.bincount(position, minlength=len(hashes)) == 0
        made.bytes[block] = hashes & np.uint32(0xFF)
        for band in range(_BANDS):
            key: Keys = numbers[block]
            for column in range(band * _BAND_ROWS, (band + 1) * _BAND_ROWS):
                key = (key ^ hashes[:, column]) * np.uint64(0x9E3779B97F4A7C15)
                key ^= key >> np.uint64(29)
            made.keys[band, block] = key >> np.uint64(32)
    return made


def _candidates(signatures: _Signatures) -> tuple[Indexes, Indexes]:
    """Pairs of rows with an equal key; within a crowd of them neighbours by the keys of the next two bands."""
    found = _Promising(signatures.bytes)
    present = np.flatnonzero(~signatures.empty)
    keys = signatures.keys
    for band in range(_BANDS):
        own, next_, last = (keys[(band + step) % _BANDS, present].astype(np.uint64) for step in range(3))
        finer = (next_ >> np.uint64(16) << np.uint64(16)) | (last >> np.uint64(16))
        order = np.argsort((own << np.uint64(32)) | finer, kind="stable")
        ordered, rows = own[order], present[order]
        for step in range(1, _WINDOW + 1):
            equal = np.flatnonzero(ordered[:-step] == ordered[step:])
            found.add(rows[equal], rows[equal + step])
    return found.best()


class _Promising:
    """The candidates whose signatures agree well, and of these the best few of each later row."""

    def __init__(self, signatures: npt.NDArray[np.uint8]) -> None:
        self._signatures = signatures
        self._n_rows = max(len(signatures), 1)
        self._pairs: Keys = np.empty(0, dtype=np.uint64)
        self._agreement = np.empty(0, dtype=np.float32)
        self._pending: list[Keys] = []

    def add(self, a: Indexes, b: Indexes) -> None:
        """Take candidates, in any order and again and again."""
        self._pending.append((np.maximum(a, b) * self._n_rows + np.minimum(a, b)).astype(np.uint64))
        if sum(map(len, self._pending)) > _PENDING_PAIRS:
            self._choose()

    def best(self) -> tuple[Indexes, Indexes]:
        """The earlier and the later row of each pair that is worth comparing."""
        self._choose()
        pairs = self._pairs.astype(np.int64)
        order = np.lexsort((pairs // self._n_rows, pairs % self._n_rows))
        return pairs[order] % self._n_rows, pairs[order] // self._n_rows

    def _choose(self) -> None:
        new = distinct(np.concatenate([self._pairs[:0], *self._pending]))
        self._pending.clear()
        new = np.setdiff1d(new, self._pairs, assume_unique=True)
        agreement = self._agree(new)
        pairs = np.concatenate([self._pairs, new[agreement >= _MIN_SIGNATURE]])
        agreement = np.concatenate([self._agreement, agreement[agreement >= _MIN_SIGNATURE]])
        second = pairs // np.uint64(self._n_rows)
        order = np.lexsort((pairs, -agreement, second))
        starts = np.flatnonzero(np.append(True, second[order][1:] != second[order][:-1])) if len(order) else order
        rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
        kept = order[rank < _PARTNERS]
        self._pairs, self._agreement = pairs[kept], agreement[kept]

    def _agree(self, pairs: Keys) -> npt.NDArray[np.float32]:
        agreement = np.empty(len(pairs), dtype=np.float32)
        for at in range(0, len(pairs), _BLOCK_SIGNATURES):
            block = slice(at, at + _BLOCK_SIGNATURES)
            rows = pairs[block].astype(np.int64)
            a, b = (self._signatures[side] for side in (rows // self._n_rows, rows % self._n_rows))
            agreement[block] = (a == b).mean(axis=1)
        return agreement


def _jaccards(
    features: Features, first: Indexes, second: Indexes, counts: Numbers | None, limit: int
) -> tuple[Likeness, Likeness]:
    """Likeness by all features, and by the rare ones; NaN for two texts that have none of these."""
    shared: list[Likeness] = []
    a, b = features.keys(first), features.keys(second)
    for rare in (False, True):
        if rare and counts is not None:
            a, b = (side[counts[count_slot(feature_of(side))] <= limit] for side in (a, b))
        both = np.intersect1d(a, b, assume_unique=True)
        n_a, n_b, n_both = (per_text(keys, len(first)) for keys in (a, b, both))
        union = n_a + n_b - n_both
        shared.append(np.divide(n_both, union, out=np.full(len(first), np.nan if rare else 1.0), where=union > 0))
    return shared[0], shared[1]


def _constants(count: int) -> Numbers:
    values = []
    state = 0
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & _MASK_64
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK_64
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK_64
        values.append((mixed ^ (mixed >> 31)) & _MASK_32)
    return np.array(values, dtype=np.uint32)
