"""Text similarity against the figures of reference implementations.

BLEU (smoothing method 2), GLEU and METEOR (exact stage) by nltk 3.10.4, ROUGE by rouge-score 0.1.2 without stemmer.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatnext_service.core.grader_types import Score, ScoreError, TextSimilarity
from whatnext_service.core.text_similarity import cosine_score, text_similarity, words

CAT = ("the cat sat on the mat", "the cat is on the mat")
LAKE = ("a small red house by the lake", "by the lake stands a small house")
PARTY = (
    "It is a guide to action which ensures that the military always obeys the commands of the party",
    "It is a guide to action that ensures that the military will forever heed Party commands",
)
METRICS = ["fuzzy_match", "bleu", "gleu", "meteor", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"]


@pytest.mark.parametrize(
    ("texts", "metric", "value"),
    [
        (CAT, "bleu", 0.485492),
        (CAT, "gleu", 0.5),
        (CAT, "meteor", 0.806667),
        (CAT, "rouge_1", 0.833333),
        (CAT, "rouge_2", 0.6),
        (CAT, "rouge_3", 0.25),
        (CAT, "rouge_l", 0.833333),
        (LAKE, "bleu", 0.425090),
        (LAKE, "gleu", 0.454545),
        (LAKE, "meteor", 0.803571),
        (LAKE, "rouge_1", 0.857143),
        (LAKE, "rouge_2", 0.5),
        (LAKE, "rouge_3", 0.2),
        (LAKE, "rouge_l", 0.428571),
        (PARTY, "bleu", 0.455087),
        (PARTY, "gleu", 0.454545),
        (PARTY, "rouge_1", 0.705882),
        (PARTY, "rouge_2", 0.5),
        (PARTY, "rouge_3", 0.4),
        (PARTY, "rouge_l", 0.647059),
        (("abcd", "abed"), "fuzzy_match", 0.75),
    ],
)
def test_value(texts: tuple[str, str], metric: str, value: float) -> None:
    assert text_similarity(*texts, metric) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_ends_of_the_scale(metric: str) -> None:
    assert text_similarity("one two three four five six", "one two three four five six", metric) == 1.0
    assert text_similarity("", "", metric) == 1.0
    assert text_similarity("", "one two", metric) == 0.0
    assert text_similarity("xyz", "", metric) == 0.0


@pytest.mark.parametrize("metric", METRICS)
@given(candidate=st.text(max_size=40), reference=st.text(max_size=40))
def test_always_between_0_and_1(metric: str, candidate: str, reference: str) -> None:
    assert 0.0 <= text_similarity(candidate, reference, metric) <= 1.0


def test_han_characters_are_words_of_their_own() -> None:
    assert words("食品安全 Problem") == ["食", "品", "安", "全", "problem"]
    assert 0.0 < text_similarity("是食品安全問題", "非食品安全問題", "rouge_1") < 1.0


def test_cosine_is_never_guessed() -> None:
    with pytest.raises(ValueError, match="embedding"):
        text_similarity("a", "b", "cosine")


ALIKE = TextSimilarity(name="a", input="", reference="", evaluation_metric="cosine")


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ((1.0, 0.0), (5.0, 0.0), 1.0),
        ((1.0, 0.0), (0.0, 2.0), 0.0),
        ((1.0, 0.0), (-1.0, 0.0), 0.0),
        ((3.0, 4.0), (4.0, 3.0), 0.96),
        ((1e200, 1e200), (1e-200, 1e-200), 1.0),
    ],
)
def test_cosine_of_two_vectors(first: tuple[float, ...], second: tuple[float, ...], value: float) -> None:
    scored = cosine_score(ALIKE, (first, second))
    assert isinstance(scored, Score)
    assert scored.value == pytest.approx(value)


@pytest.mark.parametrize(
    "vectors",
    [(), ((1.0,),), ((1.0, 0.0), (1.0,)), ((0.0, 0.0), (1.0, 0.0)), ((1e308, 1e308), (1e308, 1e308))],
)
def test_vectors_without_a_direction_or_a_match_are_no_score(vectors: tuple[tuple[float, ...], ...]) -> None:
    found = cosine_score(ALIKE, vectors)
    assert isinstance(found, ScoreError)
    assert found.fault == "embedding_error"
