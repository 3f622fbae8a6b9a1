"""Equality and overlap by content."""

import json
from pathlib import Path

import pytest
from tests.core.dataset_samples import read_dataset

from whatnext_service.core.dataset_formats import normalise_row
from whatnext_service.core.row_hashes import overlap, prompt_hash
from whatnext_service.errors import DomainError

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "datasets"


def encode(value: object) -> bytes:
    return json.dumps(value).encode()


def chat(user: str, answer: str = "x", system: str | None = None) -> bytes:
    messages = [{"role": "system", "content": system}] if system is not None else []
    return encode(
        {"messages": [*messages, {"role": "user", "content": user}, {"role": "assistant", "content": answer}]}
    )


def hashes(*rows: bytes) -> bytes:
    return b"".join(prompt_hash(normalise_row(row)) for row in rows)


@pytest.mark.parametrize(
    "other",
    [
        chat(" a  café\n"),
        chat("a cafe\u0301"),
        chat("a café", answer="another"),
        encode({"prompt": "a café\n\n###\n\n", "completion": " x"}),
        encode({"messages": [{"role": "user", "content": [{"type": "text", "text": "a café"}]}], "target": 1}),
        encode(
            {
                "input": {"messages": [{"role": "user", "content": "a café"}]},
                "preferred_output": [{"role": "assistant", "content": "y"}],
                "non_preferred_output": [{"role": "assistant", "content": "z"}],
            }
        ),
    ],
)
def test_the_same_prompt_is_found_whatever_the_format(other: bytes) -> None:
    assert hashes(other) == hashes(chat("a café"))


def test_case_and_order_of_turns_matter() -> None:
    assert hashes(chat("A")) != hashes(chat("a"))


def test_the_same_input_under_another_system_prompt_overlaps() -> None:
    train = hashes(chat("one", system="v1"), chat("two", system="v1"))
    assert overlap(train, hashes(chat("three"), chat("two"), chat("one", system="v2"))) == (1, 2)


def test_an_input_that_does_not_say_what_is_asked_overlaps_only_with_its_context() -> None:
    train = hashes(chat("Summarise.", system="text 1"), chat("Summarise.", system="text 2"))
    assert overlap(train, hashes(chat("Summarise.", system="text 3"), chat("Summarise.", system="text 2"))) == (1,)


def test_nothing_overlaps_with_nothing() -> None:
    assert overlap(b"", hashes(chat("a"))) == overlap(hashes(chat("a")), b"") == ()


def test_an_unreadable_row_is_refused_by_code() -> None:
    with pytest.raises(DomainError) as caught:
        normalise_row(b'{"messages": []}')
    assert caught.value.code == "dataset_row_invalid"


@pytest.mark.skipif(not REAL.is_dir(), reason="the folder of real datasets is not there")
@pytest.mark.parametrize(
    ("train", "held_out", "n_shared"),
    [
        ("project3_train_36dups.jsonl", "project3_validation_all_in_train.jsonl", 30),
        ("pdm_genset_train6_EQUALS_val6.jsonl", "pdm_genset_train6_EQUALS_val6.jsonl", 50),
        ("moodswing_train_label_case_mismatch.jsonl", "moodswing_train_promptV2.jsonl", 80),
        ("historygpt_train.jsonl", "historygpt_val.jsonl", 0),
        ("foundry_gsm8k_train.jsonl", "foundry_gsm8k_validation.jsonl", 0),
        ("intent_clinc20_train.jsonl", "intent_clinc20_test.jsonl", 0),
        ("foundry_rft_countdown_train.jsonl", "foundry_rft_countdown_valid.jsonl", 0),
    ],
)
def test_real_leaks_are_found(train: str, held_out: str, n_shared: int) -> None:
    first, second = (read_dataset((REAL / name).read_bytes()).prompt_hashes for name in (train, held_out))
    assert len(overlap(first, second)) == n_shared
