"""Reading an uploaded dataset: real files, and every kind of broken one."""

import json
import random
from pathlib import Path

import msgspec
import pytest
from tests.core.dataset_samples import read_dataset

from whatnext_service.core.dataset_lines import iter_rows
from whatnext_service.core.dataset_reader import DatasetReader
from whatnext_service.core.datasets import DatasetFacts

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "datasets"
REAL_FILES = sorted(REAL.rglob("*.*")) if REAL.is_dir() else []


def chat(user: object = "hi", answer: object = "hello", **extra: object) -> dict[str, object]:
    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]
    return {"messages": messages, **extra}


def jsonl(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def counts(facts: DatasetFacts, severity: str = "error") -> dict[str, int]:
    return {count.code: count.count for count in facts.problem_counts if count.severity == severity}


ROWS = [chat(f"question {n}", f"answer {n}") for n in range(12)]

# file, method, examples, duplicates, contradicting rows, errors, warnings beside duplicates and contradictions
READINGS = [
    ("banking77_test.csv", None, 0, 0, 0, {"not_json": 3084}, {"blank_line": 1}),
    ("bptlab_Chat_Formatted_Dataset.json", "sft", 11, 0, 0, {}, {"json_array": 1}),
    ("cookbook_toy_chat_RECONSTRUCTED.jsonl", "sft", 5, 0, 0, {}, {"no_user_message": 1, "too_few_examples": 1}),
    ("extract_snips_train.jsonl", "sft", 350, 0, 0, {}, {}),
    ("extract_snips_valid.jsonl", "sft", 120, 0, 0, {}, {}),
    ("foundry_chartqa_images_train.jsonl", "sft", 100, 0, 0, {}, {}),
    ("foundry_dpo_chat_12.jsonl", "dpo", 12, 0, 0, {}, {}),
    ("foundry_dpo_orca_TRIMMED120.jsonl", "dpo", 120, 0, 0, {}, {}),
    ("foundry_gsm8k_train.jsonl", "sft", 449, 0, 0, {}, {}),
    ("foundry_gsm8k_validation.jsonl", "sft", 50, 0, 0, {}, {}),
    ("foundry_rft_countdown_train.jsonl", "rft", 100, 0, 0, {}, {}),
    ("foundry_rft_countdown_valid.jsonl", "rft", 50, 0, 0, {}, {}),
    ("foundry_rft_math_100.jsonl", "rft", 100, 0, 0, {}, {}),
    ("foundry_rft_math_dups_TRIMMED600.jsonl", "rft", 600, 5, 0, {}, {}),
    ("foundry_rft_toolcall_train.jsonl", "rft", 10, 0, 0, {}, {}),
    ("foundry_rft_toolcall_valid_SCHEMA_DIFFERS.jsonl", "rft", 10, 0, 0, {}, {}),
    ("foundry_toolcall_train.jsonl", "sft", 86, 0, 0, {}, {}),
    ("foundry_toolcall_validation.jsonl", "sft", 10, 0, 0, {}, {}),
    ("foundry_zava_multiturn_tools_TRIMMED15.jsonl", "sft", 15, 0, 0, {}, {}),
    ("historygpt_train.jsonl", "sft", 82, 0, 0, {}, {}),
    ("historygpt_val.jsonl", "sft", 19, 0, 0, {}, {}),
    ("intent_clinc20_test.jsonl", "sft", 320, 0, 0, {}, {}),
    ("intent_clinc20_train.jsonl", "sft", 520, 0, 0, {}, {}),
    ("intent_clinc20_val.jsonl", "sft", 210, 0, 0, {}, {}),
    ("jobgpt_train_BAD_JSON_line.jsonl", "sft", 14, 0, 3, {"not_json": 1}, {"blank_line": 1}),
    ("jobgpt_train_contradictory.jsonl", "sft", 15, 0, 3, {}, {}),
    ("jobgpt_validation_EMPTY_ASSISTANT_row11.jsonl", "sft", 10, 0, 0, {"empty_answer": 1}, {}),
    ("mentalhealth_train_contradict.jsonl", "sft", 102, 0, 2, {}, {}),
    ("moodswing_train_label_case_mismatch.jsonl", "sft", 80, 0, 0, {}, {}),
    ("moodswing_train_promptV2.jsonl", "sft", 80, 0, 0, {}, {}),
    ("moodswing_val.jsonl", "sft", 20, 0, 0, {}, {}),
    ("murd_legacy_prompt_completion.jsonl", "sft", 33, 0, 2, {}, {"legacy_format": 1}),
    ("nlbse_bitcoin_HUGE_LINE_128k.jsonl", "sft", 300, 1, 0, {}, {}),
    ("nmap_train_contradict.jsonl", "sft", 46, 0, 2, {}, {}),
    ("pdm_genset_train6_EQUALS_val6.jsonl", "sft", 50, 0, 0, {}, {}),
    ("pdm_genset_val2_contradict.jsonl", "sft", 17, 0, 2, {}, {}),
    ("project3_dataset_blank_lines.jsonl", "sft", 90, 36, 0, {}, {"blank_line": 4}),
    ("project3_train_36dups.jsonl", "sft", 90, 36, 0, {}, {}),
    ("project3_validation_all_in_train.jsonl", "sft", 30, 1, 0, {}, {}),
    ("rhakbari_legacy_val_contradict_TRIMMED200.jsonl", "sft", 200, 0, 4, {}, {"legacy_format": 1}),
    ("SYNTHETIC_bom.jsonl", "sft", 4, 0, 0, {}, {"no_user_message": 1, "too_few_examples": 1}),
    ("SYNTHETIC_crlf.jsonl", "sft", 4, 0, 0, {}, {"no_user_message": 1, "too_few_examples": 1}),
    ("SYNTHETIC_json_array.jsonl", "sft", 4, 0, 0, {}, {"json_array": 1, "no_user_message": 1, "too_few_examples": 1}),
    ("SYNTHETIC_utf16.jsonl", None, 0, 0, 0, {"wrong_encoding": 1}, {}),
    (
        "SYNTHETIC_wrong_roles.jsonl",
        "sft",
        0,
        0,
        0,
        {"unknown_role": 2, "ends_without_answer": 1, "bad_content": 1, "bad_messages": 1},
        {"empty_prompt": 1},
    ),
    ("tinker_conversations_128.jsonl", "sft", 128, 0, 0, {}, {}),
    ("tuningtitans_legacy_10rows.jsonl", "sft", 10, 0, 0, {}, {"legacy_format": 1}),
]


@pytest.mark.skipif(not REAL_FILES, reason="the folder of real datasets is not there")
@pytest.mark.parametrize(
    ("name", "method", "n_examples", "n_duplicates", "n_contradictions", "errors", "warnings"),
    READINGS,
    ids=[reading[0] for reading in READINGS],
)
def test_real_file_gets_the_right_reading(
    name: str,
    method: str | None,
    n_examples: int,
    n_duplicates: int,
    n_contradictions: int,
    errors: dict[str, int],
    warnings: dict[str, int],
) -> None:
    path = next(path for path in REAL_FILES if path.name == name)
    facts = read_dataset(path.read_bytes())
    assert (facts.method, facts.n_examples) == (method, n_examples)
    assert (facts.n_duplicates, facts.n_contradictions) == (n_duplicates, n_contradictions)
    assert counts(facts) == errors
    found = counts(facts, "warning")
    assert found.pop("duplicate_row", 0) == n_duplicates
    assert found.pop("contradiction", 0) == n_contradictions
    assert found == warnings


@pytest.mark.skipif(not REAL_FILES, reason="the folder of real datasets is not there")
def test_every_real_file_is_in_the_table() -> None:
    assert {path.name for path in REAL_FILES} == {reading[0] for reading in READINGS}


@pytest.mark.skipif(not REAL_FILES, reason="the folder of real datasets is not there")
@pytest.mark.parametrize(
    "name", ["SYNTHETIC_json_array.jsonl", "SYNTHETIC_bom.jsonl", "bptlab_Chat_Formatted_Dataset.json"]
)
def test_cuts_between_chunks_change_nothing(name: str) -> None:
    data = next(path for path in REAL_FILES if path.name == name).read_bytes()
    rng = random.Random(7)
    for size in (1, 3, 4096):
        reader = DatasetReader()
        at = 0
        while at < len(data):
            step = rng.randint(1, size)
            reader.feed(data[at : at + step])
            at += step
        assert reader.finish() == read_dataset(data)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (b"{", "not_json"),
        (b'{"messages": NaN}', "not_json"),
        (b"[" * 100_000, "array_unfinished"),
        (b'{"a":' * 100_000, "not_json"),
        (b'{"messages": "\xff"}', "not_utf8"),
        (b'"text"', "not_an_object"),
        (b"{}", "unknown_format"),
        (b'{"conversations": []}', "unknown_format"),
        (b'{"messages": {}}', "bad_messages"),
        (b'{"messages": []}', "bad_messages"),
        (b'{"messages": ["hi"]}', "bad_message"),
        (b'{"messages": [{"content": "hi"}]}', "unknown_role"),
        (b'{"messages": [{"role": 3, "content": "hi"}]}', "unknown_role"),
        (jsonl(chat(answer=None)), "bad_content"),
        (jsonl(chat(answer=7)), "bad_content"),
        (jsonl(chat(answer=" \n")), "empty_answer"),
        (jsonl(chat(answer=[{"type": "video"}])), "bad_part"),
        (jsonl({"messages": [{"role": "user", "content": "hi"}]}), "ends_without_answer"),
        (
            jsonl(
                {"messages": [{"role": "user", "content": "hi", "weight": 1}, {"role": "assistant", "content": "x"}]}
            ),
            "bad_weight",
        ),
        (jsonl(chat(tools="search")), "bad_tools"),
        (jsonl({"messages": [{"role": "assistant", "tool_calls": [{}]}]}), "bad_tool_call"),
        (jsonl({"preferred_output": [], "non_preferred_output": []}), "bad_preference"),
        (jsonl({"prompt": "hi", "completion": ""}), "empty_answer"),
        (jsonl({"prompt": "hi", "completion": None}), "bad_content"),
        (b"PK\x03\x04\x00\x00", "not_json"),
        (b"\x00\x00\x00\x00", "wrong_encoding"),
        (b"", "empty_file"),
        (b"\n \n", "empty_file"),
        (b"[]", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"[" + jsonl(*ROWS[:1]) + b"] more", "array_trailing_content"),
    ],
)
def test_a_fault_is_an_error_with_a_remedy(row: bytes, code: str) -> None:
    facts = read_dataset(row)
    assert code in counts(facts)
    assert facts.n_errors > 0
    assert facts.n_examples == 0 or code == "array_trailing_content"
    assert all(problem.message and problem.remedy for problem in facts.problems)


def dpo(good: str, bad: str, user: str = "hi") -> dict[str, object]:
    return {
        "input": {"messages": [{"role": "user", "content": user}]},
        "preferred_output": [{"role": "assistant", "content": good}],
        "non_preferred_output": [{"role": "assistant", "content": bad}],
    }


def test_preferences_must_differ_by_more_than_white_space() -> None:
    assert counts(read_dataset(jsonl(dpo("a b", "a  b ")))) == {"equal_preferences": 1}


def test_many_pairs_for_one_prompt_contradict_only_when_turned_round() -> None:
    facts = read_dataset(jsonl(dpo("a", "b"), dpo("c", "d"), dpo("b", "a")))
    assert (facts.method, facts.n_contradictions) == ("dpo", 2)
    lines = {problem.line: problem.message for problem in facts.problems if problem.code == "contradiction"}
    assert set(lines) == {1, 3}
    assert "Line 3" in lines[1]


def test_formats_may_not_be_mixed() -> None:
    facts = read_dataset(jsonl(*ROWS, dpo("a", "b")))
    assert counts(facts) == {"mixed_formats": 1}
    assert facts.problems[0].line == 13


def test_rft_may_be_announced_where_the_grader_needs_no_field() -> None:
    data = jsonl(*[{"messages": [{"role": "user", "content": f"q{n}"}]} for n in range(10)])
    assert counts(read_dataset(data)) == {"ends_without_answer": 10}
    announced = read_dataset(data, "rft")
    assert (announced.method, announced.n_errors, announced.n_examples) == ("rft", 0, 10)


def test_another_method_than_announced_is_refused() -> None:
    assert counts(read_dataset(jsonl(*ROWS), "dpo")) == {"unexpected_format": 12}


def test_the_first_problems_are_kept_and_all_are_counted() -> None:
    facts = read_dataset(b"nonsense\n" * 250)
    assert counts(facts) == {"not_json": 250}
    assert [problem.line for problem in facts.problems] == list(range(1, 101))


def test_a_row_without_end_does_not_fill_the_memory() -> None:
    for opening in (b'{"messages": "', b'[{"messages": "'):
        reader = DatasetReader(max_row_bytes=10_000)
        for _ in range(100):
            reader.feed(opening + b"x" * 5_000)
        facts = reader.finish()
        assert "row_too_long" in counts(facts)
    reader = DatasetReader(max_row_bytes=1_000)
    reader.feed(b"x" * 5_000 + b"\n" + jsonl(*ROWS))
    facts = reader.finish()
    assert counts(facts) == {"row_too_long": 1}
    assert facts.n_examples == 12


def test_encoding_marks_line_ends_and_layout_do_not_change_the_rows() -> None:
    plain = jsonl(*ROWS)
    crlf = plain.replace(b"\n", b"\r\n")
    array = json.dumps(ROWS, indent=1).encode()
    for data in (crlf, b"\xef\xbb\xbf" + plain, plain.rstrip(), plain.replace(b"\n", b"\n\n"), array):
        facts = read_dataset(data)
        assert facts.n_errors == 0
        assert facts.row_hashes == read_dataset(plain).row_hashes


def test_rows_are_read_again_with_their_lines() -> None:
    data = b"\n" + jsonl(*ROWS[:2]) + b"\n" + jsonl(ROWS[2])
    again = list(iter_rows(data[at : at + 7] for at in range(0, len(data), 7)))
    assert [line for line, _ in again] == [2, 3, 5]
    assert [msgspec.json.decode(raw) for _, raw in again] == ROWS[:3]
    array = json.dumps(ROWS[:2], indent=1).encode()
    assert [line for line, _ in iter_rows([array])] == [2, 14]


def test_tool_calls_need_no_content_and_their_keys_no_order() -> None:
    def call(arguments: str) -> dict[str, object]:
        function = {"name": "f", "arguments": arguments}
        message = {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": function}]}
        return {"messages": [{"role": "user", "content": "go"}, message], "tools": []}

    facts = read_dataset(jsonl(call('{"a": 1, "b": 2}'), call('{"b":2,"a":1}')))
    assert facts.n_errors == 0
    assert facts.n_duplicates == 1
    assert {"tool_calls", "tools"} <= set(facts.traits)


def test_fields_beside_the_messages_make_no_other_example() -> None:
    facts = read_dataset(jsonl(chat(id=1), chat(id=2)))
    assert facts.n_duplicates == 1
    assert "extra_keys" in facts.traits
