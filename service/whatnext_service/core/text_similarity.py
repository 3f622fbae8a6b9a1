"""How alike two texts are, 0 to 1, by the metrics of OpenAI's `text_similarity` grader.

Words are runs of letters and digits; Han and kana characters, written without spaces, are words of their own.
Two empty texts are alike, an empty one and another are not.
"""

import re
from collections import Counter
from collections.abc import Sequence
from math import exp, fsum, hypot, isfinite, log
from operator import mul
from typing import assert_never

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from whatnext_service.core.grader_types import Score, ScoreError, SimilarityMetric, TextSimilarity

MAX_ORDER = 4
"""Longest n-gram of BLEU and GLEU, as in their papers."""
_WORD = re.compile(r"[぀-ヿ㐀-䶿一-鿿豈-﫿]|[^\W_぀-ヿ㐀-䶿一-鿿豈-﫿]+")


def text_similarity(candidate: str, reference: str, metric: SimilarityMetric) -> float:
    """Similarity of a candidate to a reference. `cosine` needs a model's vectors: see `cosine_score`."""
    if metric == "fuzzy_match":
        return fuzz.ratio(candidate, reference) / 100.0
    left, right = words(candidate), words(reference)
    if left == right:
        return 1.0
    match metric:
        case "bleu":
            return bleu(left, right)
        case "gleu":
            return gleu(left, right)
        case "meteor":
            return meteor(left, right)
        case "rouge_l":
            return f_measure(LCSseq.similarity(left, right), len(left), len(right))
        case "rouge_1" | "rouge_2" | "rouge_3" | "rouge_4" | "rouge_5":
            return rouge_n(left, right, int(metric[-1]))
        case "cosine":
            raise ValueError("cosine similarity needs an embedding model")
        case _:
            assert_never(metric)


def cosine_score(grader: TextSimilarity, vectors: tuple[tuple[float, ...], ...]) -> Score | ScoreError:
    """The cosine of the angle between two vectors; what points away from each other counts as not alike, 0."""
    if len(vectors) != 2 or len(vectors[0]) != len(vectors[1]):
        return ScoreError(fault="embedding_error", detail="the model did not give two vectors of one length")
    lengths = hypot(*vectors[0]) * hypot(*vectors[1])
    if not isfinite(lengths) or lengths == 0.0:
        return ScoreError(fault="embedding_error", detail="a vector has no direction")
    return similarity_score(grader, min(1.0, max(0.0, fsum(map(mul, *vectors)) / lengths)))


def similarity_score(grader: TextSimilarity, value: float) -> Score:
    """A similarity as the grader's score."""
    passed = None if grader.pass_threshold is None else value >= grader.pass_threshold
    return Score(value=value, low=0.0, high=1.0, passed=passed)


def words(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return _WORD.findall(text.lower())


def bleu(candidate: Sequence[str], reference: Sequence[str]) -> float:
    """Sentence BLEU-4 with brevity penalty; orders above 1 have one added to both counts (Lin and Och 2004)."""
    if not candidate or not reference:
        return 0.0
    total = 0.0
    for order in range(1, MAX_ORDER + 1):
        found, offered = _overlap(candidate, reference, order), max(0, len(candidate) - order + 1)
        if order > 1:
            found, offered = found + 1, offered + 1
        if found == 0:
            return 0.0
        total += log(found / offered)
    penalty = min(0.0, 1.0 - len(reference) / len(candidate))
    return exp(penalty + total / MAX_ORDER)


def gleu(candidate: Sequence[str], reference: Sequence[str]) -> float:
    """The smaller of precision and recall over all n-grams of one to four words (Wu et al. 2016)."""
    found = sum(_overlap(candidate, reference, order) for order in range(1, MAX_ORDER + 1))
    longest = max(_n_grams_up_to(len(candidate)), _n_grams_up_to(len(reference)))
    return found / longest if longest else 0.0


def rouge_n(candidate: Sequence[str], reference: Sequence[str], order: int) -> float:
    """F measure over n-grams (Lin 2004); 0 when either text is shorter than an n-gram."""
    found = _overlap(candidate, reference, order)
    return f_measure(found, len(candidate) - order + 1, len(reference) - order + 1)


def meteor(candidate: Sequence[str], reference: Sequence[str]) -> float:
    """METEOR on exact words, without stems and synonyms (Banerjee and Lavie 2005).

    F mean 10 P R / (R + 9 P), less half the cube of chunks per matched word.
    """
    places: dict[str, list[int]] = {}
    for index in range(len(reference) - 1, -1, -1):
        places.setdefault(reference[index], []).append(index)
    n_matched = n_chunks = 0
    previous: int | None = None
    for word in candidate:
        open_places = places.get(word)
        if not open_places:
            previous = None
            continue
        follows = previous is not None and previous + 1 in open_places
        place = previous + 1 if follows and previous is not None else open_places[-1]
        open_places.remove(place)
        n_matched += 1
        n_chunks += not follows
        previous = place
    if n_matched == 0:
        return 0.0
    precision, recall = n_matched / len(candidate), n_matched / len(reference)
    f_mean = 10.0 * precision * recall / (recall + 9.0 * precision)
    return f_mean * (1.0 - 0.5 * (n_chunks / n_matched) ** 3)


def f_measure(found: int, n_candidate: int, n_reference: int) -> float:
    """Harmonic mean of precision and recall."""
    return 2.0 * found / (n_candidate + n_reference) if found else 0.0


def _overlap(candidate: Sequence[str], reference: Sequence[str], order: int) -> int:
    return (_n_grams(candidate, order) & _n_grams(reference, order)).total()


def _n_grams(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(tokens[start:] for start in range(order)), strict=False))


def _n_grams_up_to(n_tokens: int) -> int:
    return sum(max(0, n_tokens - order + 1) for order in range(1, MAX_ORDER + 1))
