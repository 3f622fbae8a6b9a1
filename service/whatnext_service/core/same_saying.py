"""Whether two nearly equal prompts ask the same thing: then they are one, and different answers contradict."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from whatnext_service.core.corpus import split_words
from whatnext_service.core.features import Features, Keys, feature_of, hash_word, per_text
from whatnext_service.core.row_hashes import Indexes

Question = Callable[[int], str]
"""The beginning of a row's question."""
Verdicts = npt.NDArray[np.bool_]

_TURNING = np.array(
    [hash_word(word) for word in (b"not", b"no", b"never", b"without", b"t", b"non", b"except", b"nicht", b"pas")],
    dtype=np.uint32,
)
_MAX_MISSPELT = 2
_BLOCK_PAIRS = 1_024


def ask_the_same(features: Features, question: Question, first: Indexes, second: Indexes) -> Verdicts:
    """Tell for each pair of nearly equal prompts whether one only says more words than the other, or spells one or two
    otherwise, in the same order. A word exchanged for another ("gold" for "silver") or a negation asks something else.
    """
    result = np.empty(len(first), dtype=np.bool_)
    for at in range(0, len(first), _BLOCK_PAIRS):
        block = slice(at, at + _BLOCK_PAIRS)
        result[block] = _block_asks_the_same(features, question, first[block], second[block])
    return result


def words_apart(features: Features, first: Indexes, second: Indexes) -> Indexes:
    """For each pair of prompts how many words the one has that the other lacks, on the side that has more of them."""
    sides = _apart(features.word_keys(first), features.word_keys(second))
    return np.maximum(*(per_text(side, len(first)) for side in sides))


def _block_asks_the_same(features: Features, question: Question, first: Indexes, second: Indexes) -> Verdicts:
    only_a, only_b = _apart(features.word_keys(first), features.word_keys(second))
    n_a, n_b = (per_text(only, len(first)) for only in (only_a, only_b))
    turned = sum(per_text(only[np.isin(feature_of(only), _TURNING)], len(first)) for only in (only_a, only_b))
    same: Verdicts = (n_a == 0) | (n_b == 0)
    for at in np.flatnonzero(~same & (n_a == n_b) & (n_a <= _MAX_MISSPELT)):
        same[at] = _misspelt(question(first[at]), question(second[at]), int(n_a[at]))
    for apart, n_words in zip(_apart(features.keys(first), features.keys(second)), (n_a, n_b), strict=True):
        same &= per_text(apart, len(first)) <= 3 * n_words + 2
    return same & (turned == 0)


def _apart(a: Keys, b: Keys) -> tuple[Keys, Keys]:
    """What only one side of each pair has."""
    return np.setdiff1d(a, b, assume_unique=True), np.setdiff1d(b, a, assume_unique=True)


def _misspelt(a: str, b: str, n_words: int) -> bool:
    words_a, words_b = (set(split_words(text)) for text in (a, b))
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
    if any(chr(char).isdigit() for char in rest_a + rest_b):
        return False
    return max(len(rest_a), len(rest_b)) <= 1 or (len(rest_a) == 2 and rest_a == rest_b[::-1])
