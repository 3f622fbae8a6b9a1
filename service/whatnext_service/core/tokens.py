"""Token counts without a tokenizer's vocabulary."""

import re

TOKENS_PER_MESSAGE = 4
"""What a chat template adds around one message."""

_PIECE = re.compile(r"[A-Za-z]{1,9}|\d{1,2}|[^\w\s]{1,2}|[^\x00-\x7f]|_")


def estimate_tokens(text: str) -> int:
    """Estimate a text's tokens as its pieces: of words 9 letters, of numbers 2 digits, of punctuation 2, else 1.

    Against OpenAI's o200k vocabulary on 38 real files (3.2 million characters): 2 % too few in all, 16 % too few to
    17 % too many on one file. No vocabulary is loaded, so nothing is downloaded.
    """
    return len(_PIECE.findall(text))
