"""What the command prints for people: at any width, in any state, and never twice."""

import io
import sys
from typing import Any

import pytest

from whatnext import models
from whatnext.__main__ import main
from whatnext._cli import commands
from whatnext._cli.render import Paper, history_table, progress_line, table
from whatnext._progress import Progress
from whatnext.testing import FakeService, answer, example

START = models.Request(method="POST", path="/v1/runs", body={})


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> FakeService:
    """The service that the command reaches."""
    made = FakeService()
    monkeypatch.setattr(commands, "Client", lambda key, base_url: made.client(base_url=base_url, spool_dir=tmp_path))
    monkeypatch.delenv("WHATNEXT_BASE_URL", raising=False)
    monkeypatch.setenv("WHATNEXT_API_KEY", "wn_fake")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return made


@pytest.mark.parametrize("width", [40, 60, 80, 120, 300])
def test_a_page_fits_the_terminal(
    fake: FakeService, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "validation loss rose and rose, and the score fell with it, as it does when a model overfits. "
    evidence = [example(models.Evidence, statement=words * 2, value=0.0001234, threshold=1.5)] * 2
    expects = example(models.Expectation, metric="combined", effect=0.3, effect_low=-0.4, effect_high=1.1)
    told = answer(
        headline=words,
        request=START,
        evidence=evidence,
        rationale=[words],
        warnings=[example(models.Warning, message=words)],
        change=example(models.Change, variable="n_epochs", expects=expects),
        method_reading=models.MethodReading(agrees=False, headline="Stop.", departure="It is flat."),
        confidence=example(models.Confidence, level="low", basis=words),
    )
    fake.on("loops.next", told)
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["next", "bot", "--no-json"]) == 0
    page = capsys.readouterr().out
    assert all(len(line) <= width for line in page.splitlines() if "To do it" not in line)
    flat = " ".join(page.split())
    assert flat.count(words.strip()) == 8
    assert "0.0001234" in flat
    assert "Expected: +0.30 combined (-0.40 to +1.10)." in flat
    assert "The method read literally: Stop. It is flat." in flat
    assert "To do it: whatnext accept bot, whatnext decline bot for another, or send POST /v1/runs" in flat


def test_a_table_too_wide_for_its_first_columns_becomes_blocks() -> None:
    row = example(models.HistoryRow, run="R2", base_model="a-model-of-a-long-name", dataset="v1 (335 ex)", n_epochs=2)
    history = models.History(loop_id="loop_1", rows=[row, row], state_version=1)
    lines = history_table(Paper(width=50, color=False), history).splitlines()
    assert lines[:4] == [
        "Run            R2",
        "Base model     a-model-of-a-long-name",
        "Dataset        v1 (335 ex)",
        "Epochs         2",
    ]
    assert max(map(len, lines)) <= 50


def test_wide_and_combining_letters_keep_a_table_straight() -> None:
    rows = [("日本", "1"), ("e\u0301a", "22"), ("plain", "-")]
    lines = table(Paper(width=80, color=False), ("Loop", "Runs"), rows, keep=2).splitlines()
    assert lines == ["Loop   Runs", "日本      1", "e\u0301a       22", "plain     -"]


def test_losses_come_first_in_a_moving_line_and_nothing_is_cut() -> None:
    metrics = {"train_accuracy": 0.25, "full_valid_loss": 1.413, "train_loss": 0.4}
    progress = Progress(
        subject_id="run_1",
        status="running",
        run=example(models.Run, name="R3"),
        done=229,
        total=575,
        metrics=metrics,
    )
    line = "R3 running 229/575 39 %  full_valid_loss 1.413  train_loss 0.4"
    assert progress_line(Paper(width=80, color=False), progress) == line
    assert progress_line(Paper(width=60, color=False), progress) == line.removesuffix("  train_loss 0.4")


def test_follow_says_nothing_twice_keeps_what_has_ended_and_tells_how_to_go_on(
    fake: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    def waiting(version: int) -> models.Answer:
        action = example(models.Action, kind="wait", subject_id="eval_1", recommendation_id=f"rec_{version}")
        return example(models.Answer, headline="Wait.", action=action, state_version=version)

    ship = models.Request(method="POST", path="/v1/deployments", body={})
    fake.on(
        "loops.next",
        answer(headline="Train.", request=START),
        waiting(2),
        waiting(3),
        answer("ship", "Ship R2.", request=ship, state_version=4),
    )
    fake.on("evaluations.get", example(models.Evaluation, status="succeeded", n_done=9, n_items=9, combined=7.25))
    assert main(["follow", "bot", "--no-json"]) == 5
    assert capsys.readouterr().out.splitlines() == [
        "start_run  Train.",
        "wait  Wait.",
        "  evaluation succeeded 9/9 100 %  score 7.25",
        "ship  Ship R2.",
        "To do it: whatnext accept bot, whatnext decline bot for another, or send POST /v1/deployments",
    ]


def test_an_interrupt_says_that_nothing_is_lost(fake: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: object) -> models.Answer:
        raise KeyboardInterrupt

    fake.on("loops.next", interrupted)
    assert main(["follow", "bot"]) == 130
    assert "`whatnext follow bot` takes it up again" in capsys.readouterr().err


def test_loops_are_listed_and_named(fake: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    loops = [example(models.Loop, slug=slug, task="Answer.") for slug in ("support-bot", "$(reboot)", "two")]
    fake.on("loops.list", {"data": loops, "next_cursor": None})
    assert main(["loops", "--no-json"]) == 0
    head, first, *_ = capsys.readouterr().out.splitlines()
    assert head.split() == ["Loop", "Runs", "Autopilot", "Changed", "Task"]
    assert first.startswith("support-bot")
    assert main(["loops", "--names"]) == 0
    assert capsys.readouterr().out == "support-bot\ntwo\n"


def test_options_of_all_commands_may_come_first(fake: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    fake.on("loops.next", answer("stop", "Stop."))
    assert main(["--no-json", "--color", "always", "next", "bot"]) == 4
    assert "\x1b[1mStop.\x1b[0m" in capsys.readouterr().out
    assert main(["--no-json", "next", "bot", "--json"]) == 4
    assert capsys.readouterr().out.startswith("{")


def test_letters_that_the_output_cannot_show_do_no_harm(fake: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.on("loops.next", answer("stop", "Stopp: für immer."))
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    assert main(["next", "bot", "--no-json"]) == 4
    assert raw.getvalue().startswith(b"Stopp: f?r immer.\n")
