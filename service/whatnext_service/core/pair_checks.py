"""Checks on pairs of rows: duplicates, contradictions, leakage."""

import numpy as np

from whatnext_service.core.check_outcome import CLEANING, Outcome, conclude, grade, share
from whatnext_service.core.corpus import Corpus
from whatnext_service.core.near_pairs import Likeness
from whatnext_service.core.quality import CheckVerdict, PairKind
from whatnext_service.core.row_hashes import Indexes
from whatnext_service.core.row_pairs import Pairs

DUPLICATES_CAUTION, DUPLICATES_CRITICAL = 0.01, 0.2
CONTRADICTIONS_CAUTION, CONTRADICTIONS_CRITICAL = 1e-9, 0.02


def check_pairs(corpus: Corpus, pairs: tuple[Pairs, ...]) -> tuple[Outcome, ...]:
    """The six checks on pairs, each over all the sets."""
    return (
        check_exact_duplicates(corpus, _of_kind(pairs, "exact_duplicate")),
        check_near_duplicates(corpus, _of_kind(pairs, "near_duplicate")),
        check_contradictions(corpus, _of_kind(pairs, "contradiction")),
        check_near_contradictions(corpus, _of_kind(pairs, "near_contradiction")),
        check_leakage(corpus, _of_kind(pairs, "leak")),
        check_near_leakage(corpus, _of_kind(pairs, "near_leak")),
    )


def check_exact_duplicates(corpus: Corpus, pairs: tuple[Pairs, ...]) -> Outcome:
    """Rows that repeat an earlier one: caution from 1 %, critical from 20 % (evidence 4)."""
    rows, _ = _seconds(pairs)
    part = share(len(rows), corpus.n_rows)
    return conclude(
        corpus,
        "exact_duplicates",
        grade(part, DUPLICATES_CAUTION, DUPLICATES_CRITICAL),
        f"{len(rows)} of {corpus.n_rows} rows repeat an earlier row ({part:.1%}).",
        value=part,
        threshold=DUPLICATES_CAUTION,
        rows=rows,
        remedy="Drop the repeats: they weigh some examples more than others and change the number of steps.",
        operation="drop_duplicates",
        source="evidence 4",
    )


def check_near_duplicates(corpus: Corpus, pairs: tuple[Pairs, ...]) -> Outcome:
    """Rows nearly like an earlier one with the same answer: caution from 1 %, critical from 20 % (evidence 4)."""
    rows, likes = _seconds(pairs)
    part = share(len(rows), corpus.n_rows)
    return conclude(
        corpus,
        "near_duplicates",
        grade(part, DUPLICATES_CAUTION, DUPLICATES_CRITICAL),
        f"{len(rows)} of {corpus.n_rows} rows say nearly the same as an earlier row ({part:.1%}).",
        value=part,
        threshold=DUPLICATES_CAUTION,
        rows=rows,
        scores=1.0 - 0.5 * likes,
        remedy="Look at the pairs; drop those that add nothing.",
        operation="drop_duplicates",
        source="evidence 4",
    )


def check_contradictions(corpus: Corpus, pairs: tuple[Pairs, ...]) -> Outcome:
    """Rows whose prompt also occurs with another answer: caution from the first, critical from 2 % (method 6.1)."""
    rows, _ = _seconds(pairs)
    part = share(len(rows), corpus.n_rows)
    return conclude(
        corpus,
        "contradictions",
        grade(part, CONTRADICTIONS_CAUTION, CONTRADICTIONS_CRITICAL),
        f"{len(rows)} of {corpus.n_rows} rows contradict another row with the same prompt ({part:.1%}).",
        value=part,
        threshold=CONTRADICTIONS_CRITICAL,
        rows=rows,
        remedy="Keep the right answer of each pair; where it cannot be told, drop them all.",
        operation="drop_contradictions",
        effect=CLEANING,
        source="method 6.1",
    )


def check_near_contradictions(corpus: Corpus, pairs: tuple[Pairs, ...]) -> Outcome:
    """Other answers to nearly the same prompt: caution from 0.5 %, never more, for some are right (method 6.1)."""
    rows = _both(pairs)
    part = share(len(rows), corpus.n_rows)
    return conclude(
        corpus,
        "near_contradictions",
        grade(part, 0.005, 2.0),
        f"{len(rows)} of {corpus.n_rows} rows answer nearly the same prompt differently ({part:.1%}).",
        value=part,
        threshold=0.005,
        rows=rows,
        scores=0.5,
        remedy="Look at the pairs: a small difference may rightly change the answer. Drop the wrong ones by id.",
        operation="drop_ids",
        effect=CLEANING,
        source="method 6.1",
    )


def check_leakage(corpus: Corpus, pairs: tuple[Pairs, ...]) -> Outcome:
    """Prompts of the training data in a held-out set: critical from the first (method 4; hazards e)."""
    return _leakage(corpus, pairs, near=False)


def check_near_leakage(corpus: Corpus, pairs: tuple[Pairs, ...]) -> Outcome:
    """Held-out prompts nearly like a training prompt: caution from 1 % of a set, critical from 10 % (method 4)."""
    return _leakage(corpus, pairs, near=True)


def _leakage(corpus: Corpus, pairs: tuple[Pairs, ...], *, near: bool) -> Outcome:
    verdict: CheckVerdict = "good" if pairs else "not_computed"
    said: list[str] = []
    worst = 0.0
    for one in pairs:
        if one.other is None or not one.n_rows:
            continue
        part = share(one.n_rows, one.other.corpus.n_rows)
        worst = max(worst, part)
        said.append(f"{one.n_rows} of {one.other.corpus.n_rows} rows of {one.other.name}")
    if said:
        verdict = grade(worst, 0.01, 0.1) if near else "critical"
    rows = np.unique(np.concatenate([one.first for one in pairs])) if pairs else np.empty(0, dtype=np.int64)
    how = "are nearly like a training prompt" if near else "are training prompts too"
    nothing = "No held-out set was compared." if not pairs else "No held-out row is among the training rows."
    return conclude(
        corpus,
        "near_leakage" if near else "leakage",
        verdict,
        f"{', '.join(said)} {how}." if said else nothing,
        value=worst if pairs else None,
        threshold=0.01 if near else 0.0,
        rows=rows,
        scores=0.5 if near else 0.0,
        n_rows=sum(one.n_rows for one in pairs),
        remedy="Drop these rows from the training data: scores on rows that were trained on say nothing.",
        operation="drop_ids",
        source="method 4",
    )


def _of_kind(pairs: tuple[Pairs, ...], kind: PairKind) -> tuple[Pairs, ...]:
    return tuple(one for one in pairs if one.kind == kind)


def _seconds(pairs: tuple[Pairs, ...]) -> tuple[Indexes, Likeness]:
    """The later rows of the pairs, each once, and the likeness of its closest partner."""
    rows = np.concatenate([np.empty(0, dtype=np.int64), *(one.second for one in pairs)])
    likes = np.concatenate([np.empty(0), *(one.similarity for one in pairs)])
    order = np.lexsort((-likes, rows))
    distinct, first = np.unique(rows[order], return_index=True)
    return distinct, likes[order][first]


def _both(pairs: tuple[Pairs, ...]) -> Indexes:
    sides = [side for one in pairs for side in (one.first, one.second)]
    return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *sides]))
