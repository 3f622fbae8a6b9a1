"""Deriving dataset versions: planned on hashes, carried out row by row."""

import json

import msgspec
import numpy as np
import pytest
from tests.core.dataset_samples import chat, corpus_of, jsonl, labelled, preference, read_dataset

from whatnext_service.core.conversion import convert_row
from whatnext_service.core.dataset_lines import iter_rows
from whatnext_service.core.derive import (
    DerivationSource,
    Plan,
    carry_out,
    index_rows,
    plan_derivation,
)
from whatnext_service.core.near_pairs import NearPairs
from whatnext_service.core.operations import Operation
from whatnext_service.core.quality_report import report_quality
from whatnext_service.core.row_hashes import overlap
from whatnext_service.core.row_pairs import compare_rows
from whatnext_service.core.split import SplitPart
from whatnext_service.errors import DomainError


def plan(data: bytes, *operations: Operation, scores: bytes | None = None) -> Plan:
    return plan_derivation(msgspec.structs.replace(index_rows(iter_rows([data])), scores=scores), operations)


def derive(data: bytes, *operations: Operation, scores: bytes | None = None) -> list[object]:
    lines = b"".join(carry_out(plan(data, *operations, scores=scores), iter_rows([data])))
    return [json.loads(line) for line in lines.splitlines()]


UNEVEN = (SplitPart(name="a", share=0.5), SplitPart(name="b", share=0.4))
A, B, C = chat("one", "1"), chat("two", "2"), chat("three", "3")


def test_duplicates_go_and_the_first_stays() -> None:
    assert derive(jsonl(A, B, A, C, A), Operation(kind="drop_duplicates")) == [A, B, C]


def test_contradictions_go_all_or_by_vote() -> None:
    wrong = chat("one", "uno")
    data = jsonl(A, wrong, B, A)
    assert derive(data, Operation(kind="drop_contradictions")) == [B]
    assert derive(data, Operation(kind="fix_contradictions")) == [A, B, A]
    assert derive(jsonl(A, wrong, B), Operation(kind="fix_contradictions")) == [B]


def test_scores_break_a_tied_vote() -> None:
    scores = np.array([0.2, 0.9, 1.0], dtype="<f4").tobytes()
    tied = jsonl(A, chat("one", "uno"), B)
    assert derive(tied, Operation(kind="fix_contradictions"), scores=scores) == [chat("one", "uno"), B]


def test_rows_go_by_id_and_by_score() -> None:
    data = jsonl(A, B, C)
    named = report_quality(corpus_of(jsonl(A, B, A))).pairs[0].first.row_id
    assert derive(data, Operation(kind="drop_ids", ids=(named,))) == [B, C]
    assert derive(data, Operation(kind="drop_ids", lines=(2,))) == [A, C]
    scores = np.array([1.0, 0.4, 0.5], dtype="<f4").tobytes()
    assert derive(data, Operation(kind="keep_by_score", min_score=0.5), scores=scores) == [A, C]


def test_examples_are_added_and_later_operations_see_them() -> None:
    added = Operation(
        kind="add_examples", examples=(msgspec.Raw(json.dumps(C).encode()), msgspec.Raw(json.dumps(A).encode()))
    )
    assert derive(jsonl(A, B), added) == [A, B, C, A]
    assert derive(jsonl(A, B), added, Operation(kind="drop_duplicates")) == [A, B, C]


def test_the_preview_says_what_each_operation_did() -> None:
    worked = plan(
        jsonl(A, B, A, chat("two", "zwei")), Operation(kind="drop_duplicates"), Operation(kind="drop_contradictions")
    )
    assert [(effect.n_before, effect.n_after) for effect in worked.effects] == [(4, 3), (3, 1)]
    assert worked.derived_by == ("drop_duplicates", "drop_contradictions")
    assert (worked.part_counts, len(worked.effects[1].rows)) == ((1,), 2)


def test_a_split_keeps_a_prompt_in_one_part_and_the_shares() -> None:
    rows = [chat(text, label, system=f"v{n}") for text, label in labelled(200) for n in range(2)]
    parts = (SplitPart(name="train", share=0.8), SplitPart(name="validation", share=0.2))
    data = jsonl(*rows)
    worked = plan(data, Operation(kind="split", parts=parts))
    assert worked.part_names == ("train", "validation")
    assert abs(worked.part_counts[1] - 80) <= 2
    train, valid = (b"".join(carry_out(worked, iter_rows([data]), part)) for part in (0, 1))
    assert overlap(read_dataset(train).prompt_hashes, read_dataset(valid).prompt_hashes) == ()
    backwards = jsonl(*rows[::-1])
    again = plan(backwards, Operation(kind="split", parts=parts))
    assert set(b"".join(carry_out(again, iter_rows([backwards]), 1)).splitlines()) == set(valid.splitlines())


def test_near_duplicates_go_or_stay_together() -> None:
    question = "could you show me the opening hours of the library near the old town square"
    rows = [*(chat(text, label) for text, label in labelled(60)), chat(question, "x"), chat(f"please, {question}", "x")]
    data = jsonl(*rows)
    pairs = next(each for each in compare_rows(corpus_of(data), ()) if each.kind == "near_duplicate")
    near = NearPairs(pairs.first, pairs.second, pairs.similarity)
    source = msgspec.structs.replace(index_rows(iter_rows([data])), near=near)
    dropped = plan_derivation(source, (Operation(kind="drop_duplicates", near=True),))
    assert dropped.parts[60:] == bytes([0, 255])
    parts = tuple(SplitPart(name=f"p{n}", share=0.2) for n in range(5))
    assigned = plan_derivation(source, (Operation(kind="split", parts=parts),)).parts
    assert assigned[60] == assigned[61]


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ((), "invalid_derivation"),
        ((Operation(kind="drop_ids"),), "invalid_derivation"),
        ((Operation(kind="drop_ids", ids=("0123456789abcdef",)),), "invalid_derivation"),
        ((Operation(kind="drop_ids", lines=(1, 9)),), "invalid_derivation"),
        ((Operation(kind="keep_by_score", min_score=0.5),), "quality_missing"),
        ((Operation(kind="drop_duplicates", near=True),), "quality_missing"),
        ((Operation(kind="split", parts=UNEVEN),), "invalid_derivation"),
        ((Operation(kind="add_examples", examples=(msgspec.Raw(b"{}"),)),), "dataset_row_invalid"),
    ],
)
def test_impossible_operations_are_refused_by_code(operations: tuple[Operation, ...], code: str) -> None:
    with pytest.raises(DomainError) as caught:
        plan(jsonl(A, B), *operations)
    assert caught.value.code == code


def test_a_version_without_rows_is_refused() -> None:
    with pytest.raises(DomainError):
        plan(jsonl(A, chat("one", "uno")), Operation(kind="drop_contradictions"))
    with pytest.raises(DomainError):
        plan_derivation(
            DerivationSource(row_hashes=b"", prompt_hashes=b"", reversed_hashes=b"", lines=b"", scores=None, near=None),
            (Operation(kind="drop_duplicates"),),
        )


@pytest.mark.parametrize(
    ("row", "to", "converted"),
    [
        (A, "sft", A),
        ({"prompt": "one\n\n###\n\n", "completion": " 1"}, "sft", A),
        (preference("one", "1", "0"), "sft", A),
        (A, "rft", {"messages": A["messages"][:1], "reference_answer": "1"}),  # type: ignore[index]
        ({"messages": A["messages"][:1], "reference_answer": "1"}, "sft", A),  # type: ignore[index]
        (preference("one", "1", "0"), "rft", {"messages": A["messages"][:1], "reference_answer": "1"}),  # type: ignore[index]
    ],
)
def test_rows_convert_between_methods(row: object, to: str, converted: object) -> None:
    assert json.loads(convert_row(json.dumps(row).encode(), to)) == converted  # type: ignore[arg-type]


def test_tools_survive_conversion_and_what_cannot_be_is_refused() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert json.loads(convert_row(json.dumps(chat("one", "1", tools=tools)).encode(), "rft"))["tools"] == tools
    for row, to in ((A, "dpo"), ({"messages": [{"role": "user", "content": "x"}], "target": 1}, "sft")):
        with pytest.raises(DomainError) as caught:
            convert_row(json.dumps(row).encode(), to)  # type: ignore[arg-type]
        assert caught.value.code == "conversion_impossible"


def test_rows_of_a_pretty_printed_array_become_lines() -> None:
    data = json.dumps([A, B], indent=2).encode()
    assert derive(data, Operation(kind="drop_duplicates")) == [A, B]
