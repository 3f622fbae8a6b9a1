"""Every irregularity of real result files (hazards, parsing)."""

import base64
import json
import math
from pathlib import Path

import pytest

from whatnext_service.core.curves import Series
from whatnext_service.core.result_columns import point_names
from whatnext_service.core.result_files import ParsedCurve, parse_result_file
from whatnext_service.errors import DomainError

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real training records is missing")

OPENAI = (
    b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n"
    b"1,0.9,0.5,1.1,0.4\n2,0.8,0.6,,\n3,0.7,0.7,1.0,0.5\n"
)


def column(parsed: ParsedCurve, name: str) -> Series:
    return next(series for series in parsed.curve.series if series.name == name)


def points(body: bytes | str, name: str) -> list[tuple[int, float]]:
    series = column(parse_result_file(body.encode() if isinstance(body, str) else body), name)
    return list(zip(series.steps, series.values, strict=True))


def read_or_refused(body: bytes) -> str:
    try:
        curve = parse_result_file(body).curve
    except DomainError as error:
        return error.code
    in_order = all(list(series.steps) == sorted(set(series.steps)) for series in curve.series)
    return "read" if in_order else "out of order"


def trainer_state(*entries: dict[str, object], **top: object) -> bytes:
    return json.dumps({"log_history": list(entries), **top}).encode()


@pytest.mark.parametrize(
    ("body", "source"),
    [
        (OPENAI, "hazards 2: OpenAI's five columns"),
        (base64.b64encode(OPENAI), "hazards 1: base64 on one line"),
        (base64.encodebytes(OPENAI), "hazards 1: base64 in lines"),
        (OPENAI.replace(b"\n", b"\r\n"), "hazards 4: CRLF"),
        (OPENAI.rstrip(b"\n"), "hazards 4: no final newline"),
        (OPENAI + b"\n\n", "hazards 4: trailing blank lines"),
        (b"\xef\xbb\xbf" + OPENAI, "hazards 4: a byte-order mark"),
        (OPENAI.decode().encode("utf-16"), "hazards 4: UTF-16"),
        (OPENAI.replace(b"\n1,", b"\n1.0,").replace(b"\n3,", b"\n3e0,"), "hazards 4: float steps, scientific notation"),
        (OPENAI.replace(b",", b";"), "hazards 2: semicolons"),
        (OPENAI.replace(b",", b"\t"), "hazards 2: tabs"),
        (
            b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n"
            b"3,0.7,0.7,1.0,0.5\n1,9.9,0.5,1.1,0.4\n2,0.8,0.6,,\n1,0.9,0.5,1.1,0.4\n",
            "hazards 11: unsorted and repeated steps, the later entry counts",
        ),
        (
            b"| step | train_loss | train_accuracy | valid_loss |\n|---|---:|---|---|\n"
            b"| 1 | 0.9 | 0.5 | 1.1 |\n| 2 | 0.8 | 0.6 |  |\n| 3 | 0.7 | 0.7 | 1.0 |\n",
            "hazards 2: a markdown table",
        ),
        (b"step  train_loss  valid_loss\n1     0.9   1.1\n2     0.8   -\n3     0.7   1.0\n", "hazards 2: a text table"),
        (
            b'{"step":1,"train_loss":0.9,"valid_loss":1.1}\n{"step":2,"train_loss":"0.8"}\n'
            b'{"step":3,"train_loss":0.7,"valid_loss":1.0}',
            "hazards 2: JSON lines",
        ),
        (
            b'[{"step":1,"loss":0.9,"valid_loss":1.1},{"step":2,"loss":0.8,"valid_loss":null},'
            b'{"step":3,"loss":0.7,"valid_loss":1.0}]',
            "hazards 2: a JSON list of points",
        ),
        (
            b'{"name":"train_loss","step":1,"value":0.9}\n{"name":"train_loss","step":2,"value":0.8}\n'
            b'{"name":"train_loss","step":3,"value":0.7}\n{"name":"valid_loss","step":1,"value":1.1}\n'
            b'{"name":"valid_loss","step":3,"value":1.0}',
            "hazards 2: one value a line",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_same_curve_in_every_wrapping(body: bytes, source: str) -> None:
    assert points(body, "train_loss") == [(1, 0.9), (2, 0.8), (3, 0.7)]
    assert points(body, "valid_loss") == [(1, 1.1), (3, 1.0)]


@pytest.mark.parametrize(
    ("header", "canonical", "source"),
    [
        ("train_loss,train_accuracy", ("train_loss", "train_mean_token_accuracy"), "method 3: older accuracy name"),
        ("valid_loss,validation_mean_token_accuracy", ("valid_loss", "valid_mean_token_accuracy"), "evidence 4"),
        ("full_valid_loss,val_acc", ("full_valid_loss", "full_valid_mean_token_accuracy"), "hazards 2"),
        ("elapsed_tokens,validation_loss", ("elapsed_tokens", "valid_loss"), "hazards 2: the old API's is one batch"),
        ("training_loss,validation_loss", ("train_loss", "full_valid_loss"), "hazards 2: a trainer's full pass"),
        ("loss,val_loss", ("train_loss", "full_valid_loss"), "hazards 2: Keras"),
        ("Training Loss,Validation Loss", ("train_loss", "full_valid_loss"), "hazards 2: a notebook table"),
        ("Training Loss,Valid. Loss", ("train_loss", "full_valid_loss"), "hazards 2: a notebook table"),
        ("my run - train/loss,my run - train/loss__MIN", ("train_loss",), "hazards 2: a W&B export"),
        ("train_mean_reward,scores.train_reward_mean", ("train_mean_reward", "scores.train_reward_mean"), "hazards 8"),
        ("valid_reward_mean,other_metric", ("full_valid_mean_reward", "other_metric"), "hazards 13: unknown kept"),
    ],
)  # fmt: skip
def test_header_families_are_read_under_canonical_names(header: str, canonical: tuple[str, ...], source: str) -> None:
    cells = ",".join("0.5" for _ in header.split(","))
    parsed = parse_result_file(f"step,{header}\n1,{cells}\n2,{cells}\n".encode())
    assert tuple(series.name for series in parsed.curve.series) == canonical


@pytest.mark.parametrize(
    ("sent", "canonical", "source"),
    [
        (("loss", "eval_loss"), ("train_loss", "full_valid_loss"), "hazards 9: Hugging Face"),
        (("train/loss", "eval/loss", "train/learning_rate"), ("train_loss", "full_valid_loss", "learning_rate"), "W&B"),
        (("val_loss", "validation_loss"), ("full_valid_loss", "validation_loss"), "the more trustworthy takes it"),
        (("Training Loss", "Validation Loss"), ("train_loss", "full_valid_loss"), "hazards 2: a notebook table"),
        (("train_loss", "loss"), ("train_loss", "loss"), "its own name before any other"),
        (("loss", "train_loss"), ("loss", "train_loss"), "whatever the order"),
        (("Loss", "loss"), ("train_loss", "loss"), "equally trustworthy: the first"),
        (("valid_loss", "perplexity"), ("valid_loss", "perplexity"), "one batch; unknown kept"),
        (("train_runtime", "train_loss", "epoch"), ("train_runtime", None, "epoch"), "hazards 9: the run's average"),
        ((), (), "nothing"),
    ],
)  # fmt: skip
def test_a_points_metrics_are_named_like_a_files_columns(
    sent: tuple[str, ...], canonical: tuple[str | None, ...], source: str
) -> None:
    assert point_names(sent) == canonical, source


TRACKED = [
    {"_step": 7 * at, "_runtime": 1.5, "_timestamp": 1.7e9, "train/loss": 2.0 - at, "train/global_step": 100 * at}
    for at in range(2)
]


@pytest.mark.parametrize(("counter", "steps"), [(True, (0, 100)), (False, (0, 7))])
def test_a_trackers_history_has_the_trainers_step_or_else_its_own(counter: bool, steps: tuple[int, ...]) -> None:
    rows = [{name: value for name, value in row.items() if counter or "global" not in name} for row in TRACKED]
    table = "\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)])
    for body in (table, json.dumps(rows), "\n".join(map(json.dumps, rows))):
        (series,) = parse_result_file(body.encode()).curve.series
        assert (series.name, series.steps, series.values) == ("train_loss", steps, (2.0, 1.0))


def test_rows_without_steps_are_numbered() -> None:
    assert points("val_loss,loss\n0.5,0.4\n0.3,0.2\n", "full_valid_loss") == [(1, 0.5), (2, 0.3)]


def test_a_second_header_line_names_the_first_column() -> None:
    parsed = parse_result_file(
        b",Training Loss,Valid. Loss,Training Time\nepoch,,,\n1,7.36,3.31,0:00:53\n2,3.2,3.1,0:00:54\n"
    )
    assert column(parsed, "epoch").values == (1.0, 2.0)
    assert column(parsed, "full_valid_loss").values == (3.31, 3.1)
    assert "text columns left out: Training Time" in parsed.notes


def test_no_log_and_stale_repeats_are_no_points() -> None:
    body = "Step,Training Loss,Validation Loss\n50,No log,1.3\n100,1.8,1.2\n150,1.8,1.1\n200,1.1,1.0\n"
    assert points(body, "train_loss") == [(100, 1.8), (200, 1.1)]


def test_nan_and_infinity_are_points_and_empty_cells_are_none() -> None:
    values = dict(points("step,train_loss\n1,0.5\n2,\n3,None\n4,inf\n5,nan\n6,NaN\n", "train_loss"))
    assert list(values) == [1, 4, 5, 6]
    assert math.isinf(values[4])
    assert math.isnan(values[6])


def test_nan_between_regular_evaluations_is_an_empty_cell() -> None:
    rows = "".join(f"{step},0.5,{0.4 if step % 4 == 0 else 'nan'}\n" for step in range(1, 14))
    assert [step for step, _ in points("step,train_loss,valid_loss\n" + rows, "valid_loss")] == [4, 8, 12]


def test_nan_that_begins_and_stays_is_kept() -> None:
    rows = "".join(f"{step},{0.5 if step < 5 else 'nan'}\n" for step in range(1, 10))
    assert [math.isnan(value) for _, value in points("step,train_loss\n" + rows, "train_loss")] == [False] * 4 + [
        True
    ] * 5


def test_a_line_cut_off_at_the_end_is_left_out() -> None:
    parsed = parse_result_file(OPENAI + b"4,0.")
    assert column(parsed, "train_loss").steps == (1, 2, 3)
    assert "the last line is cut off: left out" in parsed.notes


def test_exact_zeros_are_values() -> None:
    assert points("step,train_loss,train_accuracy\n1,0,1\n2,0.0,1\n", "train_loss") == [(1, 0.0), (2, 0.0)]


def test_trainer_state_takes_logged_losses_and_not_the_run_average() -> None:
    parsed = parse_result_file(
        trainer_state(
            {"step": 0, "epoch": 0, "eval_loss": 3.0},
            {"step": 10, "epoch": 1.0, "loss": 2.0, "learning_rate": 1e-5},
            {"step": 10, "epoch": 1.0, "eval_loss": 1.5},
            {"step": 20, "epoch": 2.0, "loss": 1.0},
            {"step": 20, "epoch": 2.0, "train_loss": 99.0, "train_runtime": 5.0},
            max_steps=40,
        )
    )
    assert parsed.format == "trainer_state"
    assert parsed.planned_steps == 40
    assert column(parsed, "train_loss").values == (2.0, 1.0)
    assert column(parsed, "full_valid_loss").steps == (0, 10)


def test_trainer_state_with_json_nan() -> None:
    body = b'{"log_history": [{"step": 1, "loss": 1.0}, {"step": 2, "loss": 0.0, "grad_norm": NaN}]}'
    assert math.isnan(points(body, "grad_norm")[0][1])


def test_named_evaluation_sets_take_the_first_as_validation() -> None:
    parsed = parse_result_file(trainer_state({"step": 1, "loss": 1, "eval_g0_loss": 2.0, "eval_g1_loss": 3.0}))
    assert column(parsed, "full_valid_loss").values == (2.0,)
    assert column(parsed, "eval_g1_loss").values == (3.0,)
    assert any("evaluation sets" in note for note in parsed.notes)


def test_empty_log_history_is_an_empty_curve() -> None:
    parsed = parse_result_file(trainer_state(max_steps=5))
    assert parsed.curve.series == ()
    assert parsed.notes == ("log_history is empty: nothing was logged",)


def test_events_come_newest_first_and_only_metrics_count() -> None:
    def event(step: int, loss: float, **extra: object) -> dict[str, object]:
        data = {"train_loss": loss, "total_steps": 30, **extra}
        return {"object": "fine_tuning.job.event", "type": "metrics", "created_at": step, "data": data,
                "message": f"Step {step}/30: training loss={loss}"}  # fmt: skip

    message = {"object": "fine_tuning.job.event", "type": "message", "created_at": 99, "message": "Job succeeded."}
    body = json.dumps({"object": "list", "data": [message, event(20, 0.5), event(10, 0.9)]}).encode()
    parsed = parse_result_file(body)
    assert (parsed.format, parsed.planned_steps) == ("events", 30)
    assert column(parsed, "train_loss").steps == (10, 20)


def test_grader_error_counts_are_added_up() -> None:
    graders = [{"train_other_error_count": 1.0}, {"train_other_error_count": 2.0, "name": "x"}]
    data = {"step": 3, "train_mean_reward": 0.4, "errors": {"graders": graders}}
    body = json.dumps([{"type": "metrics", "data": data}]).encode()
    assert points(body, "train_other_error_count") == [(3, 3.0)]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"\x00\x01\x02", "binary"),
        (b"text,category\nhello,greeting\n", "no training record"),
        (b'{"messages": []}\n{"messages": []}\n', "no training record"),
        (b'{"target": 44, "nums": [1, 2]}\n{"target": 3}\n', "no training record"),
        (b'{"best_val_loss": 1.0, "config": {"lr": 1}}', "without a step"),
        (b"step,train_loss\n1,0.5\n2,abc\n", "line 3, column 'train_loss'"),
        (b"step,train_loss\n1,0.5,7\n", "line 2 has 3 cells"),
        (b"step,train_loss\n-1,0.5\n", "negative"),
        (b"step,train_loss\n", "no rows"),
        (b'{"step": 1, "train_loss": 1}\n{"step": 2, "train\n{"step": 3, "train_loss": 1}\n', "line 2"),
        (b'{"log_history": [', "line 1, column 18"),
        (b'{"log_history": [{"step": 1, "loss": "abc"}]}', "'loss' is no number"),
        (b"[1, 2]", "item 1 is no object"),
        (b"[" * 100_000, "nested"),
        (b"Step,a - loss,b - loss\n1,2,3\n", "2 runs"),
        (base64.b64encode(OPENAI)[:-3], "base64"),
    ],
)
def test_what_is_no_record_is_refused_with_a_reason(body: bytes, says: str) -> None:
    with pytest.raises(DomainError) as refusal:
        parse_result_file(body)
    assert refusal.value.code == "malformed_result_file"
    assert says in refusal.value.detail


@needs_data
def test_every_real_file_is_read_or_refused_and_none_crashes() -> None:
    outcomes = [read_or_refused(path.read_bytes()) for path in sorted(DATA.rglob("*")) if path.is_file()]
    assert set(outcomes) == {"read", "malformed_result_file"}


@needs_data
def test_base64_and_decoded_twin_give_the_same_curve() -> None:
    folder = DATA / "openai_csv"
    as_found = parse_result_file((folder / "pdm_genset_1_BASE64_as_found.csv").read_bytes())
    assert as_found.curve == parse_result_file((folder / "pdm_genset_1_decoded.csv").read_bytes()).curve


@needs_data
@pytest.mark.parametrize("folder", ["datasets", "series"])
def test_look_alikes_are_refused(folder: str) -> None:
    for path in (DATA / folder).glob("*.json*"):
        with pytest.raises(DomainError, match="malformed_result_file"):
            parse_result_file(path.read_bytes())


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_a_file_cut_anywhere_is_read_or_refused(cut: int) -> None:
    bodies = (OPENAI, trainer_state({"step": 1, "loss": 2.0}, {"step": 2, "eval_loss": 1.0}, max_steps=3))
    assert {read_or_refused(body[:cut]) for body in bodies} <= {"read", "malformed_result_file"}


def test_a_megabyte_of_rows_is_read_whole() -> None:
    rows = "".join(f"{step},{step % 97 / 10},{0.5 if step % 10 == 0 else ''}\n" for step in range(1, 60_001))
    parsed = parse_result_file(b"step,train_loss,valid_loss\n" + rows.encode())
    assert len(column(parsed, "train_loss").steps) == 60_000
    assert len(column(parsed, "valid_loss").steps) == 6_000
