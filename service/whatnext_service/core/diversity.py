"""Input types that a model fails on, and how many training examples there are of each."""

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from whatnext_service.core.corpus import split_words
from whatnext_service.core.dataset_rows import Row

MAX_GROUPS = 20
N_TERMS = 8
MIN_TERM_LETTERS = 3
JOIN_LIKENESS = 0.2
"""An item joins the group whose terms it is most like, from this cosine similarity."""
COVERED_SHARE = 0.3
"""A training row is of a group's type when it has words worth this share of the weight of the group's terms."""
FEW_EXAMPLES = 10
"""Below this many training rows of a type it counts as missing."""


class ScoredItem(msgspec.Struct, kw_only=True, frozen=True):
    """An item of an evaluation."""

    item_id: str
    prompt: str
    tags: tuple[str, ...]
    failed: bool


class FailureGroup(msgspec.Struct, kw_only=True, frozen=True):
    """Failing items of one type."""

    name: str
    """The tag, or the first terms."""
    tag: str | None
    """Null for a group found by the likeness of its texts."""
    terms: tuple[str, ...]
    """Words that tell the group from the rest, most telling first."""
    n_failed: int
    n_items: int | None
    """Items with the tag; null for a group found by likeness."""
    item_ids: tuple[str, ...]
    n_training_rows: int
    """Training rows of the same type."""
    training_share: float
    statement: str


class FailingType(msgspec.Struct, kw_only=True, frozen=True):
    """Failing items of one type, before the training data is looked at."""

    tag: str | None
    n_items: int | None
    item_ids: tuple[str, ...]
    first_prompt: str
    weights: dict[str, float]
    """The words that tell the group from the rest, most telling first, and how rare each is among the items."""


def find_types(items: tuple[ScoredItem, ...]) -> tuple[FailingType, ...]:
    """Group the failing items by tag, and those without a tag by likeness of text; most failures first, at most 20."""
    texts = {item.item_id: _terms_of(item.prompt) for item in items}
    frequency = Counter(word for words in texts.values() for word in words)
    rarity = {word: math.log((1 + len(items)) / count) for word, count in frequency.items()}
    failing = [item for item in items if item.failed]
    by_tag: dict[str, list[ScoredItem]] = {}
    for item in failing:
        for tag in item.tags:
            by_tag.setdefault(tag, []).append(item)
    tagged = Counter(tag for item in items for tag in item.tags)
    groups: list[tuple[str | None, int | None, list[ScoredItem]]] = [
        (tag, tagged[tag], members) for tag, members in by_tag.items()
    ]
    untagged = [item for item in failing if not item.tags]
    groups += [(None, None, members) for members in _alike(untagged, texts, rarity)]
    groups.sort(key=lambda group: (-len(group[2]), group[2][0].item_id))
    return tuple(
        FailingType(
            tag=tag,
            n_items=n_items,
            item_ids=tuple(item.item_id for item in members),
            first_prompt=members[0].prompt,
            weights={word: rarity[word] for word in _telling([texts[item.item_id] for item in members], rarity)},
        )
        for tag, n_items, members in groups[:MAX_GROUPS]
    )


class Coverage:
    """Counts the training rows that are like each type: `add` each row, then read `counts`."""

    def __init__(self, types: tuple[dict[str, float], ...]) -> None:
        self._types = [
            ({word.encode(): weight for word, weight in weights.items()}, COVERED_SHARE * sum(weights.values()))
            for weights in types
        ]
        self._wanted = frozenset(word for weights, _ in self._types for word in weights)
        self.counts = [0] * len(types)
        self.n_rows = 0

    def add(self, row: Row) -> None:
        """Take one row."""
        self.n_rows += 1
        found = self._wanted.intersection(split_words(row.input or row.context))
        for at, (weights, least) in enumerate(self._types):
            if least and sum(weight for word, weight in weights.items() if word in found) >= least:
                self.counts[at] += 1


def describe_types(types: tuple[FailingType, ...], counts: Sequence[int], n_rows: int) -> tuple[FailureGroup, ...]:
    """Say of each type how many training rows there are of it.

    Types with fewer than ten are the "missing input types" of method 6.1.
    """
    return tuple(_describe(each, count, n_rows) for each, count in zip(types, counts, strict=True))


def _terms_of(text: str) -> frozenset[str]:
    words = (word.decode(errors="replace") for word in split_words(text))
    return frozenset(word for word in words if len(word) >= MIN_TERM_LETTERS or not word.isascii())


def _alike(
    items: list[ScoredItem], texts: dict[str, frozenset[str]], rarity: dict[str, float]
) -> list[list[ScoredItem]]:
    """Leader clustering: each item joins the group it is most like, or opens one."""
    groups: list[list[ScoredItem]] = []
    sums: list[Counter[str]] = []
    for item in items:
        vector = Counter({word: rarity[word] for word in texts[item.item_id]})
        likes = [_cosine(vector, total) for total in sums]
        best = max(range(len(likes)), key=likes.__getitem__, default=None)
        if best is None or likes[best] < JOIN_LIKENESS:
            groups.append([item])
            sums.append(vector)
        else:
            groups[best].append(item)
            sums[best].update(vector)
    return groups


def _cosine(a: Counter[str], b: Counter[str]) -> float:
    dot = sum(weight * b[word] for word, weight in a.items() if word in b)
    norms = math.sqrt(sum(w * w for w in a.values()) * sum(w * w for w in b.values()))
    return dot / norms if norms else 0.0


def _telling(texts: list[frozenset[str]], rarity: dict[str, float]) -> tuple[str, ...]:
    counts = Counter(word for text in texts for word in text)
    common = [word for word, count in counts.items() if count * 3 >= len(texts)]
    return tuple(sorted(common, key=lambda word: (-counts[word] * rarity[word], word))[:N_TERMS])


def _describe(failing: FailingType, n_rows: int, n_all: int) -> FailureGroup:
    terms = tuple(failing.weights)
    name = failing.tag if failing.tag is not None else ", ".join(terms[:3]) or failing.first_prompt[:40]
    lacking = "add examples" if n_rows < FEW_EXAMPLES else "look at the quality of those"
    return FailureGroup(
        name=name,
        tag=failing.tag,
        terms=terms,
        n_failed=len(failing.item_ids),
        n_items=failing.n_items,
        item_ids=failing.item_ids,
        n_training_rows=n_rows,
        training_share=round(n_rows / n_all, 6) if n_all else 0.0,
        statement=f"The model fails on {len(failing.item_ids)} items like `{name[:60]}`; "
        f"the training data has {n_rows} rows of that type: {lacking}.",
    )
