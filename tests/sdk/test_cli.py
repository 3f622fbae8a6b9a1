"""The command `whatnext`, from its arguments to its output and exit status."""

import io
import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import whatnext
from whatnext import models
from whatnext.__main__ import main
from whatnext._cli import commands, credentials
from whatnext.testing import FakeService, answer, example, problem

Run = Callable[..., int]


class Screen(io.StringIO):
    """Standard output that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeService:
    """The service that the command reaches."""
    made = FakeService()
    monkeypatch.setattr(commands, "Client", lambda key, base_url: made.client(base_url=base_url, spool_dir=tmp_path))
    for name in ("WHATNEXT_BASE_URL", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WHATNEXT_API_KEY", "wn_fake")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return made


@pytest.mark.parametrize(
    ("kind", "request_named", "expected"),
    [
        ("start_run", True, 0),
        ("evaluate", True, 0),
        ("of_tomorrow", True, 0),
        ("wait", False, 3),
        ("stop", False, 4),
        ("do_not_fine_tune", False, 4),
        ("ship", True, 5),
        ("review", False, 6),
        ("attach_dataset", False, 6),
        ("of_tomorrow", False, 6),
    ],
)
def test_next_exits_with_what_the_answer_asks_for(
    fake: FakeService, kind: str, request_named: bool, expected: int, capsys: pytest.CaptureFixture[str]
) -> None:
    request = models.Request(method="POST", path="/v1/runs", body={"a": 1}) if request_named else None
    fake.on("loops.next", answer(kind, "Do it.", request=request))
    assert main(["next", "support-bot"]) == expected
    printed = json.loads(capsys.readouterr().out)
    assert (printed["headline"], printed["action"]["kind"]) == ("Do it.", kind)


def test_next_on_a_terminal_is_a_page_and_harmless(fake: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = example(models.Evidence, statement="loss \x1b]0;owned\x07 rose", value=1.7, threshold=1.5)
    fake.on("loops.next", answer(headline="Lower the rate.", evidence=[evidence], rationale=["R1 overfits."]))
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    assert main(["next", "support-bot"]) == 6
    page = screen.getvalue()
    assert "\x1b[1mLower the rate.\x1b[0m" in page
    assert "- R1 overfits." in page
    assert "  1.7        1.5  loss ]0;owned rose" in page
    assert page.endswith("A person must act.\n")
    assert "\x07" not in page
    assert "\x1b]" not in page


def test_colour_and_form_can_be_chosen(fake: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments, environment, colored, is_json in (
        ([], {}, True, False),
        ([], {"NO_COLOR": "1"}, False, False),
        ([], {"TERM": "dumb"}, False, False),
        (["--color", "never"], {}, False, False),
        (["--json"], {}, False, True),
    ):
        screen = Screen()
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", screen)
            for name, value in environment.items():
                patched.setenv(name, value)
            main(["runs", "support-bot", *arguments])
        assert ("\x1b[" in screen.getvalue()) is colored
        assert screen.getvalue().startswith("{") is is_json


def test_waiting_for_an_answer_in_vain_shows_the_last_one(
    fake: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.on("loops.next", answer("wait", "Wait."))
    assert main(["next", "support-bot", "--wait", "0", "--no-json"]) == 3
    assert capsys.readouterr().out.startswith("Wait.\n")


def test_the_experiment_table_keeps_the_methods_columns(
    fake: FakeService, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = example(
        models.HistoryRow,
        run="R2",
        base_model="gpt-4.1-mini",
        dataset="v1 (335 ex)",
        n_epochs=2,
        learning_rate_multiplier=0.5,
        best_valid_loss=0.31,
        combined=9.15,
        to_parent=models.Difference(points=1.1, low=0.4, high=1.8),
    )
    fake.on("loops.history", models.History(loop_id="loop_1", rows=[row], state_version=1))
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["history", "support-bot", "--no-json"]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split("  ")[0] == "Run"
    assert line.startswith("R2   gpt-4.1-mini  v1 (335 ex)       2  0.5  default           0.31           9.15")
    assert "+1.10 [+0.40, +1.80]" in line

    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "90")
    assert main(["history", "support-bot", "--color", "never"]) == 0
    assert screen.getvalue().splitlines()[0].endswith("Combined eval")
    assert "No room for: Changed, To parent, To baseline" in screen.getvalue()
    assert main(["history", "support-bot", "--csv"]) == 0
    assert screen.getvalue().endswith("# loops.history_csv\n")


def test_runs_are_listed_up_to_a_limit(fake: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [example(models.Run, name=f"R{n}") for n in (3, 2, 1)]
    fake.on("runs.list", {"data": runs, "next_cursor": "more"})
    assert main(["runs", "support-bot", "--limit", "2", "--status", "running"]) == 0
    assert [run["name"] for run in json.loads(capsys.readouterr().out)["data"]] == ["R3", "R2"]
    assert fake.requests[0].query == {"loop_id": ["support-bot"], "status": ["running"], "limit": ["2"]}
    assert len(fake.requests) == 1


def test_values_and_files_are_logged(fake: FakeService, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["log", "support-bot/R1", "--step", "3", "train_loss=0.5", "eval/loss=1e-3"]) == 0
    assert fake.requests[0].path == "/v1/runs/support-bot~R1/metrics"
    assert fake.requests[0].json == {"points": [{"step": 3, "values": {"train_loss": 0.5, "eval/loss": 0.001}}]}
    file = tmp_path / "curve.csv"
    file.write_text("step,train_loss\n1,0.5\n")
    assert main(["log", "run_1", "--file", str(file), "--no-json"]) == 0
    assert fake.sent("runs.put_metrics")[0].content == b"step,train_loss\n1,0.5\n"
    assert "1 values, 1 of them new, last step 1" in capsys.readouterr().out
    assert main(["log", "run_1"]) == 1
    assert main(["log", "run_1", "a=1"]) == 1
    assert main(["log", "run_1", "--file", str(tmp_path / "none.csv")]) == 1


@pytest.mark.parametrize(("command", "verdict"), [("accept", "accepted"), ("decline", "declined")])
def test_advice_is_decided_by_loop_or_by_recommendation(
    fake: FakeService, command: str, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    decided = example(models.Recommendation, status=verdict, carried_out_by="run_2", headline="Train.")
    fake.on("recommendations.decide", decided)
    fake.on("loops.next", answer(state_version=7))
    assert main([command, "support-bot", "--reason", "because", "--actor", "me", "--no-json"]) == 0
    assert main([command, "rec_9"]) == 0
    first, second = fake.sent("recommendations.decide")
    assert (first.path, second.path) == ("/v1/recommendations/rec_7/decision", "/v1/recommendations/rec_9/decision")
    assert first.json == {"verdict": verdict, "reason": "because", "actor": "me"}
    assert capsys.readouterr().out.startswith(f"{verdict}: run_2  Train.\n")


def test_follow_prints_each_step_and_exits_with_the_last(fake: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    request = models.Request(method="POST", path="/v1/runs", body={})
    fake.on("loops.next", answer(headline="Train.", request=request), answer("ship", "Ship R2.", state_version=2))
    assert main(["follow", "support-bot"]) == 5
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(step["answer"]["headline"], step["carried_out"]) for step in steps] == [
        ("Train.", True),
        ("Ship R2.", False),
    ]
    assert steps[0]["result"]["id"] == "run_1"


def test_follow_out_of_time_says_wait(fake: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    fake.on("loops.next", answer("wait", "Wait."))
    assert main(["follow", "support-bot", "--timeout", "0", "--no-json"]) == 3
    assert "whatnext: " in capsys.readouterr().err


def test_follow_asks_where_it_is_told_to(fake: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    request = models.Request(method="POST", path="/v1/runs", body={})
    fake.on("loops.next", answer(request=request))
    for typed in ("n\n", "", "\n"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        assert main(["follow", "support-bot", "--ask"]) == 0
    assert fake.sent("runs.create") == []
    fake.on("loops.next", answer(request=request), answer("stop", state_version=2))
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert main(["follow", "support-bot", "--ask"]) == 4
    assert len(fake.sent("runs.create")) == 1


@pytest.mark.parametrize(
    ("told", "said", "hint"),
    [
        (
            problem(404, "not_found", "There is no loop x."),
            "whatnext: 404 not_found: not found: There is no loop x. [",
            "`whatnext loops` lists the loops\n",
        ),
        (problem(401, "unauthorized"), "whatnext: 401 unauthorized", "`whatnext login` keeps another key\n"),
        (
            httpx.ConnectError("refused"),
            "whatnext: GET http://127.0.0.1:8321/v1/loops/x/next: refused; is whatnext running there?",
            "say where it is\n",
        ),
        (b"<html>", "whatnext: the answer does not fit this version of the package", "'<html>'\n"),
    ],
)
def test_an_error_is_one_clear_line_and_says_what_to_try(
    fake: FakeService, told: Any, said: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.on("loops.next", told)
    assert main(["next", "x"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(said)
    assert printed.err.endswith(hint)
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("url", ["nonsense", "http://host:port", "ftp://host"])
def test_a_wrong_address_is_told_before_a_missing_key(
    fake: FakeService, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WHATNEXT_API_KEY")
    assert main(["next", "x", "--base-url", url]) == 1
    assert "must look like https://host" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nest"],
        ["next"],
        ["log", "r", "a=b"],
        ["next", "l", "more"],
        ["runs", "l", "--limit", "0"],
        ["runs", "l", "--limit", "x"],
        ["next", "l", "--wait", "nan"],
        ["follow", "l", "--timeout", "-1"],
    ],
)
def test_wrong_usage_exits_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: whatnext" in capsys.readouterr().err


def test_a_key_is_kept_for_its_service_only(
    fake: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    seen: list[tuple[str, str]] = []

    def connect(key: str, base_url: str) -> whatnext.Client:
        seen.append((key, base_url))
        return fake.client(base_url=base_url)

    monkeypatch.setattr(commands, "Client", connect)
    monkeypatch.delenv("WHATNEXT_API_KEY")
    assert main(["next", "x"]) == 1
    assert "run `whatnext login`" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.StringIO("wn_kept\n"))
    assert main(["login", "--base-url", "https://one.test/", "--key-file", "-"]) == 0
    kept = credentials.credentials_path({"XDG_CONFIG_HOME": str(tmp_path / "config")})
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "wn_kept" not in capsys.readouterr().out
    assert main(["runs", "x"]) == 0
    assert main(["runs", "x", "--base-url", "https://two.test"]) == 1
    monkeypatch.setenv("WHATNEXT_API_KEY", "wn_other")
    assert main(["runs", "x"]) == 0
    assert seen == [("wn_kept", "https://one.test"), ("wn_kept", "https://one.test"), ("wn_other", "https://one.test")]


def test_a_key_may_be_piped_and_none_is_an_error(
    fake: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["login"]) == 1
    assert "no key was given" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.StringIO("wn_piped\n"))
    assert main(["login"]) == 0

    def end_of_input(prompt: str) -> str:
        raise EOFError(prompt)

    monkeypatch.setattr(sys, "stdin", Screen())
    monkeypatch.setattr("getpass.getpass", end_of_input)
    assert main(["login"]) == 1
    assert "no key was given" in capsys.readouterr().err


def test_a_refused_key_is_not_kept(fake: FakeService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake.on("loops.list", problem(401, "unauthorized"))
    monkeypatch.setattr(sys, "stdin", io.StringIO("wn_wrong\n"))
    assert main(["login", "--key-file", "-"]) == 1
    assert not (tmp_path / "config").exists()


def test_it_runs_as_a_module_and_survives_a_closed_pipe() -> None:
    done = subprocess.run([sys.executable, "-m", "whatnext", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"whatnext {whatnext.__version__}\n"
    command = f"{sys.executable} -m whatnext completion fish | head -n 0"
    piped = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert piped.stderr == ""
