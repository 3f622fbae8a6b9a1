"""Comparing the rows of a dataset with each other and with the sets that must stay apart from it."""

import msgspec
import numpy as np

from whatnext_service.core.corpus import Corpus
from whatnext_service.core.features import join_features
from whatnext_service.core.near_pairs import SIMILARITY, Inputs, Likeness, find_near_pairs, likeness
from whatnext_service.core.quality import MAX_PAIRS, PARTNERED, CheckCode, OtherSet, PairKind, PairSide, RowPair
from whatnext_service.core.row_hashes import HASH_BYTES, Indexes, agreement, overlap, row_id
from whatnext_service.core.same_saying import Verdicts, ask_the_same

NEAR_LEAK = 0.9
"""Prompts of two sets this alike count as nearly leaked, and less alike ones that ask the same (`ask_the_same`)."""
SAME_ANSWER = 0.5
"""Long answers this alike count as the same; short ones (up to 12 different words) must be equal but for case and
punctuation."""
SHORT_ANSWER_WORDS = 12

_PARTNER_CHECKS: dict[PairKind, CheckCode] = {
    "exact_duplicate": "exact_duplicates",
    "near_duplicate": "near_duplicates",
    "contradiction": "contradictions",
    "near_contradiction": "near_contradictions",
}


class Pairs(msgspec.Struct, frozen=True):
    """Pairs of rows of one kind: indexes into the training data, and into it or another set."""

    kind: PairKind
    first: Indexes
    second: Indexes
    similarity: Likeness
    other: OtherSet | None

    @property
    def n_rows(self) -> int:
        """Rows on the second side: repeats, or leaked rows."""
        return len(np.unique(self.second))


def compare_rows(corpus: Corpus, others: tuple[OtherSet, ...]) -> tuple[Pairs, ...]:
    """Find exact and near duplicates, contradictions and leaks."""
    found = agreement(corpus.row_hashes, corpus.prompt_hashes, corpus.reversed_hashes)
    found_pairs = [
        _exact("exact_duplicate", found.first[found.duplicates], found.duplicates, None),
        _exact("contradiction", found.opposites, found.contradictions, None),
    ]
    leaked = [np.array(overlap(corpus.prompt_hashes, other.corpus.prompt_hashes), dtype=np.int64) for other in others]
    for other, rows in zip(others, leaked, strict=True):
        found_pairs.append(_exact("leak", _sources(corpus, other.corpus, rows), rows, other))
    return (*found_pairs, *_near(corpus, others, leaked))


def show_pairs(corpus: Corpus, pairs: Pairs) -> tuple[RowPair, ...]:
    """The first pairs of a kind, each once, most alike first."""
    order = np.argsort(-pairs.similarity, kind="stable")
    shown: dict[tuple[int, int], RowPair] = {}
    for at in order:
        a, b = int(pairs.first[at]), int(pairs.second[at])
        key = (a, b) if pairs.other is not None else (min(a, b), max(a, b))
        if key in shown:
            continue
        other, name = (pairs.other.corpus, pairs.other.name) if pairs.other is not None else (corpus, "training")
        shown[key] = RowPair(
            kind=pairs.kind,
            similarity=round(float(pairs.similarity[at]), 3),
            first=_side(corpus, key[0], "training"),
            second=_side(other, key[1], name),
        )
        if len(shown) == MAX_PAIRS:
            break
    return tuple(shown.values())


def pack_partners(pairs: tuple[Pairs, ...]) -> bytes:
    """For each row that repeats or contradicts another one of the set, the one it is most like (`partners`)."""
    found = [np.empty((0, 3), dtype=np.int64)]
    for one in pairs:
        if one.kind not in _PARTNER_CHECKS:
            continue
        rows, others, likes = one.second, one.first, one.similarity
        if one.kind == "near_contradiction":
            rows, others, likes = np.append(rows, one.first), np.append(others, one.second), np.append(likes, likes)
        order = np.lexsort((others, -likes, rows))
        _, nearest = np.unique(rows[order], return_index=True)
        kept = order[nearest]
        check = np.full(len(kept), PARTNERED.index(_PARTNER_CHECKS[one.kind]))
        found.append(np.stack([rows[kept], others[kept], check], axis=1))
    triples = np.concatenate(found)
    return triples[np.lexsort(triples.T[::-1])].astype("<u4").tobytes()


def name_row(corpus: Corpus, index: int) -> str:
    """The name of a row by its content."""
    return row_id(corpus.row_hashes[index * HASH_BYTES : (index + 1) * HASH_BYTES])


def _exact(kind: PairKind, first: Indexes, second: Indexes, other: OtherSet | None) -> Pairs:
    return Pairs(kind, first, second, np.ones(len(first)), other)


def _sources(corpus: Corpus, other: Corpus, rows: Indexes) -> Indexes:
    inputs = np.frombuffer(corpus.prompt_hashes, dtype="<u8").reshape(-1, 2)[:, 0]
    order = np.argsort(inputs, kind="stable")
    wanted = np.frombuffer(other.prompt_hashes, dtype="<u8").reshape(-1, 2)[rows, 0]
    sources: Indexes = order[np.searchsorted(inputs[order], wanted)]
    return sources


def _near(corpus: Corpus, others: tuple[OtherSet, ...], leaked: list[Indexes]) -> list[Pairs]:
    sets = (corpus, *(other.corpus for other in others))
    starts = np.cumsum([0, *(one.n_rows for one in sets)])
    distinct = [_distinct_prompts(one) for one in sets]
    for at, rows in enumerate(leaked, start=1):
        distinct[at] = distinct[at][~np.isin(distinct[at], rows)]
    inputs = Inputs(
        features=join_features(tuple(one.inputs for one in sets)),
        numbers=np.concatenate([one.numbers for one in sets]),
        n_numbers=np.concatenate([one.n_numbers for one in sets]),
        question=lambda row: _question(sets, starts, row),
    )
    near = find_near_pairs(
        inputs, np.concatenate([rows + start for rows, start in zip(distinct, starts[:-1], strict=True)])
    )
    inside = near.second < corpus.n_rows
    a, b, alike = near.first[inside], near.second[inside], near.similarity[inside]
    same = _same_answer(corpus, a, b)
    pairs = [Pairs("near_duplicate", a[same], b[same], alike[same], None)]
    if corpus.methods != ("dpo",):
        opposed = ~same & (alike >= SIMILARITY) & _one_question(inputs, a, b)
        pairs.append(Pairs("near_contradiction", a[opposed], b[opposed], alike[opposed], None))
    for at, other in enumerate(others, start=1):
        start, end = starts[at], starts[at + 1]
        across = (near.first < corpus.n_rows) & (near.second >= start) & (near.second < end)
        a, b, alike = near.first[across], near.second[across], near.similarity[across]
        same = (alike >= NEAR_LEAK) | _one_question(inputs, a, b)
        pairs.append(Pairs("near_leak", a[same], b[same] - start, alike[same], other))
    return pairs


def _one_question(inputs: Inputs, a: Indexes, b: Indexes) -> Verdicts:
    same_numbers: Verdicts = inputs.numbers[a] == inputs.numbers[b]
    return same_numbers & ask_the_same(inputs.features, inputs.question, a, b)


def _question(sets: tuple[Corpus, ...], starts: Indexes, row: int) -> str:
    at = int(np.searchsorted(starts, row, side="right")) - 1
    return sets[at].excerpts.question(row - int(starts[at]))


def _distinct_prompts(corpus: Corpus) -> Indexes:
    halves = np.frombuffer(corpus.prompt_hashes, dtype="<u8").reshape(-1, 2)
    order = np.lexsort((np.arange(len(halves)), halves[:, 1], halves[:, 0]))
    ordered = halves[order]
    new = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1)) if len(order) else np.empty(0, dtype=np.bool_)
    return np.sort(order[new])


def _same_answer(corpus: Corpus, first: Indexes, second: Indexes) -> Verdicts:
    same: Verdicts = corpus.answer_keys[first] == corpus.answer_keys[second]
    lengths = corpus.answers.n_words
    long = np.flatnonzero(~same & (np.maximum(lengths[first], lengths[second]) > SHORT_ANSWER_WORDS))
    same[long] = likeness(corpus.answers, first[long], second[long]) >= SAME_ANSWER
    return same


def _side(corpus: Corpus, index: int, dataset: str) -> PairSide:
    return PairSide(
        dataset=dataset,
        line=int(corpus.lines[index]),
        row_id=name_row(corpus, index),
        prompt=corpus.excerpts.question(index),
        answer=corpus.excerpts.answer(index),
    )
