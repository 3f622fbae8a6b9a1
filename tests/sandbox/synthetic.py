"""A made-up classification task: each label has words of its own, drowned in words that mean nothing."""

import json
import random
from collections.abc import Sequence

from whatnext_service.sandbox.messages import Example, Message

LABELS = ("billing", "delivery", "returns", "account", "outage", "praise", "legal", "press")
INSTRUCTION = "Name the department this letter belongs to."
_SYLLABLES = ("ka", "lo", "mi", "tu", "ren", "sol", "vap", "dex", "pru", "ni", "gor", "fel")


def make_rows(count: int, *, seed: int) -> list[tuple[str, str]]:
    """Pairs of text and label; the same task for every seed, other texts."""
    vocabulary = random.Random(4711)
    words = ["".join(vocabulary.sample(_SYLLABLES, 3)) for _ in range(500)]
    own = {label: words[20 * index : 20 * index + 20] for index, label in enumerate(LABELS)}
    filler = words[20 * len(LABELS) :]
    draw = random.Random(seed)
    rows = []
    for index in range(count):
        label = LABELS[index % len(LABELS)]
        text = draw.sample(own[label], 3) + draw.sample(filler, 9)
        draw.shuffle(text)
        rows.append((" ".join(text), label))
    return rows


def mislabel(rows: Sequence[tuple[str, str]], share: float) -> list[tuple[str, str]]:
    """The same texts, a share of them with a label drawn at random."""
    draw = random.Random(1)
    return [(text, draw.choice(LABELS) if draw.random() < share else label) for text, label in rows]


def to_messages(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": text}]


def to_jsonl(rows: Sequence[tuple[str, str]]) -> bytes:
    lines = (
        json.dumps({"messages": [*to_messages(text), {"role": "assistant", "content": label}]}) for text, label in rows
    )
    return ("\n".join(lines) + "\n").encode()


def to_examples(rows: Sequence[tuple[str, str]]) -> list[Example]:
    system = Message(role="system", text=INSTRUCTION)
    return [Example(prompt=(system, Message(role="user", text=text)), answer=label) for text, label in rows]
