"""Whether two nearly equal prompts ask the same thing, so that different answers to them contradict each other."""

from zlib import crc32

import numpy as np
import numpy.typing as npt

from whatnext_service.core.corpus import Words, decode_excerpt, split_words
from whatnext_service.core.near_pairs import features_apart, per_pair, words_apart
from whatnext_service.core.row_hashes import Indexes

_TURNING = tuple(
    crc32(word) for word in (b"not", b"no", b"never", b"without", b"t", b"non", b"except", b"nicht", b"pas")
)
_MAX_MISSPELT = 2
_BLOCK_PAIRS = 1_024


def ask_the_same(words: Words, excerpts: tuple[bytes, ...], first: Indexes, second: Indexes) -> npt.NDArray[np.bool_]:
    """Tell for each pair of nearly equal prompts whether one only says more words than the other, or spells one or two
    otherwise, in the same order. A word exchanged for another ("gold" for "silver") or a negation asks something else.
    """
    result = np.empty(len(first), dtype=np.bool_)
    for at in range(0, len(first), _BLOCK_PAIRS):
        block = slice(at, at + _BLOCK_PAIRS)
        result[block] = _block_asks_the_same(words, excerpts, first[block], second[block])
    return result


def _block_asks_the_same(
    words: Words, excerpts: tuple[bytes, ...], first: Indexes, second: Indexes
) -> npt.NDArray[np.bool_]:
    only_a, only_b = words_apart(words, first, second)
    n_a, n_b = (per_pair(only, len(first)) for only in (only_a, only_b))
    turned = sum(per_pair(only[np.isin(only.astype(np.uint32), _TURNING)], len(first)) for only in (only_a, only_b))
    same: npt.NDArray[np.bool_] = (n_a == 0) | (n_b == 0)
    for at in np.flatnonzero(~same & (n_a == n_b) & (n_a <= _MAX_MISSPELT)):
        same[at] = _misspelt(excerpts[first[at]], excerpts[second[at]], int(n_a[at]))
    for apart, n_words in zip(features_apart(words, first, second), (n_a, n_b), strict=True):
        same &= per_pair(apart, len(first)) <= 3 * n_words + 2
    return same & (turned == 0)


def _misspelt(a: bytes, b: bytes, n_words: int) -> bool:
    words_a, words_b = (set(split_words(decode_excerpt(text))) for text in (a, b))
    only_a, only_b = sorted(words_a - words_b), sorted(words_b - words_a)
    if len(only_a) != n_words or len(only_b) != n_words:
        return False
    return all(any(_one_slip(word, other) for other in only_b) for word in only_a)


def _one_slip(a: bytes, b: bytes) -> bool:
    """One letter left out, put in or exchanged, or two neighbours swapped, in a word of four letters or more."""
    if min(len(a), len(b)) < 3 or max(len(a), len(b)) < 4 or abs(len(a) - len(b)) > 1:
        return False
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    rest_a, rest_b = a[start : len(a) - end], b[start : len(b) - end]
    return max(len(rest_a), len(rest_b)) <= 1 or (len(rest_a) == 2 and rest_a == rest_b[::-1])
