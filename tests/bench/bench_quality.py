"""The quality report on data with planted faults: what it finds, how long it takes, how much memory.

    python tests/bench/bench_quality.py [rows ...]        default: 10000 100000

Each size runs in a process of its own. Rows are about 1 KB: Zipf-distributed words with one topic a label. Planted, on
rows apart from each other: 5 % contradictions, 10 % wrong labels, 3 % near duplicates, 2 % exact duplicates, and in an
eval set of 1,000 rows 20 leaked ones, half of them edited.
"""

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from whatnext_service.core.corpus import Corpus, CorpusBuilder
from whatnext_service.core.dataset_formats import normalise_row
from whatnext_service.core.dataset_lines import iter_rows
from whatnext_service.core.dataset_reader import DatasetReader
from whatnext_service.core.quality import OtherSet
from whatnext_service.core.quality_report import report_quality

LABELS = [f"topic_{number:02d}" for number in range(40)]
N_EVAL = 1_000
N_LEAKED = 20
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Writer:
    """Makes rows whose words depend on their label."""

    def __init__(self, seed: int, n_words: int) -> None:
        self.rng = random.Random(seed)
        self.n_words = n_words
        vocabulary = ["".join(self.rng.choices(LETTERS, k=self.rng.randint(2, 9))) for _ in range(20_000)]
        self.common = vocabulary[:5_000]
        self.weights = np.cumsum(1 / np.arange(5, 5_005)).tolist()
        self.topics = {label: self.rng.sample(vocabulary[5_000:], 300) for label in LABELS}

    def text(self, label: str) -> str:
        own = self.n_words // 6
        words = self.rng.choices(self.common, cum_weights=self.weights, k=self.n_words - own)
        words += self.rng.choices(self.topics[label], k=own)
        self.rng.shuffle(words)
        return " ".join(words).capitalize() + "?"

    def other(self, label: str) -> str:
        return self.rng.choice([name for name in LABELS if name != label])

    def edit(self, text: str) -> str:
        """A light edit, as a person or a paraphraser would make."""
        words = text.split()
        at = self.rng.randrange(len(words))
        edits: list[Callable[[], str]] = [
            text.upper,
            lambda: f"please, {text}",
            lambda: " ".join([*words[:at], *words[at + 1 :]]),
            lambda: " ".join([*words[:at], "really", *words[at:]]),
            lambda: " ".join([*words[:at], words[at][::-1], *words[at + 1 :]]),
        ]
        return self.rng.choice(edits)()


def encode(text: str, label: str) -> bytes:
    messages = [
        {"role": "system", "content": "Name the topic."},
        {"role": "user", "content": text},
        {"role": "assistant", "content": label},
    ]
    return json.dumps({"messages": messages}).encode() + b"\n"


def plant(n_rows: int, n_words: int) -> tuple[bytes, bytes, dict[str, set[int]]]:
    """A training file, an eval file, and for each kind of fault the lines that have it."""
    writer = Writer(11, n_words)
    rng = writer.rng
    n_copies = n_rows * 10 // 100
    base = [(writer.text(label), label) for label in rng.choices(LABELS, k=n_rows - n_copies)]
    order = rng.sample(range(len(base)), len(base))
    take: Iterator[int] = iter(order)
    rows = list(base)
    faults: dict[str, set[int]] = {name: set() for name in ("contradictions", "near", "exact", "labels")}
    for _ in range(n_rows * 10 // 100):
        at = next(take)
        rows[at] = (base[at][0], writer.other(base[at][1]))
        faults["labels"].add(at + 1)
    for kind, count in (
        ("contradictions", n_rows * 5 // 100),
        ("near", n_rows * 3 // 100),
        ("exact", n_rows * 2 // 100),
    ):
        for _ in range(count):
            at = next(take)
            text, label = base[at]
            rows.append(
                {
                    "contradictions": (text, writer.other(label)),
                    "near": (writer.edit(text), label),
                    "exact": (text, label),
                }[kind]
            )
            faults[kind].add(len(rows))
            if kind == "contradictions":
                faults[kind].add(at + 1)
    held_out = [(writer.text(label), label) for label in rng.choices(LABELS, k=N_EVAL - N_LEAKED)]
    sources = [next(take) for _ in range(N_LEAKED)]
    held_out += [(base[at][0], base[at][1]) for at in sources[: N_LEAKED // 2]]
    held_out += [(writer.edit(base[at][0]), base[at][1]) for at in sources[N_LEAKED // 2 :]]
    faults["leaked"] = set(range(N_EVAL - N_LEAKED + 1, N_EVAL - N_LEAKED // 2 + 1))
    faults["nearly_leaked"] = set(range(N_EVAL - N_LEAKED // 2 + 1, N_EVAL + 1))
    return b"".join(encode(*row) for row in rows), b"".join(encode(*row) for row in held_out), faults


def build(data: bytes) -> Corpus:
    builder = CorpusBuilder()
    chunks = (data[at : at + 65_536] for at in range(0, len(data), 65_536))
    for line, raw in iter_rows(chunks):
        builder.add(line, normalise_row(raw))
    return builder.build()


def rate(found: set[int], planted: set[int]) -> str:
    hits = len(found & planted)
    return (
        f"recall {hits / max(1, len(planted)):.3f} precision {hits / max(1, len(found)):.3f} ({len(planted)} planted)"
    )


def flagged(corpus: Corpus, flags: bytes, codes: tuple[str, ...], code: str) -> set[int]:
    bits = np.frombuffer(flags, dtype="<u4")
    return set(corpus.lines[(bits >> np.uint32(codes.index(code))) & np.uint32(1) == 1].tolist())


def measure(n_rows: int, n_words: int) -> None:
    data, held_out, faults = plant(n_rows, n_words)
    print(f"{n_rows} rows, {len(data) / 1e6:.0f} MB, {n_words} words a prompt", flush=True)
    reader = DatasetReader()
    start = time.process_time()
    for at in range(0, len(data), 65_536):
        reader.feed(data[at : at + 65_536])
    facts = reader.finish()
    reading = time.process_time() - start
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.process_time()
    corpus, other = build(data), build(held_out)
    built = time.process_time()
    report = report_quality(corpus, (OtherSet(role="selection", name="eval", corpus=other),))
    end = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"  upload check: {reading:.1f} s CPU, {facts.n_duplicates} duplicates, {facts.n_contradictions} contradictions"
    )
    print(f"  report: {end - start:.1f} s CPU (rows {built - start:.1f}, checks {end - built:.1f}); "
          f"memory peak {peak:.0f} MB, of which {before:.0f} MB before it (the generator's data)")  # fmt: skip
    marks = {code: flagged(corpus, report.row_flags, report.flag_codes, code) for code in report.flag_codes}
    print("  contradictions      ", rate(marks["contradictions"], faults["contradictions"]))
    print("  exact duplicates    ", rate(marks["exact_duplicates"], faults["exact"]))
    print("  near duplicates     ", rate(marks["near_duplicates"], faults["near"]))
    leaks = {kind: {pair.second.line for pair in report.pairs if pair.kind == kind} for kind in ("leak", "near_leak")}
    print("  leaked rows         ", rate(leaks["leak"], faults["leaked"]))
    print("  nearly leaked rows  ", rate(leaks["near_leak"], faults["nearly_leaked"]))
    print("  label suspects      ", rate(marks["label_errors"], faults["labels"] | faults["contradictions"]))
    order = np.argsort(np.frombuffer(report.label_confidence, dtype="<f4"), kind="stable")
    wrong = np.isin(corpus.lines[order], list(faults["labels"]))
    for share in (0.5, 0.8, 0.95):
        need = (int(np.searchsorted(np.cumsum(wrong), share * wrong.sum())) + 1) / len(order)
        print(
            f"  {share:.0%} of the wrong labels found in {need:.1%} of the rows: {need / share:.2f} of a random search"
        )


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "--one":
        measure(int(sys.argv[2]), int(sys.argv[3]))
    else:
        for size in [int(text) for text in sys.argv[1:]] or [10_000, 100_000]:
            for words in (14, 160) if size <= 10_000 else (160,):
                subprocess.run([sys.executable, __file__, "--one", str(size), str(words)], check=True)
