"""The command line."""

import argparse
import math
from collections.abc import Sequence
from typing import Any

import msgspec

from whatnext._config import VERSION

EPILOG = """exit status of next and follow:
  0  there is something to do        4  stop
  3  wait                            5  ship
  1  an error, 2 wrong usage         6  a person must act

The key comes from WHATNEXT_API_KEY, else from `whatnext login`; the service from --base-url, WHATNEXT_BASE_URL,
`whatnext login`, or http://127.0.0.1:8321. On a terminal the output is for people, otherwise JSON.
"""
COMPLETION_EPILOG = """to keep it:
  bash   echo 'eval "$(whatnext completion bash)"' >> ~/.bashrc
  zsh    echo 'eval "$(whatnext completion zsh)"' >> ~/.zshrc, after compinit
  fish   whatnext completion fish > ~/.config/fish/completions/whatnext.fish
"""
LOOP = "LOOP"
PATH = "PATH"
"""Metavariables that shells complete: a loop's slug, and a file's path."""


class Command(msgspec.Struct, kw_only=True, frozen=True):
    """One command: what it does, and what may follow it."""

    about: str
    parser: argparse.ArgumentParser
    actions: list[argparse.Action]

    def add(self, *names: str, **settings: Any) -> None:
        """An operand, or an option; settings as of argparse."""
        self.actions.append(self.parser.add_argument(*names, **settings))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The chosen command and its options; exits with 2 on wrong usage.

    argparse takes no NAME=VALUE after an option that follows the run, so these are gathered here.
    """
    parser, commands = make_parser()
    chosen, left = parser.parse_known_args(arguments)
    told = commands[chosen.command].parser
    if left and (chosen.command != "log" or any(each.startswith("-") for each in left)):
        told.error(f"unrecognized arguments: {' '.join(left)}")
    try:
        if left:
            chosen.values = [*chosen.values, *map(_named_value, left)]
    except argparse.ArgumentTypeError as error:
        told.error(str(error))
    return chosen


def make_parser() -> tuple[argparse.ArgumentParser, dict[str, Command]]:
    """The whole command line, and each command's part of it by name."""
    parser = argparse.ArgumentParser(
        prog="whatnext",
        description="Ask a fine-tuning loop what to do next.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"whatnext {VERSION}")
    _add_shared(parser, json=None, color="auto", base_url=None)
    suppressed: dict[str, Any] = dict.fromkeys(("json", "color", "base_url"), argparse.SUPPRESS)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands: dict[str, Command] = {}

    def command(name: str, about: str, epilog: str | None = None) -> Command:
        made = subparsers.add_parser(
            name,
            help=about,
            description=f"{about[0].upper()}{about[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            add_help=False,
        )
        commands[name] = Command(about=about, parser=made, actions=_add_shared(made, **suppressed))
        commands[name].add("--help", "-h", action="help", help="show this help")
        return commands[name]

    asked = command("next", "what to do next, and why")
    asked.add("loop", metavar=LOOP, help="the loop's slug or id")
    asked.add("--wait", type=_seconds, metavar="SECONDS", help="wait so long for an answer that is not `wait`")

    follow = command("follow", "carry out one advice after the other, until the loop ends or a person must act")
    follow.add("loop", metavar=LOOP, help="the loop's slug or id")
    follow.add("--timeout", type=_seconds, metavar="SECONDS", help="give up after so long, with status 3")
    follow.add("--ask", action="store_true", help="ask before each step")

    for name, about in (
        ("accept", "accept the advice; the service carries it out where it can"),
        ("decline", "decline the advice; the next best takes its place"),
    ):
        decide = command(name, about)
        decide.add("subject", metavar=LOOP, help="the loop's slug or id, or a recommendation's id")
        decide.add("--reason", metavar="TEXT", help="why")
        decide.add("--actor", metavar="NAME", help="who decides")

    history = command("history", "the experiment table")
    history.add("loop", metavar=LOOP, help="the loop's slug or id")
    history.add("--csv", dest="form", action="store_const", const="csv", help="as CSV")
    history.add("--markdown", dest="form", action="store_const", const="markdown", help="as Markdown")

    loops = command("loops", "the loops, newest first")
    loops.add("--names", action="store_true", help="only their slugs, one a line")
    loops.add("--limit", type=_positive, default=20, metavar="N", help="how many (20)")

    runs = command("runs", "a loop's runs, newest first")
    runs.add("loop", metavar=LOOP, help="the loop's slug or id")
    runs.add("--status", action="append", metavar="STATUS", help="only with this status; repeatable")
    runs.add("--limit", type=_positive, default=20, metavar="N", help="how many (20)")

    log = command("log", "log metrics of an external run")
    log.add("run", metavar="RUN", help="the run's id, or SLUG/R3")
    log.add("values", nargs="*", metavar="NAME=VALUE", type=_named_value, help="a metric at --step")
    log.add("--step", type=int, metavar="N", help="the training step of the values")
    log.add("--file", metavar=PATH, help="a whole record: CSV, JSONL, trainer_state.json, Trainer's folder, mlflow.db")

    log.add("--of", metavar="ID", help="which run is meant, by id or name, where MLflow has several at that path")

    login = command("login", "keep an API key for this account")
    login.add("--key-file", metavar=PATH, help="read the key from a file, `-` for standard input")

    completion = command("completion", "a completion script for the shell", COMPLETION_EPILOG)
    completion.add("shell", choices=("bash", "zsh", "fish"), help="which shell")
    return parser, commands


def _add_shared(parser: argparse.ArgumentParser, **defaults: Any) -> list[argparse.Action]:
    """The options that may stand before a command or after it."""
    return [
        parser.add_argument(
            "--json",
            action=argparse.BooleanOptionalAction,
            default=defaults["json"],
            help="JSON, or text, whatever the output is",
        ),
        parser.add_argument(
            "--color",
            choices=("auto", "always", "never"),
            default=defaults["color"],
            help="colour; auto means on a terminal, unless NO_COLOR is set",
        ),
        parser.add_argument("--base-url", metavar="URL", default=defaults["base_url"], help="where the service is"),
    ]


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


def _named_value(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    try:
        if not (name and equals):
            raise ValueError
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=VALUE with a number") from None
