"""Rows for the tests of datasets."""

import json
import random
from pathlib import Path

from whatnext_service.core.corpus import Corpus, CorpusBuilder
from whatnext_service.core.dataset_formats import read_row
from whatnext_service.core.dataset_lines import iter_rows
from whatnext_service.core.dataset_reader import DatasetReader
from whatnext_service.core.datasets import DatasetFacts
from whatnext_service.core.loops import Method
from whatnext_service.core.quality import Check, CheckCode, QualityReport

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "datasets"
HAS_REAL = REAL.is_dir()

_WORDS = {
    "weather": "rain sun wind cloud storm forecast umbrella cold warm temperature snow degrees humid sky",
    "music": "song album guitar band singer melody concert piano drums lyrics chorus playlist tune radio",
    "travel": "flight hotel ticket airport luggage passport train booking visa cruise resort island map taxi",
}
_FILLERS = "the a please could you tell me about my is what how when where this that for with and some today"
TOPICS = {topic: words.split() for topic, words in _WORDS.items()}
FILLERS = _FILLERS.split()


def chat(user: str, answer: str, system: str | None = None, **extra: object) -> dict[str, object]:
    messages = [{"role": "system", "content": system}] if system is not None else []
    messages += [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]
    return {"messages": messages, **extra}


def preference(user: str, good: str, bad: str) -> dict[str, object]:
    return {
        "input": {"messages": [{"role": "user", "content": user}]},
        "preferred_output": [{"role": "assistant", "content": good}],
        "non_preferred_output": [{"role": "assistant", "content": bad}],
    }


def jsonl(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def read_dataset(data: bytes, announced: Method | None = None) -> DatasetFacts:
    """What a dataset that is already in memory shows."""
    reader = DatasetReader(announced)
    reader.feed(data)
    return reader.finish()


def labelled(n_rows: int, seed: int = 1) -> list[tuple[str, str]]:
    """Distinct questions with the topic of their words as label."""
    rng = random.Random(seed)
    rows = {}
    while len(rows) < n_rows:
        label = rng.choice(sorted(TOPICS))
        words = rng.choices(TOPICS[label], k=6) + rng.choices(FILLERS, k=6)
        rng.shuffle(words)
        rows[" ".join(words)] = label
    return list(rows.items())


def corpus_of(data: bytes) -> Corpus:
    builder = CorpusBuilder()
    for line, raw in iter_rows([data]):
        row = read_row(raw).row
        if row is not None:
            builder.add(line, row)
    return builder.build()


def real_corpus(name: str) -> Corpus:
    return corpus_of((REAL / name).read_bytes())


def check_of(report: QualityReport, code: CheckCode) -> Check:
    return next(check for check in report.checks if check.code == code)
