"""What other tools leave behind, and the Trainer's events."""

import contextlib
import json
import sqlite3
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from whatnext.integrations.result_files import put_result_file
from whatnext.integrations.transformers import WhatnextCallback
from whatnext.testing import FakeService, problem

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def uploaded(path: Path, of: str | None = None) -> bytes:
    fake = FakeService()
    put_result_file(fake.client(), "run_1", path, of=of)
    (request,) = fake.requests
    assert (request.method, request.path) == ("PUT", "/v1/runs/run_1/metrics")
    return request.content


def test_a_trainers_folder_gives_its_newest_record(tmp_path: Path) -> None:
    for step in (9, 100, 20):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "trainer_state.json").write_text(json.dumps({"log_history": [], "global_step": step}))
    (tmp_path / "checkpoint-best").mkdir()
    (tmp_path / "checkpoint-best" / "trainer_state.json").write_text("{}")
    assert json.loads(uploaded(tmp_path))["global_step"] == 100
    (tmp_path / "trainer_state.json").write_text('{"global_step": 200}')
    assert json.loads(uploaded(tmp_path))["global_step"] == 200
    assert json.loads(uploaded(tmp_path / "checkpoint-9" / "trainer_state.json"))["global_step"] == 9


def folder_store(root: Path, names: dict[str, str]) -> None:
    """Runs as MLflow's older store keeps them."""
    for run_id, name in names.items():
        metrics = root / "594870631506730439" / run_id / "metrics"
        (metrics / "eval").mkdir(parents=True)
        (metrics.parent / "tags").mkdir()
        (metrics.parent / "tags" / "mlflow.runName").write_text(name)
        (metrics.parent / "meta.yaml").write_text("run_id: 1\n")
        (metrics / "train_loss").write_text("1700000000000 2.5 0\n1700000000001 nan 10\n")
        (metrics / "eval" / "loss").write_text("1700000000000 2.0 10\n")


def database(path: Path, names: dict[str, str]) -> None:
    """Runs as MLflow's database keeps them; the tables are those of MLflow 3.17, as far as they are read."""
    with contextlib.closing(sqlite3.connect(path)) as made, made:
        made.execute("create table runs (run_uuid varchar(32), name varchar(250), lifecycle_stage varchar(20))")
        made.execute(
            "create table metrics (key varchar(250), value float, timestamp bigint, run_uuid varchar(32), step bigint,"
            " is_nan boolean)"
        )
        made.execute("insert into runs values ('gone', 'gone', 'deleted')")
        for run_id, name in names.items():
            made.execute("insert into runs values (?, ?, 'active')", (run_id, name))
            rows = [("train_loss", 2.0, 2, 10, 0), ("train_loss", 2.5, 1, 0, 0), ("train_loss", 0.0, 3, 20, 1)]
            rows.append(("eval/loss", -sys.float_info.max, 4, 20, 0))
            for key, value, timestamp, step, is_nan in rows:
                made.execute(
                    "insert into metrics values (?, ?, ?, ?, ?, ?)", (key, value, timestamp, run_id, step, is_nan)
                )


RUNS = {"f5f05dfe": "sunny-sun", "2ec4d55f": "calm-sea"}


def test_an_mlflow_folder_becomes_points(tmp_path: Path) -> None:
    folder_store(tmp_path, {"f5f05dfe": "sunny-sun"})
    expected = ['{"step": 10, "eval/loss": 2.0}', '{"step": 0, "train_loss": 2.5}', '{"step": 10, "train_loss": NaN}']
    run = tmp_path / "594870631506730439" / "f5f05dfe"
    for path in (tmp_path, run.parent, run, run / "metrics"):
        assert uploaded(path).decode().splitlines() == expected


def test_an_mlflow_database_becomes_points(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    database(path, {"f5f05dfe": "sunny-sun"})
    assert uploaded(path).decode().splitlines() == [
        '{"step": 0, "train_loss": 2.5}',
        '{"step": 10, "train_loss": 2.0}',
        '{"step": 20, "train_loss": NaN}',
        '{"step": 20, "eval/loss": -Infinity}',
    ]


def test_an_mlflow_history_becomes_points(tmp_path: Path) -> None:
    history = tmp_path / "history.csv"
    history.write_text("run_id,key,value,step,timestamp\n1,train_loss,2.5,0,1\n1,train_loss,2.0,10,2\n")
    assert uploaded(history).decode().splitlines() == [
        '{"step": 0, "train_loss": 2.5}',
        '{"step": 10, "train_loss": 2.0}',
    ]
    with history.open("a") as more:
        more.write("2,train_loss,9.0,0,1\n")
    assert uploaded(history, of="2") == b'{"step": 0, "train_loss": 9.0}\n'
    with pytest.raises(ValueError, match="2 runs fit"):
        uploaded(history)


@pytest.mark.parametrize("store", ["mlruns", "mlflow.db"])
def test_of_several_mlflow_runs_one_must_be_named(store: str, tmp_path: Path) -> None:
    path = tmp_path / store
    database(path, RUNS) if store == "mlflow.db" else folder_store(path, RUNS)
    assert uploaded(path, of="calm-sea") == uploaded(path, of="f5f05dfe")
    with pytest.raises(ValueError, match=r"2 runs fit.*sunny-sun \(f5f05dfe\)"):
        uploaded(path)
    with pytest.raises(ValueError, match="there is no run gone"):
        uploaded(path, of="gone")


def test_another_database_is_refused(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "x.db")) as made, made:
        made.execute("create table t (a)")
    with pytest.raises(ValueError, match="no database of MLflow"):
        uploaded(tmp_path / "x.db")


@pytest.mark.parametrize("name", ["curve.csv", "points.jsonl", "trainer_state.json", "odd.json", "wandb.jsonl"])
def test_any_other_file_goes_as_it_is(name: str, tmp_path: Path) -> None:
    content = {
        "curve.csv": b"step,train_loss\r\n1,0.5\r\n",
        "odd.json": b"\xef\xbb\xbf[1",
        "wandb.jsonl": b'{"_step": 1, "loss": 2}\n',
    }.get(name, b'{"step": 1}\n')
    (tmp_path / name).write_bytes(content)
    assert uploaded(tmp_path / name) == content


def test_real_exports_go_as_they_are() -> None:
    if not DATA.is_dir():
        pytest.skip("the folder of real result files is not here")
    found = sorted((DATA / "trainer_state").rglob("*.csv"))[:3] + sorted((DATA / "trainer_state").rglob("*.json"))[:3]
    assert found
    for path in found:
        assert uploaded(path) == path.read_bytes()


def test_a_folder_without_a_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no run of MLflow"):
        put_result_file(FakeService().client(), "run_1", tmp_path)


class Training:
    """The events of a short training, with what Transformers 5 gives each of them."""

    def __init__(self, callback: Any, *, main_process: bool = True) -> None:
        self._callback = callback
        self._args = SimpleNamespace(output_dir="out")
        self._state = SimpleNamespace(global_step=0, epoch=0, is_world_process_zero=main_process)

    def event(self, name: str, **more: Any) -> None:
        parts = ("model", "processing_class", "optimizer", "lr_scheduler", "train_dataloader", "eval_dataloader")
        given: dict[str, Any] = {**dict.fromkeys(parts), **more}
        assert getattr(self._callback, name)(self._args, self._state, SimpleNamespace(), **given) is None

    def begin(self) -> None:
        self.event("on_init_end")
        self.event("on_train_begin")
        self.event("on_epoch_begin")

    def step(self, step: int, epoch: float, **logs: Any) -> None:
        self._state.global_step, self._state.epoch = step, epoch
        self.event("on_step_end")
        self.event("on_log", logs={**logs, "epoch": epoch})

    def end(self) -> None:
        summary = {"train_runtime": 9.0, "train_samples_per_second": 9.0, "train_loss": 2.2, "total_flos": 1.0}
        self.event("on_log", logs=summary)
        self.event("on_train_end")
        self.event("on_event_of_tomorrow")


def trained(callback: Any, *, main_process: bool = True) -> None:
    training = Training(callback, main_process=main_process)
    training.begin()
    training.step(10, 0.5, loss=2.5, grad_norm=float("nan"), learning_rate=1e-5)
    speed = {"train_runtime": 1.5, "train_tokens_per_second": 700.0, "num_input_tokens_seen": 1050}
    training.step(20, 1.0, loss=2.25, **speed)
    training.step(
        20,
        1.0,
        eval_loss=2.0,
        eval_mean_token_accuracy=0.75,
        eval_runtime=1.0,
        eval_samples_per_second=9.0,
        eval_text="no number",
    )
    training.event("on_evaluate", metrics={"eval_loss": 2.0})
    training.event("on_save")
    training.end()


def test_a_training_reports_itself(tmp_path: Path) -> None:
    fake = FakeService()
    with fake.client(spool_dir=tmp_path) as client, WhatnextCallback("support-bot/R3", client) as callback:
        trained(callback)
    assert all(request.path.startswith("/v1/runs/support-bot~R3") for request in fake.requests)
    assert [request.json for request in fake.sent("runs.update")] == [{"status": "running"}, {"status": "succeeded"}]
    points = [point for request in fake.sent("runs.log_metrics") for point in request.json["points"]]
    assert points == [
        {"step": 10, "values": {"loss": 2.5, "grad_norm": "NaN", "learning_rate": 1e-5, "epoch": 0.5}},
        {"step": 20, "values": {"loss": 2.25, "epoch": 1.0}},
        {"step": 20, "values": {"eval_loss": 2.0, "eval_mean_token_accuracy": 0.75, "epoch": 1.0}},
    ]
    (checkpoint,) = fake.sent("runs.add_checkpoint")
    assert checkpoint.json == {
        "step": 20,
        "epoch": 1,
        "model": "out/checkpoint-20",
        "train_loss": 2.25,
        "full_valid_loss": 2.0,
        "full_valid_mean_token_accuracy": 0.75,
    }
    assert fake.requests[-1].operation == "runs.update"


def test_a_training_that_breaks_off_has_failed(tmp_path: Path) -> None:
    def break_off(callback: WhatnextCallback) -> None:
        training = Training(callback)
        training.begin()
        training.step(10, 0.5, loss=2.5)
        raise MemoryError("CUDA out of memory")

    fake = FakeService()
    with fake.client(spool_dir=tmp_path) as client:
        with pytest.raises(MemoryError), WhatnextCallback("run_1", client) as callback:
            break_off(callback)
        assert [request.json["points"][0]["step"] for request in fake.sent("runs.log_metrics")] == [10]
    failed = {"status": "failed", "failure": "MemoryError: CUDA out of memory"}
    assert [request.json for request in fake.sent("runs.update")] == [{"status": "running"}, failed]


def test_a_failure_before_the_training_is_not_reported(tmp_path: Path) -> None:
    fake = FakeService()
    client = fake.client(spool_dir=tmp_path)
    with pytest.raises(ValueError, match="no data"), WhatnextCallback("run_1", client):
        raise ValueError("no data")
    assert fake.requests == []


def test_only_the_main_process_reports(tmp_path: Path) -> None:
    fake = FakeService()
    with fake.client(spool_dir=tmp_path) as client:
        trained(WhatnextCallback("run_1", client), main_process=False)
    assert fake.requests == []


def test_a_service_that_refuses_never_stops_a_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeService()
    for operation in ("runs.update", "runs.log_metrics", "runs.add_checkpoint"):
        fake.on(operation, problem(409, "run_ended"))
    with fake.client(spool_dir=tmp_path) as client:
        trained(WhatnextCallback("run_1", client))
    assert "run_ended" in caplog.text


def test_a_callback_has_no_attributes_that_it_has_not() -> None:
    with pytest.raises(AttributeError):
        _ = WhatnextCallback("run_1", FakeService().client()).state
