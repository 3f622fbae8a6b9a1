"""Pairs of texts that say nearly the same, among many, in time that grows with their number: MinHash and banding."""

from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from whatnext_service.core.corpus import Numbers, Words
from whatnext_service.core.row_hashes import Indexes

SIMILARITY = 0.65
"""Two inputs are nearly the same from this Jaccard similarity of their words and pairs of words."""
RARE_SIMILARITY = 0.4
"""... and this similarity of those features that few rows share, so that filling one template does not count."""
RARE_SHARE = 0.01
RARE_ROWS = 5
"""A feature is rare when it occurs in at most 1 % of the rows, or in five."""

BLOCK_WORDS = 250_000

_BANDS = 21
_BAND_ROWS = 3
_WINDOW = 3
_PARTNERS = 3
_MIN_SIGNATURE = 0.33
_BLOCK_PAIRS = 1_024
_BLOCK_SIGNATURES = 65_536
_PENDING_PAIRS = 1_000_000
_TABLE_BITS = 22
_MASK_32 = 0xFFFFFFFF
_MASK_64 = 0xFFFFFFFFFFFFFFFF

Likeness = npt.NDArray[np.float64]
Keys = npt.NDArray[np.uint64]


class NearPairs(msgspec.Struct, frozen=True):
    """Pairs of rows, the earlier first, in ascending order, and how like their inputs are (0 to 1)."""

    first: Indexes
    second: Indexes
    similarity: Likeness


def find_near_pairs(words: Words, numbers: Numbers, rows: Indexes) -> NearPairs:
    """Find the pairs among `rows` (ascending) whose inputs are nearly the same and hold the same numbers.

    A pair of the threshold's likeness is seen with probability 0.98 where its rare features are as like, 0.75 where
    they are just like enough. In a crowd of equal signatures each row is compared with its neighbours, and with the
    three earlier rows at most that are most like it.
    """
    counts = row_counts(words, rows)
    limit = max(RARE_ROWS, round(RARE_SHARE * len(rows)))
    signatures = _signatures(words, rows, counts, limit)
    first, second = _candidates(signatures, numbers[rows])
    first, second = _most_promising(signatures, first, second)
    similarity = np.empty(len(first))
    kept = np.zeros(len(first), dtype=np.bool_)
    for at in range(0, len(first), _BLOCK_PAIRS):
        block = slice(at, at + _BLOCK_PAIRS)
        all_like, rare_like = _jaccards(words, rows[first[block]], rows[second[block]], counts, limit)
        similarity[block] = all_like
        kept[block] = (all_like >= SIMILARITY) & (rare_like >= RARE_SIMILARITY)
    return NearPairs(rows[first[kept]], rows[second[kept]], similarity[kept])


def likeness(words: Words, first: Indexes, second: Indexes) -> Likeness:
    """Jaccard similarity of the words and pairs of words of each pair of texts; 1 for two texts without words."""
    result = np.empty(len(first))
    for at in range(0, len(first), _BLOCK_PAIRS):
        block = slice(at, at + _BLOCK_PAIRS)
        result[block] = _jaccards(words, first[block], second[block], None, 0)[0]
    return result


def join_words(parts: tuple[Words, ...]) -> Words:
    """Put the texts of several corpora one after the other."""
    starts = np.cumsum([0, *(len(part.hashes) for part in parts)])
    offsets = [part.offsets[:-1] + start for part, start in zip(parts, starts[:-1], strict=True)]
    return Words(np.concatenate([part.hashes for part in parts]), np.append(np.concatenate(offsets), starts[-1]))


def pack_pairs(pairs: NearPairs) -> bytes:
    """Pack the pairs without their likeness: little-endian uint32, the earlier row and the later one."""
    return np.stack([pairs.first, pairs.second], axis=1).astype("<u4").tobytes()


def unpack_pairs(packed: bytes) -> NearPairs:
    """Undo `pack_pairs`; how like they were is gone."""
    rows = np.frombuffer(packed, dtype="<u4").reshape(-1, 2).astype(np.int64)
    return NearPairs(rows[:, 0], rows[:, 1], np.ones(len(rows)))


def features(words: Words, rows: Indexes) -> tuple[Indexes, Numbers]:
    """The distinct features (words, pairs of neighbouring words) of some texts: position in `rows`, and feature."""
    position, word = _gather(words, rows)
    neighbours = position[:-1] == position[1:]
    pair = (word[:-1] * np.uint32(0x9E3779B1)) ^ (word[1:] * np.uint32(0x85EBCA77) + np.uint32(0x27D4EB2F))
    feature = np.concatenate([word, pair[neighbours]]) * np.uint32(0xC2B2AE3D)
    keys = _distinct((np.concatenate([position, position[:-1][neighbours]]) << np.uint64(32)) | feature)
    return (keys >> np.uint64(32)).astype(np.int64), (keys & np.uint64(_MASK_32)).astype(np.uint32)


def words_apart(words: Words, first: Indexes, second: Indexes) -> tuple[Keys, Keys]:
    """The words that only one text of each pair has, of the first and of the second: pair << 32 | word's hash."""
    a, b = (_distinct((at << np.uint64(32)) | word) for at, word in (_gather(words, first), _gather(words, second)))
    return np.setdiff1d(a, b, assume_unique=True), np.setdiff1d(b, a, assume_unique=True)


def features_apart(words: Words, first: Indexes, second: Indexes) -> tuple[Keys, Keys]:
    """The features that only one text of each pair has, in the same form."""
    a, b = (_keys(*features(words, side)) for side in (first, second))
    return np.setdiff1d(a, b, assume_unique=True), np.setdiff1d(b, a, assume_unique=True)


def per_pair(keys: Keys, n_pairs: int) -> Indexes:
    """How many keys each pair has."""
    return np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=n_pairs)


def _gather(words: Words, rows: Indexes) -> tuple[Keys, Numbers]:
    lengths = words.offsets[rows + 1] - words.offsets[rows]
    ends = np.cumsum(lengths)
    at = np.repeat(words.offsets[rows] - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)
    return np.repeat(np.arange(len(rows), dtype=np.uint64), lengths), words.hashes[at]


def blocks(words: Words, rows: Indexes, n_words: int = BLOCK_WORDS) -> list[slice]:
    """Cut `rows` into runs of about so many words."""
    ends = np.cumsum(words.offsets[rows + 1] - words.offsets[rows])
    cuts = np.flatnonzero(np.diff(ends // n_words)) + 1 if len(ends) else ends
    edges = [0, *(int(cut) for cut in cuts), len(rows)]
    return [slice(a, b) for a, b in pairwise(edges) if b > a]


def _distinct(values: Keys) -> Keys:
    """Sorted distinct values; several times faster than `numpy.unique`, which hashes."""
    values.sort()
    return values[np.append(True, values[1:] != values[:-1])] if len(values) else values


def row_counts(words: Words, rows: Indexes) -> Numbers:
    """How many of `rows` have a feature, under its `count_slot`. A slot is shared by what hashes alike."""
    counts = np.zeros(1 << _TABLE_BITS, dtype=np.uint32)
    for block in blocks(words, rows):
        _, feature = features(words, rows[block])
        np.add.at(counts, count_slot(feature), np.uint32(1))
    return counts


def count_slot(feature: Numbers) -> Numbers:
    """Where `row_counts` counts a feature."""
    return feature >> np.uint32(32 - _TABLE_BITS)


def _signatures(words: Words, rows: Indexes, counts: Numbers, limit: int) -> Numbers:
    multipliers, masks = _constants(2 * _BANDS * _BAND_ROWS).reshape(2, -1)
    signatures = np.full((len(rows), _BANDS * _BAND_ROWS), _MASK_32, dtype=np.uint32)
    for block in blocks(words, rows):
        position, feature = features(words, rows[block])
        rare = counts[count_slot(feature)] <= limit
        bare = np.bincount(position[rare], minlength=block.stop - block.start) == 0
        used = rare | bare[position]
        position, feature = position[used], feature[used]
        if not len(position):
            continue
        starts = np.flatnonzero(np.diff(position, prepend=-1))
        at = position[starts] + block.start
        for column, (multiplier, mask) in enumerate(zip(multipliers, masks, strict=True)):
            signatures[at, column] = np.minimum.reduceat((feature ^ mask) * (multiplier | np.uint32(1)), starts)
    return signatures


def _candidates(signatures: Numbers, numbers: Numbers) -> tuple[Indexes, Indexes]:
    n_rows = len(signatures)
    found: list[Keys] = [np.empty(0, dtype=np.uint64)]
    empty = (signatures == _MASK_32).all(axis=1)
    for band in range(_BANDS):
        key: Keys = numbers.astype(np.uint64)
        for column in range(band * _BAND_ROWS, (band + 1) * _BAND_ROWS):
            key = (key ^ signatures[:, column]) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        order = np.argsort(key, kind="stable")
        order = order[~empty[order]]
        ordered = key[order]
        for step in range(1, _WINDOW + 1):
            equal = np.flatnonzero(ordered[:-step] == ordered[step:])
            found.append((order[equal] * n_rows + order[equal + step]).astype(np.uint64))
        if sum(map(len, found[1:])) > _PENDING_PAIRS:
            found = [_distinct(np.concatenate(found))]
    pairs = _distinct(np.concatenate(found)).astype(np.int64)
    return pairs // max(n_rows, 1), pairs % max(n_rows, 1)


def _most_promising(signatures: Numbers, first: Indexes, second: Indexes) -> tuple[Indexes, Indexes]:
    """The pairs whose signatures agree well, and of these the best few of each later row."""
    agreement = np.empty(len(first))
    for at in range(0, len(first), _BLOCK_SIGNATURES):
        block = slice(at, at + _BLOCK_SIGNATURES)
        agreement[block] = (signatures[first[block]] == signatures[second[block]]).mean(axis=1)
    good = np.flatnonzero(agreement >= _MIN_SIGNATURE)
    good = good[np.lexsort((first[good], -agreement[good], second[good]))]
    starts = np.flatnonzero(np.diff(second[good], prepend=-1))
    rank = np.arange(len(good)) - np.repeat(starts, np.diff(np.append(starts, len(good))))
    kept = np.sort(good[rank < _PARTNERS])
    return first[kept], second[kept]


def _jaccards(
    words: Words, first: Indexes, second: Indexes, counts: Numbers | None, limit: int
) -> tuple[Likeness, Likeness]:
    shared: list[Likeness] = []
    a, b = (_keys(*features(words, side)) for side in (first, second))
    for rare in (False, True):
        if rare and counts is not None:
            a, b = (
                side[counts[count_slot((side & np.uint64(_MASK_32)).astype(np.uint32))] <= limit] for side in (a, b)
            )
        both = np.intersect1d(a, b, assume_unique=True)
        n_a, n_b, n_both = (per_pair(keys, len(first)) for keys in (a, b, both))
        union = n_a + n_b - n_both
        shared.append(np.divide(n_both, union, out=np.ones(len(first)), where=union > 0))
    return shared[0], shared[1]


def _keys(position: Indexes, feature: Numbers) -> Keys:
    return (position.astype(np.uint64) << np.uint64(32)) | feature


def _constants(count: int) -> Numbers:
    values = []
    state = 0
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & _MASK_64
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK_64
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK_64
        values.append((mixed ^ (mixed >> 31)) & _MASK_32)
    return np.array(values, dtype=np.uint32)
