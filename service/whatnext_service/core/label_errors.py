"""Rows whose label looks wrong: cross-validated confidence of a naive Bayes classifier over words and word pairs."""

import msgspec
import numpy as np
import numpy.typing as npt

from whatnext_service.core.corpus import Corpus
from whatnext_service.core.features import Features, Numbers, count_slot, row_counts
from whatnext_service.core.row_hashes import Indexes

FOLDS = 5
MIN_ROWS = 40
MIN_PER_LABEL = 5
"""Labels with fewer rows are not judged: four fifths of them are too few to learn from."""
SUSPECT_RATIO = 3.0
MIN_AGREEMENT = 0.3
"""Where the classifier agrees with the labels no better than this, chance taken off, it has nothing to say."""
MIN_ROWS_PER_FEATURE, ROWS_PER_MIN_ROW = 2, 5_000
"""A word teaches only when two rows have it, and one more for each 5,000 rows."""

_TABLE_CELLS = 1 << 22
_BLOCK_CELLS = 1 << 21
_MAX_TABLE_BITS = 18
_SMOOTHING = 0.1
_TEMPERATURES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)

Table = npt.NDArray[np.float32]
Confidence = npt.NDArray[np.float64]


class LabelDoubts(msgspec.Struct, frozen=True):
    """How far the other rows bear out each row's label."""

    rows: Indexes
    """The rows judged, ascending."""
    confidence: Confidence
    """For each, the probability of its own label by a model that has not seen the row; out of fold, calibrated."""
    better: Indexes
    """For each, the most probable label."""
    suspects: Indexes
    """Rows whose label is probably wrong, most suspect first: another label is three times as probable, and more
    probable than it is, on average, for the rows that bear it (confident learning, Northcutt et al. 2021)."""
    accuracy: float
    """Share of the judged rows whose most probable label is their own."""
    skill: float
    """The same with chance taken off: 0 for a guess, 1 for agreement everywhere."""


def find_label_errors(corpus: Corpus, rows: Indexes, labels: Indexes) -> LabelDoubts | None:
    """Judge the labels of `rows`; null where there are fewer than 40 rows or two labels with five rows each, and where
    the words do not tell the labels.

    Rows with the same prompt are left out together. Linear in the rows times the labels.
    """
    kinds, first_codes = np.unique(labels, return_inverse=True)
    enough = np.bincount(first_codes, minlength=len(kinds)) >= MIN_PER_LABEL
    judged = enough[first_codes]
    rows, labels = rows[judged], labels[judged]
    kinds, codes = np.unique(labels, return_inverse=True)
    if len(rows) < MIN_ROWS or len(kinds) < 2:
        return None
    prompts = np.frombuffer(corpus.prompt_hashes, dtype="<u8").reshape(-1, 2)[rows, 0]
    folds = (prompts % np.uint64(FOLDS)).astype(np.int64)
    own, top, best = _judge(corpus, rows, codes, folds, len(kinds))
    agreed = float((best == codes).mean())
    chance = float(np.bincount(codes).max() / len(codes))
    skill = (agreed - chance) / (1 - chance)
    if skill < MIN_AGREEMENT:
        return None
    usual = np.array([own[codes == kind].mean() for kind in range(len(kinds))])
    doubted = np.flatnonzero((best != codes) & (top >= usual[best]) & (top >= SUSPECT_RATIO * own))
    order = doubted[np.argsort(own[doubted], kind="stable")]
    return LabelDoubts(rows, own, kinds[best], rows[order], agreed, skill)


class _Words(msgspec.Struct, frozen=True):
    """The features that are common enough to be learnt from, of any rows."""

    features: Features
    counts: Numbers
    least: int
    bits: int

    def of(self, rows: Indexes) -> tuple[Indexes, Indexes]:
        """Position in `rows`, and slot of the feature."""
        position, feature = self.features.of(rows)
        common = self.counts[count_slot(feature)] >= self.least
        return position[common], (feature[common] >> np.uint32(32 - self.bits)).astype(np.int64)


def _judge(
    corpus: Corpus, rows: Indexes, codes: Indexes, folds: Indexes, n_kinds: int
) -> tuple[Confidence, Confidence, Indexes]:
    """Out of fold, the probability of each row's own label, that of the most probable one, and that one's code.

    A score becomes a probability by the temperature, of seven, that makes the given labels most likely.
    """
    words = _Words(
        features=corpus.inputs,
        counts=row_counts(corpus.inputs, rows),
        least=max(MIN_ROWS_PER_FEATURE, len(rows) // ROWS_PER_MIN_ROW),
        bits=min(_MAX_TABLE_BITS, int(np.log2(_TABLE_CELLS // n_kinds))),
    )
    own, top = np.empty((2, len(_TEMPERATURES), len(rows)), dtype=np.float32)
    best = np.empty(len(rows), dtype=np.int64)
    total = _count(words, rows, codes, n_kinds)
    for fold in range(FOLDS):
        held = np.flatnonzero(folds == fold)
        weights = total - _count(words, rows[held], codes[held], n_kinds)
        usual = np.log(weights.sum(axis=0) + _SMOOTHING * len(weights))
        np.log(np.add(weights, _SMOOTHING, out=weights), out=weights)
        weights -= usual
        rest = np.bincount(codes[folds != fold], minlength=n_kinds)
        prior = np.log((rest + 1) / (rest.sum() + n_kinds)).astype(np.float32)
        for block in words.features.blocks(rows[held], max(1, _BLOCK_CELLS // n_kinds)):
            at = held[block]
            scores = np.tile(prior, (len(at), 1))
            position, slot = words.of(rows[at])
            if len(position):
                starts = np.flatnonzero(np.diff(position, prepend=-1))
                scores[position[starts]] += np.add.reduceat(weights[slot], starts, axis=0)
            best[at] = scores.argmax(axis=1)
            for place, temperature in enumerate(_TEMPERATURES):
                probable = _softmax(scores, temperature)
                own[place, at] = probable[np.arange(len(at)), codes[at]]
                top[place, at] = probable.max(axis=1)
    likeliest = int(np.log(np.maximum(own, 1e-12)).sum(axis=1, dtype=np.float64).argmax())
    return own[likeliest].astype(np.float64), top[likeliest].astype(np.float64), best


def _count(words: _Words, rows: Indexes, codes: Indexes, n_kinds: int) -> Table:
    counts = np.zeros(n_kinds << words.bits, dtype=np.float32)
    for block in words.features.blocks(rows):
        position, slot = words.of(rows[block])
        np.add.at(counts, slot * n_kinds + codes[block][position], np.float32(1))
    return counts.reshape(-1, n_kinds)


def _softmax(scores: Table, temperature: float) -> Confidence:
    scaled = scores.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    probable: Confidence = np.exp(scaled, out=scaled)
    probable /= probable.sum(axis=1, keepdims=True)
    return probable
