"""Dataset rows as eval items (method 9 formats, hazards 12)."""

import json
from pathlib import Path

import pytest

from whatnext_service.core.eval_rows import EvalItem, cluster_numbers, message_text, missing_fields, read_eval_row
from whatnext_service.errors import DomainError

DATASETS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "datasets"
ASK = {"role": "user", "content": "Capital of France?"}
ANSWER = {"role": "assistant", "content": "Paris"}


def item(row: object) -> EvalItem:
    return read_eval_row(json.dumps(row))


@pytest.mark.parametrize(
    ("row", "roles", "reference"),
    [
        ({"messages": [ASK, ANSWER]}, ["user"], "Paris"),
        ({"messages": [{"role": "system", "content": "s"}, ASK, ANSWER]}, ["system", "user"], "Paris"),
        ({"messages": [ASK, ANSWER, ASK, {**ANSWER, "weight": 1}]}, ["user", "assistant", "user"], "Paris"),
        ({"messages": [ASK]}, ["user"], None),
        ({"messages": [{"role": "developer", "content": "d"}, ASK], "answer": 9}, ["developer", "user"], "9"),
        ({"messages": [ASK], "reference_answer": "Paris", "answer": "x"}, ["user"], "Paris"),
        (
            {"input": {"messages": [ASK]}, "preferred_output": [ANSWER], "non_preferred_output": [ASK]},
            ["user"],
            "Paris",
        ),
        ({"input": "Capital of France?", "ideal": "Paris"}, ["user"], "Paris"),
        ({"input": [ASK], "ideal": ["Paris", "paris"]}, ["user"], "Paris"),
        ({"prompt": "Capital of France?", "completion": " Paris\n"}, ["user"], "Paris"),
        ({"messages": [ASK, {"role": "assistant", "content": ""}]}, ["user"], None),
    ],
)
def test_every_format_is_a_question_and_its_reference(row: object, roles: list[str], reference: str | None) -> None:
    read = item(row)
    assert [message["role"] for message in read.messages] == roles
    assert read.reference == reference


def test_the_reference_is_never_asked() -> None:
    read = item({"messages": [ASK, {"role": "assistant", "content": "secret answer"}], "tools": []})
    assert "secret answer" not in json.dumps(read.messages)
    assert "secret answer" not in read.fields["prompt"]


def test_earlier_turns_and_their_tool_calls_are_kept() -> None:
    call = {
        "role": "assistant",
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }
    result = {"role": "tool", "tool_call_id": "1", "content": "42"}
    read = item({"messages": [ASK, call, result, ANSWER], "tools": [{"type": "function"}]})
    assert read.messages == (ASK, call, result)
    assert read.tools == [{"type": "function"}]


def test_training_weights_are_not_sent() -> None:
    read = item({"messages": [ASK, {**ANSWER, "weight": 0}, ASK, ANSWER]})
    assert all("weight" not in message for message in read.messages)


def test_a_tool_call_is_the_reference_without_its_id() -> None:
    call = {"id": "x", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    assert item({"messages": [ASK, {"role": "assistant", "tool_calls": [call]}]}).reference == (
        '[{"arguments":"{\\"a\\":1}","name":"f"}]'
    )


def test_fields_that_graders_read() -> None:
    read = item({"messages": [ASK], "target": "77", "nums": [1, 2], "tags": ["a"], "source_id": 3})
    assert read.fields == {
        "target": "77",
        "nums": [1, 2],
        "prompt": "user: Capital of France?",
        "question": ASK["content"],
    }
    assert (read.tags, read.source) == (("a",), "3")


def test_a_rows_own_field_is_never_replaced() -> None:
    read = item({"input": "q", "ideal": ["Paris", "Lutetia"], "prompt": "own", "question": "mine"})
    assert (read.fields["prompt"], read.fields["question"]) == ("own", "mine")
    assert (read.fields["input"], read.fields["ideal"]) == ("q", ["Paris", "Lutetia"])
    assert read.fields["reference_answer"] == "Paris"


@pytest.mark.parametrize(
    ("row", "tags"),
    [
        ({"tags": ["a", "b", "a", 3, " "]}, ("a", "b")),
        ({"tags": "one"}, ("one",)),
        ({"tag": "x", "tags": None}, ("x",)),
        ({}, ()),
    ],
)
def test_tags(row: dict[str, object], tags: tuple[str, ...]) -> None:
    assert item({"messages": [ASK, ANSWER], **row}).tags == tags


@pytest.mark.parametrize(
    "row",
    [
        [],
        "x",
        None,
        {},
        {"messages": "x"},
        {"messages": []},
        {"messages": [ANSWER]},
        {"messages": [{"content": "no role"}]},
        {"messages": ["x"]},
        {"input": 3, "ideal": "x"},
        {"input": "", "ideal": "x"},
        {"prompt": None, "completion": "x"},
        {"input": {"messages": 1}, "preferred_output": [ANSWER]},
    ],
)
def test_a_row_that_asks_nothing_is_refused(row: object) -> None:
    with pytest.raises(DomainError, match="invalid_eval_row"):
        item(row)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[" * 5000])
def test_bytes_that_are_not_json_are_refused(raw: bytes) -> None:
    with pytest.raises(DomainError, match="invalid_eval_row"):
        read_eval_row(raw)


def test_parts_are_read_and_images_named() -> None:
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "http://x"}}]
    assert message_text({"role": "user", "content": parts}) == "What is this?\n[image_url]"


def test_items_that_share_a_source_are_numbered_together() -> None:
    rows = [
        {"messages": [ASK, ANSWER], **({"source_id": name} if name else {})} for name in ("a", None, "b", "a", None)
    ]
    assert cluster_numbers(item(row) for row in rows) == (0, 1, 2, 0, 3)
    assert cluster_numbers(item(row) for row in rows[:3]) is None


def test_missing_fields_are_found_before_anything_is_paid() -> None:
    items = [
        item({"messages": [ASK], "answer": "x"}),
        item({"messages": [ASK]}),
        item({"messages": [ASK], "answer": None}),
    ]
    (missing,) = missing_fields(items, frozenset({"answer", "prompt"}))
    assert (missing.name, missing.n_items, missing.first_item) == ("answer", 2, 1)


@pytest.mark.parametrize(
    ("name", "n_items", "n_references"),
    [
        ("foundry_chartqa_images_train.jsonl", 100, 100),
        ("foundry_dpo_chat_12.jsonl", 12, 12),
        ("foundry_rft_countdown_train.jsonl", 100, 0),
        ("foundry_rft_math_100.jsonl", 100, 100),
        ("foundry_rft_toolcall_valid_SCHEMA_DIFFERS.jsonl", 10, 10),
        ("foundry_zava_multiturn_tools_TRIMMED15.jsonl", 15, 15),
        ("intent_clinc20_test.jsonl", 320, 320),
        ("jobgpt_validation_EMPTY_ASSISTANT_row11.jsonl", 11, 10),
        ("murd_legacy_prompt_completion.jsonl", 33, 33),
        ("nlbse_bitcoin_HUGE_LINE_128k.jsonl", 300, 300),
        ("tuningtitans_legacy_10rows.jsonl", 10, 10),
    ],
)
def test_real_files(name: str, n_items: int, n_references: int) -> None:
    if not DATASETS.is_dir():
        pytest.skip("the folder of real datasets is not here")
    items = [read_eval_row(line) for line in (DATASETS / name).read_bytes().splitlines() if line.strip()]
    assert len(items) == n_items
    assert sum(one.reference is not None for one in items) == n_references
