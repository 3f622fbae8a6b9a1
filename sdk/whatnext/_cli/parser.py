"""The command line."""

import argparse
from collections.abc import Sequence

from whatnext._config import VERSION

EPILOG = """exit status of next and follow:
  0  there is something to do        4  stop
  3  wait                            5  ship
  1  an error, 2 wrong usage         6  a person must act

The key comes from WHATNEXT_API_KEY, else from `whatnext login`; the service from --base-url, WHATNEXT_BASE_URL,
`whatnext login`, or http://127.0.0.1:8321. On a terminal the output is for people, otherwise JSON.
"""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The chosen command and its options; exits with 2 on wrong usage.

    argparse takes no NAME=VALUE after an option that follows the run, so these are gathered here.
    """
    parser, _ = make_parser()
    chosen, left = parser.parse_known_args(arguments)
    if left and (chosen.command != "log" or any(each.startswith("-") for each in left)):
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    try:
        if left:
            chosen.values = [*chosen.values, *map(_named_value, left)]
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))
    return chosen


def make_parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The whole command line, and each command's part of it by name."""
    parser = argparse.ArgumentParser(
        prog="whatnext",
        description="Ask a fine-tuning loop what to do next.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"whatnext {VERSION}")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action=argparse.BooleanOptionalAction, help="JSON, or text, whatever the output is")
    shared.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    shared.add_argument("--base-url", metavar="URL", help="where the service is")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    made: dict[str, argparse.ArgumentParser] = {}

    def add(name: str, what: str) -> argparse.ArgumentParser:
        made[name] = commands.add_parser(name, parents=[shared], help=what, description=what)
        return made[name]

    asked = add("next", "what to do next, and why")
    asked.add_argument("loop", help="the loop's slug or id")
    asked.add_argument("--wait", type=float, metavar="SECONDS", help="wait so long for an answer that is not `wait`")

    history = add("history", "the experiment table")
    history.add_argument("loop", help="the loop's slug or id")
    form = history.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true")
    form.add_argument("--markdown", action="store_true")

    runs = add("runs", "a loop's runs, newest first")
    runs.add_argument("loop", help="the loop's slug or id")
    runs.add_argument("--status", action="append", help="only with this status; repeatable")
    runs.add_argument("--limit", type=_positive, default=20, help="how many (20)")

    log = add("log", "log metrics of an external run")
    log.add_argument("run", help="the run's id, or SLUG/R3")
    log.add_argument("values", nargs="*", metavar="NAME=VALUE", type=_named_value)
    log.add_argument("--step", type=int)
    log.add_argument("--file", metavar="PATH", help="a whole result file: CSV, trainer_state.json, JSONL, MLflow run")

    for name, what in (
        ("accept", "accept the advice; the service carries it out where it can"),
        ("decline", "decline the advice; the next best takes its place"),
    ):
        decide = add(name, what)
        decide.add_argument("subject", metavar="LOOP", help="the loop's slug or id, or a recommendation's id")
        decide.add_argument("--reason")
        decide.add_argument("--actor", help="who decides")

    follow = add("follow", "carry out one advice after the other")
    follow.add_argument("loop", help="the loop's slug or id")
    follow.add_argument("--timeout", type=float, metavar="SECONDS")
    follow.add_argument("--ask", action="store_true", help="ask before each step")

    login = add("login", "keep an API key for this account")
    login.add_argument("--key-file", metavar="PATH", help="read the key from a file, `-` for standard input")

    completion = add("completion", "a completion script for the shell")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    return parser, made


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _named_value(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    try:
        if not (name and equals):
            raise ValueError
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=VALUE with a number") from None
