"""A row of a dataset in one shape, whatever its format, so that rows compare by what they say."""

import re
import unicodedata

import msgspec

from whatnext_service.core.datasets import Trait
from whatnext_service.core.loops import Method

TURN = "\x1e"
"""Stands before each turn of a row's input."""
SIDE = "\x1f"
"""Stands between a role and what it says."""

_LEGACY_SEPARATOR = re.compile(r"(?:\s*(?:###+|->|=>))+\s*$")


class GraderField(msgspec.Struct, frozen=True):
    """A field beside the messages of an RFT row, which the grader reads."""

    name: str
    value: str
    """Canonical JSON."""


class Row(msgspec.Struct, kw_only=True, frozen=True):
    """One example. Every text is in Unicode NFC with white space folded to single spaces; case is kept.

    The prompt is `context` and `input` together. They are apart because an example is the same example under another
    system prompt, but two examples under different system prompts may rightly have different answers.
    """

    method: Method
    context: str
    """System and developer messages and the tools on offer; empty when there are none."""
    input: str
    """The other turns before the answer, each as TURN, role, SIDE, text."""
    question: str
    """The last user turn's text; empty when there is none."""
    answer: str
    """What is to be learnt: the last assistant turn (SFT), the preferred output (DPO), the grader's fields (RFT)."""
    rejected: str
    """DPO: the output that is not preferred; empty otherwise."""
    fields: tuple[GraderField, ...]
    """RFT: the grader's fields, by name; empty otherwise."""
    system: str
    """The system and developer messages alone."""
    n_tokens: int
    """Estimated tokens of the whole row (`estimate_tokens`)."""
    n_answer_tokens: int
    """Estimated tokens of the answer alone."""
    traits: frozenset[Trait]


def fold(text: str) -> str:
    """Bring a text into the form that is compared: Unicode NFC, runs of white space as one space, ends trimmed."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def bare_legacy(text: str) -> str:
    """A legacy prompt or completion without the separator (`###`, `->`) and the spaces the old format wanted."""
    return _LEGACY_SEPARATOR.sub("", text).strip()


def turn(role: str, text: str) -> str:
    """One turn of a row's input."""
    return f"{TURN}{role}{SIDE}{text}"
