"""Nearly equal rows: what an edit leaves is found, what a template repeats is not."""

import json
import random
from collections.abc import Callable

import numpy as np
import pytest
from tests.core.dataset_samples import HAS_REAL, REAL, chat, corpus_of, jsonl, labelled

from whatnext_service.core.dataset_lines import iter_rows
from whatnext_service.core.features import Features, hash_features, join_features
from whatnext_service.core.quality import PairKind
from whatnext_service.core.quality_report import report_quality
from whatnext_service.core.scratch import HeldScratch

FILLING = [chat(text, f"A long answer about {text}, number {n}.") for n, (text, _) in enumerate(labelled(60))]
PORTS = "Starting the scan at noon sharp. Report for host {}. Host is up. Port state service. Closing the scan."


def found(*rows: object, kind: PairKind = "near_duplicate") -> set[tuple[int, int]]:
    report = report_quality(corpus_of(jsonl(*FILLING, *rows)))
    return {(pair.first.line, pair.second.line) for pair in report.pairs if pair.kind == kind}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("did my order ship", "did my oredr ship"),
        ("where is the dipstick", "where really is the dipstick"),
        ("can you slow your speech down", "can you slow your down"),
    ],
)
def test_one_edit_of_a_short_prompt_is_found(first: str, second: str) -> None:
    assert found(chat(first, "yes"), chat(second, "yes")) == {(61, 62)}


def test_an_edit_is_found_in_a_crowd_of_one_template() -> None:
    crowd = [chat(PORTS.format(f"number-{n % 7} of rack-{n // 7}"), f"Host {n}") for n in range(40)]
    edited = chat(PORTS.format("number-3 of rack-2").replace("Port", "Really port"), "Host 17")
    assert (61 + 17, 101) in found(*crowd, edited)


def test_one_number_of_many_may_differ_and_of_few_none() -> None:
    rng = random.Random(4)
    readings = [[rng.randrange(10_000, 99_999) for _ in range(12)] for _ in range(20)]

    def measured(values: list[int]) -> dict[str, object]:
        return chat(f"Given the readings {', '.join(map(str, values))} what should be done?", "Check the filter.")

    rows = [measured(values) for values in readings]
    assert found(*rows, measured([*readings[0][:-1], 55_555])) == {(61, 81)}
    assert found(*(measured(values[:3]) for values in readings), measured([*readings[0][:2], 55_555])) == set()


def test_numbers_that_differ_by_a_digit_are_no_slip_of_the_pen() -> None:
    first = chat("How far is it from mile 1234 to the end of the road", "Far.")
    second = chat("How far is it from mile 1235 to the end of the road", "Near.")
    assert found(first, second, kind="near_contradiction") == set()


def of_texts(*texts: str) -> Features:
    scratch, offsets, n_words = HeldScratch(), [0], []
    for text in texts:
        packed, count = hash_features(text.encode().split())
        scratch.append(packed)
        offsets.append(offsets[-1] + len(packed) // 4)
        n_words.append(count)
    return Features(scratch, np.array(offsets), np.array(n_words, dtype=np.uint32))


def test_joined_texts_read_as_one() -> None:
    texts = ["a b c", "", "b c d e", "a a a", "z"]
    whole = of_texts(*texts)
    joined = join_features((of_texts(*texts[:2]), of_texts(), of_texts(*texts[2:])))
    for rows in ([0, 1, 2, 3, 4], [4, 0], [1], [], [3, 3, 2]):
        at = np.array(rows, dtype=np.int64)
        assert np.array_equal(whole.keys(at), joined.keys(at))
        assert np.array_equal(whole.word_keys(at), joined.word_keys(at))
    assert len(whole.word_keys(np.array([3]))) == 1
    assert len(whole.keys(np.array([3]))) == 2


def edits(rng: random.Random, text: str) -> str:
    words = text.split()
    at = rng.randrange(len(words))
    word = words[at]
    typo = word[:-2] + word[-1] + word[-2] if len(word) > 3 else word + "s"
    made: list[Callable[[], str]] = [
        text.upper,
        lambda: f"please, {text}",
        lambda: " ".join([*words[:at], *words[at + 1 :]]),
        lambda: " ".join([*words[:at], "really", *words[at:]]),
        lambda: " ".join([*words[:at], typo, *words[at + 1 :]]),
    ]
    return rng.choice(made)()


@pytest.mark.skipif(not HAS_REAL, reason="the folder of real datasets is not there")
@pytest.mark.parametrize(
    "name",
    [
        "extract_snips_valid.jsonl",
        "intent_clinc20_val.jsonl",
        "historygpt_train.jsonl",
        "pdm_genset_train6_EQUALS_val6.jsonl",
    ],
)
def test_planted_edits_of_real_rows_are_found(name: str) -> None:
    """The bar: recall 0.8 and precision 0.9; what the file repeats already is left out."""
    rows = [json.loads(raw) for _, raw in iter_rows([(REAL / name).read_bytes()])]
    already = near_rows(rows)
    hits = planted = false = 0
    for seed in range(3):
        rng = random.Random(seed)
        picked = rng.sample(rows, len(rows) // 10)
        twins = [json.loads(json.dumps(row)) for row in picked]
        for twin in twins:
            asked = twin["messages"][-2]
            asked["content"] = edits(rng, asked["content"])
        flagged = near_rows([*rows, *twins])
        hits += len({line for line in flagged if line > len(rows)})
        false += len({line for line in flagged if line <= len(rows)} - already)
        planted += len(twins)
    assert hits / planted >= 0.8
    assert hits / (hits + false) >= 0.9


def near_rows(rows: list[dict[str, object]]) -> set[int]:
    report = report_quality(corpus_of(jsonl(*rows)))
    bit = report.flag_codes.index("near_duplicates")
    flags = np.frombuffer(report.row_flags, dtype="<u4") >> np.uint32(bit) & np.uint32(1)
    return {int(at) + 1 for at in np.flatnonzero(flags)}
