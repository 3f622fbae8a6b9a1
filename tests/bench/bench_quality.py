"""The quality report on data with planted faults: what it finds, how long it takes, how much memory.

    python tests/bench/bench_quality.py [rows ...]        default: 10000 100000

Each size is measured twice: in a process of its own, which reads the files as the service would; and through a
service, from the upload to the report, with the most that its process held (server, worker, libraries) and the most
that the process which makes the report held beside it. Rows are about 1 KB (at 10,000 rows also short ones):
Zipf-distributed words with one topic a label. Planted, on rows apart from each other: 5 % contradictions, 10 % wrong
labels, 3 % near duplicates, 2 % exact duplicates, and in an eval set of 1,000 rows 20 leaked ones, half of them edited.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from served import Served, peak_mb, report_of, served

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
        own = max(4, self.n_words // 6)
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


def chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(65_536):
            yield chunk


def build(path: Path) -> Corpus:
    builder = CorpusBuilder()
    for line, raw in iter_rows(chunks(path)):
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


def measure(folder: Path) -> None:
    faults = {kind: set(lines) for kind, lines in json.loads((folder / "faults.json").read_text()).items()}
    bare = peak_mb()
    reader = DatasetReader()
    start = time.process_time()
    for chunk in chunks(folder / "train.jsonl"):
        reader.feed(chunk)
    facts = reader.finish()
    reading = time.process_time() - start
    read = peak_mb()
    start = time.process_time()
    corpus, other = build(folder / "train.jsonl"), build(folder / "eval.jsonl")
    built = time.process_time()
    report = report_quality(corpus, (OtherSet(role="selection", name="eval", corpus=other),))
    end = time.process_time()
    n_bytes = (folder / "train.jsonl").stat().st_size
    print(f"{facts.n_examples} rows, {n_bytes / 1e6:.0f} MB, {facts.n_tokens} tokens")
    print(
        f"  upload check: {reading:.1f} s CPU, {facts.n_duplicates} duplicates, {facts.n_contradictions} contradictions"
    )
    print(f"  report: {end - start:.1f} s CPU (rows {built - start:.1f}, checks {end - built:.1f})")
    print(
        f"  memory: {bare:.0f} MB with the libraries, {read:.0f} after the upload check, {peak_mb():.0f} in the report"
    )
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


def measure_served(service: Served, folder: Path) -> None:
    """Upload the files as a loop's suite and training data, and wait for the report."""
    client = service.client()

    def post(path: str, **body: object) -> str:
        return str(client.post(path, json=body).raise_for_status().json()["id"])

    def upload(name: str, file: str, **more: object) -> str:
        path = f"/v1/datasets/{post('/v1/datasets', name=name, **more)}/versions"
        return str(client.post(path, content=chunks(folder / file)).raise_for_status().json()["id"])

    loop_id = post("/v1/loops", slug="bench", task="Name the topic.")
    grader = {"type": "string_check", "name": "exact", "operation": "eq"}
    grader |= {"input": "{{sample.output_text}}", "reference": "{{item.reference_answer}}"}
    held_out = upload("held out", "eval.jsonl")
    graders = [{"name": "exact", "grader": grader}]
    post("/v1/eval-suites", loop_id=loop_id, name="eval", dataset_version_id=held_out, graders=graders)
    bare, used = service.peak_mb(), service.cpu_s()
    version_id = upload("training", "train.jsonl", loop_id=loop_id)
    uploaded, used = service.cpu_s() - used, service.cpu_s()
    print(f"  served upload: {uploaded:.1f} s CPU, {bare:.0f} MB before, {service.peak_mb():.0f} MB at most")
    begun = time.perf_counter()
    report = report_of(client, version_id)
    took, used = time.perf_counter() - begun, service.cpu_s() - used
    own, child = service.peak_mb(), service.child_mb()
    print(f"  served report {report['status']}: {used:.1f} s CPU, {took:.1f} s after the upload")
    print(f"  served memory: {own:.0f} MB and {child:.0f} MB in the report's process, {own + child:.0f} MB together")


def main(sizes: list[int]) -> None:
    for size in sizes:
        for words in (14, 160) if size <= 10_000 else (160,):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                train, held_out, faults = plant(size, words)
                (folder / "train.jsonl").write_bytes(train)
                (folder / "eval.jsonl").write_bytes(held_out)
                (folder / "faults.json").write_text(json.dumps({kind: sorted(lines) for kind, lines in faults.items()}))
                del train
                print(f"{words} words a prompt: ", end="", flush=True)
                subprocess.run([sys.executable, __file__, "--measure", name], check=True)
                with served() as service:
                    measure_served(service, folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]))
    else:
        main([int(text) for text in sys.argv[1:]] or [10_000, 100_000])
