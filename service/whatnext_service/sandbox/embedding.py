"""The sandbox's embedding model: a text's words, pairs of words and parts of words, hashed into a vector.

It knows nothing of meaning. Texts are alike as far as they share words and parts of words; unrelated ones are near 0,
because each feature is added or subtracted by a bit of its own hash.
"""

import zlib

import numpy as np

from whatnext_service.sandbox.tokens import Floats, features

EMBEDDING_MODEL = "sandbox-hashed-ngrams"
DIMENSIONS = 512
MAX_TEXTS = 2048
CREATED = 1_795_219_200
"""Unix seconds."""


def embed(text: str) -> Floats:
    """A vector of unit length; a text without words is the first axis."""
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    for feature, count in features(text, bigrams=True, grams=True).items():
        number = zlib.crc32(feature.encode(errors="replace"))
        vector[number % DIMENSIONS] += count if number >> 31 else -count
    length = float(np.linalg.norm(vector))
    if length == 0.0:
        vector[0] = length = 1.0
    return vector / np.float32(length)
