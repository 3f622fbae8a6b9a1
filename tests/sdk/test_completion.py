"""Completion scripts, run by the shells they are for."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from whatnext.__main__ import main

COMMANDS = ("next", "follow", "accept", "decline", "history", "loops", "runs", "log", "login", "completion")
ASKED = [
    ("", [*COMMANDS, "--help", "--version"]),
    ("lo", ["loops", "log", "login"]),
    ("next ", ["support-bot", "search-bot"]),
    ("accept su", ["support-bot"]),
    ("follow --t", ["--timeout"]),
    ("next --color ", ["auto", "always", "never"]),
    ("next --wait ", []),
    ("completion ", ["bash", "zsh", "fish"]),
    ("log --file cur", ["curve.csv"]),
]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A folder with a file, and a `whatnext` that knows two loops."""
    command = tmp_path / "bin" / "whatnext"
    command.parent.mkdir()
    command.write_text('#!/bin/sh\n[ "$1 $2" = "loops --names" ] && printf "support-bot\\nsearch-bot\\n"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "curve.csv").write_text("")
    monkeypatch.chdir(tmp_path)
    return {**os.environ, "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(("typed", "offered"), ASKED)
def test_bash_completes(
    typed: str, offered: list[str], environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["whatnext", *typed.split(" ")]
    quoted = " ".join(f"'{word}'" for word in words)
    asking = f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _whatnext; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    told = subprocess.run(
        ["bash", "-c", "compopt() { :; }\n" + script("bash", capsys) + asking],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert told.stdout.split() == offered
    assert told.stderr == ""


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(("typed", "offered"), ASKED)
def test_fish_completes(
    typed: str, offered: list[str], environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    asking = f"complete -C 'whatnext {typed}'"
    told = subprocess.run(
        ["fish", "--no-config", "-c", f"{script('fish', capsys)}\n{asking}"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    shown = {line.split("\t")[0] for line in told.stdout.splitlines()}
    assert shown == {each for each in offered if each not in ("--help", "--version")}


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_takes_the_script(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    loading = "autoload -Uz compinit && compinit -D -u\n" + script("zsh", capsys) + "echo $_comps[whatnext]"
    told = subprocess.run(["zsh", "-f", "-c", loading], capture_output=True, text=True, env=environment, check=True)
    assert (told.stdout, told.stderr) == ("_whatnext\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_names_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = script(shell, capsys)
    assert all(command in text for command in COMMANDS)
