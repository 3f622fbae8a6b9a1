"""Other tools' logs, in the shapes that the tools' own sources give them."""

import json
from typing import Any

import pytest

from whatnext_service.core.evaluation_logs import read_evaluation_log
from whatnext_service.core.log_entries import EvaluationLog
from whatnext_service.core.match_items import match_items
from whatnext_service.errors import DomainError

Json = dict[str, Any]
QUESTIONS = ("Capital of France?", "Capital of Peru?", "Capital of Chad?")
PROMPTS = tuple(({"role": "system", "content": "Be brief."}, {"role": "user", "content": each}) for each in QUESTIONS)


def read(document: object, **how: str) -> EvaluationLog:
    return read_evaluation_log(json.dumps(document).encode(), **how)


def scores(log: EvaluationLog, **how: Any) -> list[tuple[int, float | None]]:
    matched = match_items(log, PROMPTS, scale_min=1.0, scale_max=10.0, **how)  # type: ignore[arg-type]
    return [(each.idx, each.score) for each in matched]


def inspect_sample(id_: int, question: object, value: object, *, epoch: int = 1, **fields: object) -> Json:
    return {
        "id": id_,
        "epoch": epoch,
        "input": question,
        "target": "x",
        "messages": [],
        "output": {
            "model": "openai/gpt-4o",
            "choices": [{"message": {"role": "assistant", "content": "Paris"}, "stop_reason": "stop"}],
            "completion": "Paris",
            "usage": {"input_tokens": 12, "output_tokens": 3, "total_tokens": 15},
        },
        "scores": {"match": {"value": value, "answer": "Paris", "explanation": None}},
        **fields,
    }


def inspect_log(*samples: Json) -> Json:
    return {"version": 2, "status": "success", "eval": {"task": "capitals"}, "samples": list(samples)}


def test_an_inspect_log_is_matched_by_what_was_asked_and_its_letters_are_scores() -> None:
    log = read(
        inspect_log(
            inspect_sample(1, QUESTIONS[2], "C"),
            inspect_sample(2, [{"role": "user", "content": QUESTIONS[0]}], "I"),
            inspect_sample(3, QUESTIONS[1], "P"),
        )
    )
    assert (log.format, log.scorer) == ("inspect_ai", "match")
    assert scores(log) == [(0, 1.0), (1, 5.5), (2, 10.0)]
    assert (log.entries[0].output, log.entries[0].completion_tokens) == ("Paris", 3)


def test_epochs_of_an_inspect_log_are_averaged_and_a_failed_sample_has_no_score() -> None:
    failed = inspect_sample(2, QUESTIONS[1], None, error={"message": "timeout"}) | {"scores": None}
    log = read(inspect_log(inspect_sample(1, QUESTIONS[0], "C"), inspect_sample(1, QUESTIONS[0], "I", epoch=2), failed))
    assert scores(log) == [(0, 5.5), (1, None)]
    assert log.entries[2].error == "timeout"


def test_one_of_several_inspect_scorers_has_to_be_named() -> None:
    sample = inspect_sample(1, QUESTIONS[0], "C")
    sample["scores"] |= {"judge": {"value": {"tone": 0.25, "facts": 1}}}
    with pytest.raises(DomainError, match=r"match, judge\.tone, judge\.facts"):
        read(inspect_log(sample))
    assert scores(read(inspect_log(sample), score="judge.tone")) == [(0, 3.25)]


def test_an_inspect_log_with_nan_is_read_and_a_packed_one_is_told_apart() -> None:
    body = json.dumps(inspect_log(inspect_sample(1, QUESTIONS[0], float("nan")))).encode()
    assert b"NaN" in body
    assert scores(read_evaluation_log(body, score="match")) == [(0, None)]
    with pytest.raises(DomainError, match="inspect log convert"):
        read_evaluation_log(b"PK\x03\x04rest")


def promptfoo_result(test: int, score: float, *, provider: str = "openai:gpt-4o", **fields: object) -> Json:
    return {
        "testIdx": test,
        "promptIdx": 0,
        "provider": {"id": provider, "label": ""},
        "prompt": {"raw": json.dumps([{"role": "user", "content": QUESTIONS[test]}]), "label": "p"},
        "vars": {"question": QUESTIONS[test]},
        "response": {"output": "Paris", "tokenUsage": {"total": 9, "prompt": 7, "completion": 2}},
        "success": score >= 0.5,
        "failureReason": 0 if score >= 0.5 else 1,
        "score": score,
        "namedScores": {"facts": 1},
        "gradingResult": {"pass": score >= 0.5, "score": score, "reason": ""},
        **fields,
    }


def promptfoo_file(*results: Json) -> Json:
    return {"evalId": "eval-1", "results": {"version": 3, "results": list(results), "stats": {}}, "config": {}}


def test_promptfoo_results_are_read_and_an_error_is_no_zero() -> None:
    broken = promptfoo_result(2, 0.0, failureReason=2, error="API error: 500", response={})
    log = read(promptfoo_file(promptfoo_result(1, 0.5), promptfoo_result(0, 1.0), broken))
    assert scores(log) == [(0, 10.0), (1, 5.5), (2, None)]
    assert log.entries[0].completion_tokens == 2
    assert log.entries[2].error == "API error: 500"
    assert scores(read(promptfoo_file(promptfoo_result(1, 0.5)), score="facts")) == [(1, 10.0)]


def test_promptfoo_lines_are_read_and_a_matrix_wants_its_variant_named() -> None:
    matrix = [promptfoo_result(0, 1.0), promptfoo_result(0, 0.0, provider="openai:o3")]
    lines = "\n".join(json.dumps(each) for each in matrix).encode()
    with pytest.raises(DomainError, match="openai:gpt-4o#0, openai:o3#0"):
        read_evaluation_log(lines)
    assert scores(read_evaluation_log(lines, variant="openai:o3")) == [(0, 1.0)]


def lm_eval_row(doc_id: int, value: float, **fields: object) -> Json:
    return {
        "doc_id": doc_id,
        "doc": {"question": QUESTIONS[doc_id], "answer": "x"},
        "target": "x",
        "arguments": {"gen_args_0": {"arg_0": f"Q: {QUESTIONS[doc_id]}\nA:", "arg_1": {"until": ["\n"]}}},
        "resps": [["Paris"]],
        "filtered_resps": ["Paris"],
        "filter": "none",
        "metrics": ["exact_match"],
        "doc_hash": "a",
        "prompt_hash": "b",
        "target_hash": "c",
        "exact_match": value,
        **fields,
    }


def test_lm_eval_samples_are_read_as_lines_and_inside_the_results() -> None:
    rows = [lm_eval_row(2, 1.0), lm_eval_row(0, 0.0)]
    lines = read_evaluation_log("\n".join(json.dumps(row) for row in rows).encode())
    assert scores(lines) == [(0, 1.0), (2, 10.0)]
    inside = read({"results": {"capitals": {}}, "samples": {"capitals": rows}})
    assert (scores(inside), inside.scorer) == (scores(lines), "capitals:exact_match")
    with pytest.raises(DomainError, match="--log_samples"):
        read({"results": {"capitals": {"exact_match,none": 0.5}}, "configs": {}})


def test_older_lm_eval_rows_without_a_list_of_metrics_want_the_metric_named() -> None:
    row = lm_eval_row(0, 1.0, acc=0.0)
    del row["metrics"]
    with pytest.raises(DomainError, match="exact_match, acc"):
        read([row, lm_eval_row(1, 1.0)])
    assert scores(read([row], score="acc")) == [(0, 1.0)]


def test_one_of_several_lm_eval_filters_has_to_be_named() -> None:
    rows = [lm_eval_row(0, 0.0, filter="strict"), lm_eval_row(0, 1.0, filter="flexible")]
    with pytest.raises(DomainError, match="exact_match,strict, exact_match,flexible"):
        read(rows)
    assert scores(read(rows, score="exact_match,flexible")) == [(0, 10.0)]


@pytest.mark.parametrize(
    "text",
    [
        "index,score\n0,1\n2,\n1,5.5\n",
        "﻿Index;Score\r\n0;1\r\n2;nan\r\n1;5.5\r\n",
        'prompt\tscore\n"Capital of  France?"\t1\nCapital of Chad?\t\n"Capital of Peru?"\t5.5\n',
    ],
)
def test_a_table_is_on_the_suites_scale_and_an_empty_score_is_missing(text: str) -> None:
    log = read_evaluation_log(text.encode())
    assert scores(log) == [(0, 1.0), (1, 5.5), (2, None)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "no column score"),
        ("score\n1\n", "index"),
        ("index,score\n0,good\n", "1 rows cannot be read"),
        ("index,score\n-1,5\n", "1 rows cannot be read"),
        ('index,score\n0,"5\n', "cannot be read"),
        ("[1, 2]", "none of those"),
        ("{}", "none of those"),
        ('{"a": ', "not JSON"),
        ("\x00\x01", "no column"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(text: str, told: str) -> None:
    with pytest.raises(DomainError, match=told) as caught:
        read_evaluation_log(text.encode())
    assert caught.value.code == "invalid_evaluation_log"


@pytest.mark.parametrize(
    ("text", "pointer", "told"),
    [
        ("index,score\n0,5\n3,5\n", "/3", "items 0 to 2"),
        ("index,score\n0,5\n0,6\n", "/3", "given twice"),
        ("index,score\n0,11\n", "/2", "outside 1 to 10"),
        ("prompt,score\nCapital of Mars?,5\n", "/2", "match by index"),
    ],
)
def test_an_entry_that_fits_nowhere_refuses_the_whole_file(text: str, pointer: str, told: str) -> None:
    with pytest.raises(DomainError) as caught:
        scores(read_evaluation_log(text.encode()))
    assert [each.pointer for each in caught.value.errors] == [pointer]
    assert told in caught.value.errors[0].message


def test_a_named_range_is_mapped_onto_the_scale_and_the_order_may_be_trusted() -> None:
    log = read_evaluation_log(b"index,score\n0,0\n1,50\n2,100\n")
    assert scores(log, low=0.0, high=100.0) == [(0, 1.0), (1, 5.5), (2, 10.0)]
    other = read(inspect_log(inspect_sample(1, "Hauptstadt?", "C"), inspect_sample(3, "Stadt?", "I")))
    assert scores(other, by="index") == [(0, 10.0), (2, 1.0)]


def test_a_question_asked_twice_is_matched_once_each() -> None:
    log = read_evaluation_log(b"prompt,score\nsame,2\nsame,4\n")
    twice = (({"role": "user", "content": "same"},),) * 2
    matched = match_items(log, twice, scale_min=1.0, scale_max=10.0)  # type: ignore[arg-type]
    assert [(each.idx, each.score) for each in matched] == [(0, 2.0), (1, 4.0)]
