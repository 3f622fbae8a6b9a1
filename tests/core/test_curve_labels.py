"""The reading of real curves against a reader's labels."""

import json
from collections import Counter
from pathlib import Path

import pytest

from whatnext_service.core.read_curve import read_curve
from whatnext_service.core.result_files import parse_result_file
from whatnext_service.errors import DomainError

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real training records is missing")

OVERFITTING = ("mild_overfitting", "moderate_overfitting", "severe_overfitting")


def labelled() -> list[tuple[str, str, str]]:
    """File, label and shape read, of every labelled file."""
    files = json.loads((DATA / "manifest.json").read_text())["files"]
    rows = []
    for entry in files:
        if "label" in entry:
            parsed = parse_result_file((DATA / entry["file"]).read_bytes())
            rows.append((entry["file"], entry["label"].replace(" ", "_"), read_curve(parsed.curve).shape))
    return rows


def severity(shape: str) -> str:
    """Overfitting by its degree; broken; not to be judged; or none."""
    if shape in OVERFITTING or shape == "diverged":
        return shape
    return "cannot_judge" if shape in ("too_short", "no_validation", "unknown") else "no_overfitting"


def test_nine_of_ten_labels_agree_in_severity_and_in_the_word_itself() -> None:
    rows = labelled()
    confusion = Counter((label, shape) for _, label, shape in rows)
    for (label, shape), n in sorted(confusion.items()):
        print(f"{label:22} read as {shape:22} {n:3}")
    same_word = sum(label == shape for _, label, shape in rows)
    same_severity = sum(severity(label) == severity(shape) for _, label, shape in rows)
    print(f"{same_word} of {len(rows)} in the word, {same_severity} in severity")
    assert same_word >= 0.9 * len(rows)
    assert same_severity >= 0.9 * len(rows)


def test_no_healthy_curve_raises_an_overfitting_alarm() -> None:
    healthy = [(file, shape) for file, label, shape in labelled() if label == "healthy"]
    assert healthy
    assert [row for row in healthy if row[1] in OVERFITTING] == []


def test_every_real_curve_can_be_read_by_every_dialect() -> None:
    n_read = 0
    for path in sorted(DATA.rglob("*")):
        if not path.is_file():
            continue
        try:
            parsed = parse_result_file(path.read_bytes())
        except DomainError:
            continue
        for method in (None, "sft", "dpo", "rft"):
            reading = read_curve(parsed.curve, method=method, planned_steps=parsed.planned_steps)
            assert len(reading.nominated_steps) <= 3
        n_read += 1
    assert n_read > 100


@pytest.mark.parametrize(
    ("file", "code", "source"),
    [
        ("openai_csv/jobgpt_run_crlf_val.csv", "suspect_validation_row", "hazards a"),
        ("openai_csv/project3_runA_20240103.csv", "leak_suspected", "hazards e"),
        ("openai_csv/nlbse_issue_classif.csv", "memorised", "hazards 5"),
        ("trainer_state/polu_LR5_exploded.json", "learning_rate_extreme", "hazards h"),
        ("trainer_state/polu_889_epochs_memorised.json", "epochs_extreme", "hazards h"),
        ("trainer_state/mugc_chance_level_8ep.json", "chance_level", "hazards h"),
        ("trainer_state/distill_sft_weighted.json", "scale_mismatch", "hazards c"),
        ("trainer_state/keras_csv/explode_all_nan.csv", "not_finite", "method 3"),
        ("trainer_state/chaos_grpo_200.json", "reward_flat", "method 3"),
    ],
)
def test_hazard_is_found_in_the_file_that_taught_it(file: str, code: str, source: str) -> None:
    reading = read_curve(parse_result_file((DATA / file).read_bytes()).curve, n_validation=11)
    assert code in {finding.code for finding in reading.findings}
