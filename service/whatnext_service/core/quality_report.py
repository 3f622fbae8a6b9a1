"""Putting the quality report of a dataset version together."""

import numpy as np

from whatnext_service.core.check_outcome import Outcome
from whatnext_service.core.corpus import Corpus
from whatnext_service.core.features import Numbers
from whatnext_service.core.label_checks import (
    check_label_balance,
    check_label_errors,
    check_label_spelling,
    count_labels,
    find_labels,
)
from whatnext_service.core.label_errors import LabelDoubts
from whatnext_service.core.near_pairs import NearPairs, pack_pairs
from whatnext_service.core.pair_checks import check_pairs
from whatnext_service.core.quality import (
    QUALITY_VERSION,
    CheckVerdict,
    JudgeScores,
    OtherSet,
    QualityReport,
    Spread,
)
from whatnext_service.core.row_pairs import Pairs, compare_rows, pack_partners, show_pairs
from whatnext_service.core.set_checks import (
    MAX_ROW_TOKENS,
    check_answer_shape,
    check_grader_fields,
    check_judge,
    check_length_mix,
    check_private,
    check_refusals,
    check_row_length,
    check_size,
    check_system_prompt,
)
from whatnext_service.core.state import Fault

FAULT_LINES = 10
"""Lines of rows that a fault names."""

_GRAVITY: dict[CheckVerdict, int] = {"not_computed": 0, "good": 1, "caution": 2, "critical": 3}


def report_quality(
    corpus: Corpus,
    others: tuple[OtherSet, ...] = (),
    *,
    max_row_tokens: int = MAX_ROW_TOKENS,
    judged: JudgeScores | None = None,
) -> QualityReport:
    """Check a dataset, and compare it with the sets that must stay apart from it. Linear in the rows."""
    pairs = compare_rows(corpus, others)
    labels = find_labels(corpus)
    label_errors, doubts = check_label_errors(corpus, labels)
    outcomes = (
        check_size(corpus),
        check_row_length(corpus, max_row_tokens),
        *check_pairs(corpus, pairs),
        label_errors,
        check_label_balance(corpus, labels),
        check_label_spelling(corpus, labels),
        check_answer_shape(corpus),
        check_refusals(corpus),
        check_length_mix(corpus, others),
        check_system_prompt(corpus, others),
        check_grader_fields(corpus, others),
        *check_private(corpus),
        check_judge(corpus, judged),
    )
    worst = max((outcome.check for outcome in outcomes), key=lambda check: _GRAVITY[check.verdict])
    return QualityReport(
        version=QUALITY_VERSION,
        n_rows=corpus.n_rows,
        methods=corpus.methods,
        verdict=worst.verdict,
        headline=worst.statement if _GRAVITY[worst.verdict] > 1 else "Nothing was found that needs mending.",
        checks=tuple(outcome.check for outcome in outcomes),
        pairs=tuple(shown for one in pairs for shown in show_pairs(corpus, one)),
        labels=count_labels(labels),
        tokens=_spread(corpus.tokens),
        answer_tokens=_spread(corpus.answer_tokens),
        n_label_suspects=None if doubts is None else len(doubts.suspects),
        label_confidence=b"" if doubts is None else _confidence(corpus, doubts),
        row_scores=_scores(corpus, outcomes),
        row_flags=_flags(corpus, outcomes),
        flag_codes=tuple(outcome.check.code for outcome in outcomes),
        near_duplicates=_near_duplicates(pairs),
        partners=pack_partners(pairs),
        places=corpus.places,
        faults=tuple(_fault(corpus, outcome, judged) for outcome in outcomes if _GRAVITY[outcome.check.verdict] > 1),
    )


def _near_duplicates(pairs: tuple[Pairs, ...]) -> bytes:
    found = next(one for one in pairs if one.kind == "near_duplicate")
    return pack_pairs(NearPairs(found.first, found.second, found.similarity))


def _fault(corpus: Corpus, outcome: Outcome, judged: JudgeScores | None) -> Fault:
    check = outcome.check
    return Fault(
        code=check.code,
        verdict="critical" if check.verdict == "critical" else "caution",
        n_rows=len(outcome.rows) or check.n_rows,
        lines=tuple(int(corpus.lines[row]) for row in np.sort(outcome.rows)[:FAULT_LINES]),
        statement=check.statement,
        remedy=check.remedy,
        operation=check.operation,
        limit=judged.threshold if judged is not None and check.code == "judge" else None,
    )


def _scores(corpus: Corpus, outcomes: tuple[Outcome, ...]) -> bytes:
    scores = np.ones(corpus.n_rows, dtype="<f4")
    for outcome in outcomes:
        scores[outcome.rows] *= outcome.scores
    return scores.tobytes()


def _confidence(corpus: Corpus, doubts: LabelDoubts) -> bytes:
    confidence = np.full(corpus.n_rows, np.nan, dtype="<f4")
    confidence[doubts.rows] = doubts.confidence
    return confidence.tobytes()


def _flags(corpus: Corpus, outcomes: tuple[Outcome, ...]) -> bytes:
    flags = np.zeros(corpus.n_rows, dtype="<u4")
    for bit, outcome in enumerate(outcomes):
        flags[outcome.rows] |= np.uint32(1 << bit)
    return flags.tobytes()


def _spread(counts: Numbers) -> Spread:
    if not len(counts):
        return Spread(total=0, median=0.0, p95=0.0, max=0)
    return Spread(
        total=int(counts.sum(dtype=np.int64)),
        median=float(np.median(counts)),
        p95=round(float(np.percentile(counts, 95)), 1),
        max=int(counts.max()),
    )
