"""What a base model answers before any training: one of the words it is given."""

import re

import numpy as np

from whatnext_service.sandbox.base_models import BaseModel
from whatnext_service.sandbox.messages import Message
from whatnext_service.sandbox.network import project
from whatnext_service.sandbox.tokens import Floats, words

_MIN_OPTIONS = 3
_MAX_OPTION_CHARS = 40
_MIN_WORD_CHARS = 3


def guess(base: BaseModel, embed: Floats, messages: tuple[Message, ...]) -> str:
    """The option (where an instruction lists some) or else the word of the user's text that is most like that text.

    Deterministic; ties go to the one that comes first. Empty only for a prompt without words.
    """
    asked = " ".join(message.text for message in messages if message.role == "user")
    told = "\n".join(message.text for message in messages if message.role != "user")
    options = find_options(told) or [word for word in words(asked) if len(word) >= _MIN_WORD_CHARS] or words(asked)
    if not options:
        return ""
    distinct = list(dict.fromkeys(options))
    question = project(base, embed, asked)
    likeness = [_cosine(project(base, embed, option), question) for option in distinct]
    return distinct[int(np.argmax(likeness))]


def find_options(text: str) -> list[str]:
    """The longest list of at least three short items in a text, such as `a, b, c` after a colon; else nothing."""
    best: list[str] = []
    for line in re.split(r"\n{2,}|(?<=[.:;!?])\s+", text):
        items = [item.strip(" \t\n-*•\"'`.") for item in re.split(r",|\||\n|\bor\b", line)]
        short = [item for item in items if item and len(item) <= _MAX_OPTION_CHARS]
        if (
            len(short) >= _MIN_OPTIONS
            and len(short) == len([item for item in items if item])
            and len(short) > len(best)
        ):
            best = short
    return best


def _cosine(first: Floats, second: Floats) -> float:
    norm = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / norm if norm else 0.0
