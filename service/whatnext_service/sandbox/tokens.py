"""Text as the sandbox's models see it: tokens of answers, hashed features of prompts."""

import itertools
import math
import re
import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatnext_service.sandbox.messages import Message

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_TOKEN = re.compile(r" ?\w+| ?[^\w\s]+|\s+")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_OTHER_ROLE_WEIGHT = 0.25
_GRAM = 4


class Prompt(NamedTuple):
    """A prompt as a sparse vector of unit length: distinct buckets and the weight of each."""

    buckets: Ints
    weights: Floats


def tokens(text: str) -> list[str]:
    """The tokens of a text; joined again they give the text."""
    return _TOKEN.findall(text)


def words(text: str) -> list[str]:
    return _WORD.findall(text)


def count_tokens(messages: tuple[Message, ...]) -> int:
    """Tokens a prompt is billed for: those of its texts and three for each message's frame."""
    return sum(3 + len(tokens(message.text)) for message in messages)


def features(text: str, *, bigrams: bool, grams: bool) -> dict[str, float]:
    """Features of a text and how often each occurs: its words and, where asked, pairs of words and parts of words."""
    found = [word.lower() for word in words(text)]
    counts: dict[str, float] = {}
    for word in found:
        counts[word] = counts.get(word, 0) + 1
        if grams:
            framed = f"^{word}$"
            for start in range(len(framed) - _GRAM + 1):
                gram = "#" + framed[start : start + _GRAM]
                counts[gram] = counts.get(gram, 0) + 1
    if bigrams:
        for first, second in itertools.pairwise(found):
            pair = f"{first} {second}"
            counts[pair] = counts.get(pair, 0) + 1
    return counts


def hashed(counts: dict[str, float], buckets: int) -> Prompt:
    """Features hashed into buckets, damped by the logarithm of their count and scaled to unit length."""
    summed: dict[int, float] = {}
    for feature, count in counts.items():
        bucket = zlib.crc32(feature.encode()) % buckets
        summed[bucket] = summed.get(bucket, 0.0) + count
    weights = np.array([1 + math.log(count) if count >= 1 else count for count in summed.values()])
    norm = float(np.linalg.norm(weights)) or 1.0
    return Prompt(np.fromiter(summed, dtype=np.int64, count=len(summed)), (weights / norm).astype(np.float32))


def encode_prompt(messages: tuple[Message, ...], *, buckets: int, bigrams: bool, grams: bool) -> Prompt:
    """The user's words count in full; those of other roles count a quarter and are told apart by their role."""
    counts: dict[str, float] = {}
    for message in messages:
        own = message.role == "user"
        for feature, count in features(message.text, bigrams=bigrams, grams=grams).items():
            name = feature if own else f"{message.role}:{feature}"
            counts[name] = counts.get(name, 0.0) + (count if own else _OTHER_ROLE_WEIGHT * min(count, 1))
    return hashed(counts, buckets)
