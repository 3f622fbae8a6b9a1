"""The quality report: each check on rows made for it, planted faults, and the real files."""

import math
import random

import numpy as np
import pytest
from tests.core.dataset_samples import (
    HAS_REAL,
    REAL,
    chat,
    check_of,
    corpus_of,
    jsonl,
    labelled,
    preference,
    real_corpus,
)

from whatnext_service.core.corpus import Corpus
from whatnext_service.core.evaluations import pack_scores
from whatnext_service.core.quality import CheckCode, CheckVerdict, JudgeScores, OtherSet, QualityReport, RowPair
from whatnext_service.core.quality_report import report_quality

needs_real = pytest.mark.skipif(not HAS_REAL, reason="the folder of real datasets is not there")


def distinct(n_rows: int, **options: str) -> list[dict[str, object]]:
    return [
        chat(text, f"A long answer about {text}, number {n}.", **options)
        for n, (text, _) in enumerate(labelled(n_rows))
    ]


def report(*rows: object, other: Corpus | None = None, **options: object) -> QualityReport:
    others = (OtherSet(role="selection", name="eval", corpus=other),) if other is not None else ()
    return report_quality(corpus_of(jsonl(*rows)), others, **options)  # type: ignore[arg-type]


def pairs(found: QualityReport, kind: str) -> set[tuple[int, int]]:
    return {(pair.first.line, pair.second.line) for pair in found.pairs if pair.kind == kind}


def troubles(found: QualityReport) -> dict[CheckCode, CheckVerdict]:
    return {check.code: check.verdict for check in found.checks if check.verdict in ("caution", "critical")}


def test_sound_rows_pass_every_check() -> None:
    found = report(*distinct(60))
    assert troubles(found) == {}
    assert found.verdict == "good"
    assert set(np.frombuffer(found.row_scores, dtype="<f4")) == {1.0}


def test_no_rows_are_a_verdict_not_a_crash() -> None:
    assert troubles(report()) == {"size": "critical"}
    assert troubles(report(other=corpus_of(b"")))["size"] == "critical"


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([chat(f"q {n}", f"a {n}") for n in range(49)], "critical"),
        ([chat(f"q {n}", f"a {n}") for n in range(50)], "good"),
        ([chat(f"q {n}", f"a {n}") for n in range(5001)], "caution"),
        ([preference(f"q {n}", f"a {n}", "b") for n in range(499)], "caution"),
        ([preference(f"q {n}", f"a {n}", "b") for n in range(500)], "good"),
    ],
)
def test_size_is_judged_by_the_method(rows: list[dict[str, object]], verdict: CheckVerdict) -> None:
    """method 6.4: SFT 50-5,000, DPO 500-5,000."""
    assert check_of(report(*rows), "size").verdict == verdict


def test_rows_over_the_limit_are_named() -> None:
    found = report(*distinct(60), chat("word " * 300, "long"), max_row_tokens=200)
    check = check_of(found, "row_length")
    assert (check.verdict, check.n_rows, check.rows[0].line) == ("critical", 1, 61)


def test_duplicates_and_contradictions_come_as_pairs() -> None:
    """method 6.1, evidence 4."""
    rows = distinct(60)
    rows += [rows[4], chat(labelled(60)[7][0], "something else altogether")]
    found = report(*rows)
    assert pairs(found, "exact_duplicate") == {(5, 61)}
    assert pairs(found, "contradiction") == {(8, 62)}
    check = check_of(found, "contradictions")
    assert (check.verdict, check.n_rows, check.operation) == ("critical", 2, "drop_contradictions")
    assert check.effect is not None
    assert (check.effect.low, check.effect.high) == (0.34, 0.76)


EDITS = {
    "case": lambda text: text.upper(),
    "punctuation": lambda text: text.replace(" ", ", ") + "!",
    "opening": lambda text: "please, " + text,
    "word left out": lambda text: " ".join(text.split()[:-1]),
    "typo": lambda text: text[:-2] + text[-1] + text[-2],
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_nearly_the_same_prompt_is_found(edit) -> None:  # type: ignore[no-untyped-def]
    question = "could you show me the opening hours of the library near the old town square"
    rows = distinct(60)
    same = report(*rows, chat(question, "Nine to five."), chat(edit(question), "Nine to five."))
    assert pairs(same, "near_duplicate") == {(61, 62)}
    other = report(*rows, chat(question, "Nine to five."), chat(edit(question), "Ten to six."))
    assert pairs(other, "near_contradiction") == {(61, 62)}
    leaked = report(*rows, chat(question, "x"), other=corpus_of(jsonl(*distinct(5), chat(edit(question), "y"))))
    assert (61, 6) in pairs(leaked, "near_leak")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("what is the chemical symbol for gold", "what is the chemical symbol for silver"),
        ("is the ticket for the museum refundable", "is the ticket for the museum not refundable"),
        ("add 17 and 25 and tell me the sum", "add 17 and 26 and tell me the sum"),
    ],
)
def test_another_question_in_nearly_the_same_words_is_no_contradiction(first: str, second: str) -> None:
    found = report(*distinct(60), chat(first, "one"), chat(second, "two"))
    assert pairs(found, "near_contradiction") == set()


def test_rows_of_one_template_are_not_near_duplicates() -> None:
    rng = random.Random(3)
    template = "You are an expert. " * 20 + "Combine the numbers {} to reach the target."
    names = ["".join(rng.choices("abcdefghij", k=6)) for _ in range(200)]
    rows = [chat(template.format(" and ".join(rng.sample(names, 4))), f"answer {n}") for n in range(100)]
    found = report(*rows)
    assert pairs(found, "near_duplicate") | pairs(found, "near_contradiction") == set()


def test_leaks_are_found_under_another_system_prompt_and_format() -> None:
    """method 4, hazards e."""
    rows = distinct(60, system="v1")
    text = labelled(60)[3][0]
    held_out = corpus_of(jsonl(chat("something new", "x"), {"prompt": f"{text}\n\n###\n\n", "completion": " y"}))
    found = report(*rows, other=held_out)
    check = check_of(found, "leakage")
    assert (check.verdict, check.n_rows, [mark.line for mark in check.rows]) == ("critical", 1, [4])
    assert pairs(found, "leak") == {(4, 2)}
    assert check_of(report(*rows), "leakage").verdict == "not_computed"


def test_planted_wrong_labels_come_first() -> None:
    rows = labelled(600)
    rng = random.Random(5)
    wrong = set(rng.sample(range(600), 60))
    others = {"weather": "music", "music": "travel", "travel": "weather"}
    found = report(*[chat(text, others[label] if n in wrong else label) for n, (text, label) in enumerate(rows)])
    confidence = np.frombuffer(found.label_confidence, dtype="<f4")
    order = np.argsort(confidence)
    assert len(wrong & set(order[:90].tolist())) >= 57
    suspects = {mark.line - 1 for mark in check_of(found, "label_errors").rows}
    assert found.n_label_suspects is not None
    assert len(suspects & wrong) / len(suspects) >= 0.9
    assert check_of(found, "label_errors").verdict in ("caution", "critical")


def test_suspects_are_dropped_unseen_only_where_the_words_tell_the_labels() -> None:
    def operation(share_of_noise: float) -> str | None:
        rng = random.Random(2)
        rows = [
            (text, rng.choice(["weather", "music", "travel"]) if rng.random() < share_of_noise else label)
            for text, label in labelled(600)
        ]
        return check_of(report(*[chat(text, label) for text, label in rows]), "label_errors").operation

    assert (operation(0.2), operation(0.6)) == ("drop_ids", None)


@needs_real
def test_labels_that_the_words_do_not_tell_are_not_judged() -> None:
    """Moods of 80 songs: no classifier of the words beats a guess by a third of what chance leaves."""
    check = check_of(report_quality(real_corpus("moodswing_train_promptV2.jsonl")), "label_errors")
    assert check.verdict == "not_computed"


def test_right_labels_are_left_alone_and_free_answers_not_judged() -> None:
    assert report(*[chat(text, label) for text, label in labelled(300)]).n_label_suspects == 0
    found = report(*distinct(60))
    assert (found.n_label_suspects, found.labels, found.label_confidence) == (None, (), b"")


def test_labels_are_counted_and_imbalance_shown() -> None:
    rows = [chat(f"q {n}", "yes") for n in range(100)] + [chat(f"r {n}", "no") for n in range(5)]
    found = report(*rows)
    assert [(count.label, count.count) for count in found.labels] == [("yes", 100), ("no", 5)]
    balance = check_of(found, "label_balance")
    assert (balance.verdict, balance.remedy) == (
        "caution",
        "Add examples until each label has 11 rows; these have fewer: `no` (5).",
    )
    assert check_of(report(*rows[:100]), "label_balance").verdict == "critical"


def test_labels_written_in_two_ways_are_shown() -> None:
    rows = [chat(f"q {n}", ("Yes", "yes", "no")[n % 3]) for n in range(60)]
    check = check_of(report(*rows), "label_spelling")
    assert (check.verdict, check.n_rows) == ("caution", 40)


@needs_real
def test_labels_written_otherwise_than_the_system_prompt_asks_are_shown() -> None:
    found = report_quality(real_corpus("moodswing_train_label_case_mismatch.jsonl"))
    check = check_of(found, "label_spelling")
    assert (check.verdict, check.n_rows) == ("caution", 80)


def test_an_answer_out_of_shape_is_shown() -> None:
    rows = [chat(text, f'{{"n": {n}}}') for n, (text, _) in enumerate(labelled(60))]
    check = check_of(report(*rows, chat("another question", '{"n": ')), "answer_shape")
    assert (check.verdict, [mark.line for mark in check.rows]) == ("caution", [61])


def test_refusals_are_shown() -> None:
    refusals = [chat("one", "I'm sorry, but I can't help with that."), chat("two", "As an AI, I have no opinion.")]
    check = check_of(report(*distinct(60), *refusals), "refusals")
    assert (check.verdict, [mark.line for mark in check.rows]) == ("caution", [61, 62])


def test_drift_of_the_system_prompt_is_shown() -> None:
    rows = distinct(60, system="Be brief.")
    assert check_of(report(*rows), "system_prompt").verdict == "good"
    assert check_of(report(*rows, chat("one", "two")), "system_prompt").n_rows == 1
    assert check_of(report(*rows, other=corpus_of(jsonl(chat("a", "b")))), "system_prompt").verdict == "caution"


def test_lengths_far_from_the_eval_set_are_shown() -> None:
    held_out = corpus_of(jsonl(*[chat(f"{text} " * 5, "yes") for text, _ in labelled(20, seed=9)]))
    assert check_of(report(*distinct(60), other=held_out), "length_mix").verdict == "caution"


@needs_real
def test_grader_fields_that_differ_or_never_vary_are_shown() -> None:
    train = real_corpus("foundry_rft_toolcall_train.jsonl")
    valid = real_corpus("foundry_rft_toolcall_valid_SCHEMA_DIFFERS.jsonl")
    check = check_of(
        report_quality(train, (OtherSet(role="validation", name="validation", corpus=valid),)), "grader_fields"
    )
    assert check.verdict == "caution"
    assert "reference_tool_args" in check.statement
    assert "reference_tool_calls" in check_of(report_quality(valid), "grader_fields").statement


def test_a_judge_scores_the_rows_and_missing_scores_point_at_nothing() -> None:
    scores = pack_scores([9.0] * 55 + [2.0] * 4 + [None])
    check = check_of(report(*distinct(60), judged=JudgeScores(scores=scores, threshold=5.0)), "judge")
    assert (check.verdict, check.n_rows) == ("caution", 4)


def test_scores_and_flags_line_up_with_the_rows() -> None:
    rows = distinct(60)
    found = report(*rows, rows[0])
    scores = np.frombuffer(found.row_scores, dtype="<f4")
    flags = np.frombuffer(found.row_flags, dtype="<u4")
    bit = found.flag_codes.index("exact_duplicates")
    assert np.flatnonzero(flags & (1 << bit)).tolist() == [60]
    assert scores[60] < 1
    assert not math.isnan(scores.min())


@needs_real
@pytest.mark.parametrize(
    ("train", "held_out", "n_leaked"),
    [
        ("project3_train_36dups.jsonl", "project3_validation_all_in_train.jsonl", 30),
        ("pdm_genset_train6_EQUALS_val6.jsonl", "pdm_genset_train6_EQUALS_val6.jsonl", 50),
        ("historygpt_train.jsonl", "historygpt_val.jsonl", 0),
    ],
)
def test_real_leaks(train: str, held_out: str, n_leaked: int) -> None:
    other = OtherSet(role="validation", name="validation", corpus=real_corpus(held_out))
    assert check_of(report_quality(real_corpus(train), (other,)), "leakage").n_rows == n_leaked


@needs_real
def test_every_real_file_gets_a_report() -> None:
    for path in sorted(REAL.rglob("*.*")):
        found = report_quality(corpus_of(path.read_bytes()))
        assert len(found.row_scores) == 4 * found.n_rows
        assert all(isinstance(pair, RowPair) for pair in found.pairs)


@needs_real
def test_repeated_reports_are_equal() -> None:
    assert report_quality(real_corpus("intent_clinc20_train.jsonl")) == report_quality(
        real_corpus("intent_clinc20_train.jsonl")
    )
