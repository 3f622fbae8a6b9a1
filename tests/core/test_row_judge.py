"""Which rows a judge is asked about, and what it is shown."""

import json
import math

import numpy as np
import pytest
from tests.core.dataset_samples import chat, check_of, corpus_of, jsonl, preference

from whatnext_service.core.derive import index_rows
from whatnext_service.core.early_end import EndedEarly
from whatnext_service.core.evaluations import pack_scores
from whatnext_service.core.quality import CheckVerdict, JudgeScores
from whatnext_service.core.quality_report import report_quality
from whatnext_service.core.row_hashes import HASH_BYTES
from whatnext_service.core.row_judge import (
    MAX_CHARS,
    JudgingStatus,
    RowFault,
    how_it_ended,
    instrument_of,
    judged_row,
    pick_rows,
    row_dimensions,
    scores_by_row,
)


def hashes(*rows: object) -> bytes:
    return index_rows((n + 1, json.dumps(row).encode()) for n, row in enumerate(rows)).row_hashes


def test_a_larger_sample_holds_the_smaller_one_and_no_row_twice() -> None:
    packed = hashes(*(chat(f"q {n % 40}", f"a {n % 40}") for n in range(100)))
    small, large = pick_rows(packed, 10), pick_rows(packed, 100)
    assert large[:10] == small
    assert (len(small), len(large), len(set(large))) == (10, 40, 40)
    assert all(place < 40 for place in large)
    assert sorted(large) != list(large)


def test_the_lot_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = [chat(f"q {n}", f"a {n}") for n in range(50)]
    assert {json.dumps(rows[place]) for place in pick_rows(hashes(*rows), 10)} == {
        json.dumps(rows[::-1][place]) for place in pick_rows(hashes(*rows[::-1]), 10)
    }


def test_the_judge_sees_the_conversation_with_its_tools_and_the_answer_apart() -> None:
    row = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather in Oslo?"},
            {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "w", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": "4 degrees"},
            {"role": "assistant", "content": "Cold,\n  4 degrees."},
        ],
        "tools": [{"type": "function", "function": {"name": "w"}}],
        "prompt": "A field of this name is not the prompt.",
    }
    shown = judged_row(json.dumps(row).encode())
    assert not isinstance(shown, RowFault)
    item, sample = shown
    prompt = str(item["prompt"])
    assert prompt.startswith("tools on offer: [{")
    assert "system: Be brief." in prompt
    assert "tool: 4 degrees" in prompt
    assert sample.output_text == "Cold,\n  4 degrees."
    assert "Cold" not in prompt


def test_of_a_pair_the_preferred_answer_is_judged() -> None:
    shown = judged_row(json.dumps(preference("Which?", "the good one", "the bad one")).encode())
    assert not isinstance(shown, RowFault)
    assert shown[1].output_text == "the good one"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"messages": [{"role": "user", "content": "How?"}], "answer_key": 3}, "no_answer"),
        ({"messages": [{"role": "assistant", "content": "Nobody asked."}]}, "no_answer"),
        (chat("long", "word " * (MAX_CHARS // 5)), "too_long"),
    ],
)
def test_a_row_that_cannot_be_shown_whole_is_a_fault_and_no_score(row: object, code: str) -> None:
    shown = judged_row(json.dumps(row).encode())
    assert isinstance(shown, RowFault)
    assert shown.code == code


def test_another_judge_or_question_is_another_instrument() -> None:
    named = {
        instrument_of(row_dimensions(names, model))
        for names in (("correctness",), ("correctness", "quality"))
        for model in ("judge-a", "judge-b")
    }
    assert len(named) == 4
    assert instrument_of(row_dimensions(("correctness",), "judge-a")) in named


def test_scores_stand_at_their_rows_and_a_missing_one_is_no_number() -> None:
    packed = hashes(chat("a", "b"), chat("c", "d"), chat("a", "b"))
    scores = np.frombuffer(scores_by_row(packed, {packed[:HASH_BYTES]: 7.5}), dtype="<f8")
    assert (scores[0], scores[2]) == (7.5, 7.5)
    assert math.isnan(scores[1])


@pytest.mark.parametrize(
    ("scores", "resists", "verdict", "n_rows"),
    [
        ([9.0] * 96 + [2.0] * 4, True, "good", 4),
        ([9.0] * 19 + [2.0] + [None] * 80, True, "caution", 1),
        ([9.0] * 15 + [2.0] * 5 + [None] * 80, True, "critical", 5),
        ([2.0] * 9 + [None] * 91, True, "not_computed", 0),
        ([2.0] * 100, False, "not_computed", 0),
    ],
)
def test_the_check_counts_shares_of_what_was_scored(
    scores: list[float | None], resists: bool, verdict: CheckVerdict, n_rows: int
) -> None:
    """5 % and 25 %; nine scores and those of a judge that obeys its material say nothing."""
    corpus = corpus_of(jsonl(*(chat(f"question {n}", f"answer {n}") for n in range(100))))
    judged = JudgeScores(scores=pack_scores(scores), threshold=6.0, resists=resists)
    check = check_of(report_quality(corpus, judged=judged), "judge")
    assert (check.verdict, check.n_rows) == (verdict, n_rows)


@pytest.mark.parametrize(
    ("ended", "n_scored", "status"),
    [
        (None, 10, "succeeded"),
        ("max_tokens", 3, "succeeded"),
        ("max_cost", 0, "failed"),
        (None, 0, "failed"),
        ("failing", 0, "failed"),
        ("cancelled", 5, "cancelled"),
    ],
)
def test_a_judging_without_a_score_has_failed(ended: EndedEarly | None, n_scored: int, status: JudgingStatus) -> None:
    found, failure = how_it_ended(ended, n_scored, 10, "refused: no")
    assert found == status
    assert (failure is None) == (status == "succeeded")
