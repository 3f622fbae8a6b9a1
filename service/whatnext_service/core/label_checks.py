"""Checks on answers that are labels: their balance, their spelling, their errors."""

import re
from collections import defaultdict

import msgspec
import numpy as np

from whatnext_service.core.check_outcome import CLEANING, Outcome, conclude, grade, share
from whatnext_service.core.corpus import Corpus
from whatnext_service.core.label_errors import LabelDoubts, find_label_errors
from whatnext_service.core.quality import LabelCount
from whatnext_service.core.row_hashes import Indexes

LABELLED_SHARE = 0.9
"""Answers are labels when nine rows of ten have a short answer that another row has too ..."""
ROWS_PER_LABEL = 4
"""... and there are at least four rows for each distinct one."""
MIN_LABELLED_ROWS = 8
IMBALANCE_CAUTION, IMBALANCE_CRITICAL = 10.0, 100.0
SURE_SKILL = 0.5
"""Suspects are dropped unseen only where the classifier agrees with the labels so much better than chance: on real
files three of four suspects were then wrong, below it one of three."""

_DECORATION = re.compile(r"[\W_]+")


class Labels(msgspec.Struct, frozen=True):
    """The labelled rows of a dataset."""

    rows: Indexes
    codes: Indexes
    """For each of the rows an index into `names`."""
    names: tuple[str, ...]
    counts: Indexes
    """Rows of each name."""


def find_labels(corpus: Corpus) -> Labels | None:
    """The labels of a dataset; null where its answers are no labels."""
    if not corpus.label_names or corpus.n_rows < MIN_LABELLED_ROWS:
        return None
    rows = np.flatnonzero(corpus.labels >= 0)
    codes = corpus.labels[rows].astype(np.int64)
    counts = np.bincount(codes, minlength=len(corpus.label_names))
    repeated = int(counts[counts > 1].sum())
    if repeated < LABELLED_SHARE * corpus.n_rows or len(counts) * ROWS_PER_LABEL > corpus.n_rows:
        return None
    return Labels(rows, codes, corpus.label_names, counts)


def count_labels(labels: Labels | None) -> tuple[LabelCount, ...]:
    """How often each label occurs, most frequent first."""
    if labels is None:
        return ()
    order = np.argsort(-labels.counts, kind="stable")[:100]
    return tuple(LabelCount(label=labels.names[at], count=int(labels.counts[at])) for at in order)


def check_label_balance(corpus: Corpus, labels: Labels | None) -> Outcome:
    """The most frequent label against the rarest: caution from 10 to 1, critical from 100 to 1 (method 6.1)."""
    if labels is None:
        statement = "The answers are not labels."
        return conclude(corpus, "label_balance", "not_computed", statement, source="method 6.1")
    most, least = int(labels.counts.max()), int(labels.counts.min())
    ratio = most / least
    single = len(labels.counts) < 2
    rarest = np.flatnonzero(labels.counts * IMBALANCE_CAUTION <= most)
    rare = labels.rows[np.isin(labels.codes, rarest)]
    wanted = int(most // IMBALANCE_CAUTION) + 1
    named = ", ".join(f"`{labels.names[at][:40]}` ({labels.counts[at]})" for at in rarest[:6])
    lacking = f"Add examples until each label has {wanted} rows; these have fewer: {named}."
    top = labels.names[int(labels.counts.argmax())]
    return conclude(
        corpus,
        "label_balance",
        "critical" if single else grade(ratio, IMBALANCE_CAUTION, IMBALANCE_CRITICAL),
        f"{len(labels.counts)} labels; the most frequent, `{top[:40]}`, has {most} rows, the rarest {least}.",
        value=ratio,
        threshold=IMBALANCE_CAUTION,
        rows=rare,
        scores=1.0,
        note=lambda row: f"rare label: {corpus.label_names[corpus.labels[row]][:40]}",
        remedy="Every row has the same answer: add other cases." if single else lacking,
        operation="add_examples",
        source="method 6.1",
    )


def check_label_spelling(corpus: Corpus, labels: Labels | None) -> Outcome:
    """Labels that differ in case or punctuation only, or are written otherwise than the system prompt has them:
    caution from the first (method 5, style mismatch in the data)."""
    if labels is None:
        return conclude(corpus, "label_spelling", "not_computed", "The answers are not labels.", source="method 5")
    spellings: dict[str, list[int]] = defaultdict(list)
    for at, name in enumerate(labels.names):
        spellings[_DECORATION.sub(" ", name.casefold()).strip() or name].append(at)
    variants = [at for same in spellings.values() for at in same if len(same) > 1]
    system = corpus.system_names[0] if len(corpus.system_names) == 1 else ""
    folded = system.casefold()
    otherwise = [
        at
        for at, name in enumerate(labels.names)
        if name not in system and re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", folded)
    ]
    named = ", ".join(f"`{labels.names[at][:30]}`" for at in (variants or otherwise)[:6])
    if variants:
        statement = f"Labels differ in case or punctuation only: {named}."
    elif otherwise:
        statement = f"The system prompt writes these labels otherwise: {named}."
    else:
        statement = "Every label is written in one way."
    pointed = np.isin(labels.codes, np.array(sorted({*variants, *otherwise}), dtype=np.int64))
    return conclude(
        corpus,
        "label_spelling",
        "caution" if variants or otherwise else "good",
        statement,
        value=float(len({*variants, *otherwise})),
        threshold=1.0,
        rows=labels.rows[pointed],
        scores=0.8,
        note=lambda row: f"written `{corpus.label_names[corpus.labels[row]][:40]}`",
        remedy="Choose one spelling, the one the prompt asks for, and write every label so.",
        source="method 5",
    )


def check_label_errors(corpus: Corpus, labels: Labels | None) -> tuple[Outcome, LabelDoubts | None]:
    """Rows whose label other rows speak against: caution from 5 %, critical from 15 %; below that a sound set
    of close labels has as many (method 6.1; evidence 8)."""
    doubts = find_label_errors(corpus, labels.rows, labels.codes) if labels is not None else None
    if labels is None or doubts is None:
        why = (
            "The answers are not labels."
            if labels is None
            else "Too few rows for each label, or the words do not tell the labels."
        )
        return conclude(corpus, "label_errors", "not_computed", why, source="method 6.1"), None
    at = np.searchsorted(doubts.rows, doubts.suspects)
    better = dict(zip(doubts.suspects.tolist(), doubts.better[at].tolist(), strict=True))
    part = share(len(doubts.suspects), corpus.n_rows)
    return conclude(
        corpus,
        "label_errors",
        grade(part, 0.05, 0.15),
        f"{len(doubts.suspects)} of {corpus.n_rows} labels look wrong ({part:.1%}); "
        f"a model of the words agrees with {doubts.accuracy:.0%} of the labels.",
        value=part,
        threshold=0.05,
        rows=doubts.suspects,
        scores=doubts.confidence[at],
        note=lambda row: (
            f"labelled `{corpus.label_names[corpus.labels[row]][:40]}`, looks like `{labels.names[better[row]][:40]}`"
        ),
        remedy="Look at these rows, worst first; correct or drop those that are wrong.",
        operation="drop_ids" if doubts.skill >= SURE_SKILL else None,
        effect=CLEANING,
        source="evidence 8",
    ), doubts
