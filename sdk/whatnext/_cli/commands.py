"""What each command does."""

import argparse
import getpass
import itertools
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Self

import msgspec

from whatnext import models
from whatnext._cli.completion import script
from whatnext._cli.credentials import connection, keep_key
from whatnext._cli.parser import make_parser
from whatnext._cli.render import Paper, answer_page, clean, history_table, progress_line, runs_table
from whatnext._model import response_of
from whatnext._progress import Progress, needs_person
from whatnext.errors import ConfigurationError, WaitTimeoutError
from whatnext.integrations.result_files import put_result_file
from whatnext.sync import Client

ACT, WAIT, STOP, SHIP, PERSON = 0, 3, 4, 5, 6
BY_KIND = {"wait": WAIT, "stop": STOP, "do_not_fine_tune": STOP, "ship": SHIP}


class Terminal(msgspec.Struct, kw_only=True, frozen=True):
    """Where output goes, and in which form."""

    out: IO[str]
    paper: Paper
    json: bool

    @classmethod
    def of(cls, out: IO[str], environment: Mapping[str, str], *, json: bool | None, color: str) -> Self:
        """People at a terminal get text in colour (unless NO_COLOR is set), programs get JSON."""
        people = out.isatty()
        plain = bool(environment.get("NO_COLOR")) or environment.get("TERM") == "dumb"
        colored = color == "always" or (color == "auto" and people and not plain)
        width = shutil.get_terminal_size((100, 24)).columns if people else 200
        return cls(out=out, paper=Paper(width=width, color=colored), json=not people if json is None else json)

    def say(self, text: str) -> None:
        """Print a text."""
        print(text, file=self.out)

    def show(self, content: bytes) -> None:
        """Print JSON as the service sent it."""
        self.say(content.decode())


def run(chosen: argparse.Namespace, terminal: Terminal, environment: Mapping[str, str]) -> int:
    """Carry a command out; returns the exit status."""
    if chosen.command == "completion":
        print(script(make_parser()[1], chosen.shell), end="", file=terminal.out)
        return ACT
    url, key = connection(environment, chosen.base_url)
    if chosen.command == "login":
        return _login(chosen, terminal, environment, url)
    if not key:
        raise ConfigurationError(f"no API key for {url}: set WHATNEXT_API_KEY, or run `whatnext login`")
    with Client(key, base_url=url) as client:
        return COMMANDS[chosen.command](client, chosen, terminal)


def exit_status(answer: models.Answer) -> int:
    """The exit status that says what an answer asks for."""
    if needs_person(answer):
        return PERSON
    return BY_KIND.get(answer.action.kind, ACT)


def _next(client: Client, chosen: argparse.Namespace, terminal: Terminal) -> int:
    try:
        if chosen.wait is None:
            answer = client.loops.next(chosen.loop)
        else:
            answer = client.loops.wait_next(chosen.loop, timeout_s=chosen.wait)
    except WaitTimeoutError as timeout:
        answer = timeout.last
    if terminal.json:
        terminal.show(response_of(answer).content)
    else:
        terminal.say(answer_page(terminal.paper, answer))
    return exit_status(answer)


def _history(client: Client, chosen: argparse.Namespace, terminal: Terminal) -> int:
    if chosen.csv or chosen.markdown:
        text = client.loops.history_csv(chosen.loop) if chosen.csv else client.loops.history_markdown(chosen.loop)
        print(text, end="", file=terminal.out)
        return ACT
    history = client.loops.history(chosen.loop)
    if terminal.json:
        terminal.show(response_of(history).content)
    else:
        terminal.say(history_table(terminal.paper, history))
    return ACT


def _runs(client: Client, chosen: argparse.Namespace, terminal: Terminal) -> int:
    pages = client.runs.list(loop_id=chosen.loop, status=chosen.status, limit=min(chosen.limit, 100))
    found = list(itertools.islice(pages, chosen.limit))
    if terminal.json:
        terminal.show(msgspec.json.encode({"data": found}))
    else:
        terminal.say(runs_table(terminal.paper, found))
    return ACT


def _log(client: Client, chosen: argparse.Namespace, terminal: Terminal) -> int:
    if chosen.file and not chosen.values:
        receipt = put_result_file(client, chosen.run, chosen.file)
    elif chosen.values and chosen.step is not None and not chosen.file:
        points = [models.NewPoint(step=chosen.step, values=dict(chosen.values))]
        receipt = client.runs.log_metrics(chosen.run, points=points)
    else:
        raise ConfigurationError("give either --step with NAME=VALUE, or --file")
    if terminal.json:
        terminal.show(response_of(receipt).content)
    else:
        notes = "".join(f"\n{clean(each)}" for each in receipt.notes)
        terminal.say(f"{receipt.n_values} values, {receipt.n_new} of them new, last step {receipt.last_step}{notes}")
    return ACT


def _decide(client: Client, chosen: argparse.Namespace, terminal: Terminal) -> int:
    subject: str = chosen.subject
    if not subject.startswith("rec_"):
        subject = client.loops.next(subject).action.recommendation_id
    decided = client.recommendations.decide(
        subject,
        verdict="accepted" if chosen.command == "accept" else "declined",
        reason=chosen.reason,
        actor=chosen.actor,
    )
    if terminal.json:
        terminal.show(response_of(decided).content)
    else:
        came = f": {clean(decided.carried_out_by)}" if decided.carried_out_by else ""
        terminal.say(f"{clean(decided.status)}{came}  {clean(decided.headline)}")
    return ACT


def _follow(client: Client, chosen: argparse.Namespace, terminal: Terminal) -> int:
    live = sys.stderr.isatty() and not terminal.json

    def report(progress: Progress) -> None:
        print(f"\r\x1b[K{progress_line(terminal.paper, progress)}", end="", file=sys.stderr, flush=True)

    def approve(answer: models.Answer) -> bool:
        return input(f"{clean(answer.headline)} [y/N] ").strip().lower() in ("y", "yes")

    status = ACT
    try:
        for step in client.loops.follow(
            chosen.loop,
            timeout_s=chosen.timeout,
            on_progress=report if live else None,
            approve=approve if chosen.ask else None,
        ):
            status = exit_status(step.answer)
            if live:
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            if terminal.json:
                terminal.show(msgspec.json.encode(step))
            else:
                style = terminal.paper.style(clean(step.kind), "cyan")
                terminal.say(f"{style}  {clean(step.headline)}")
            terminal.out.flush()
    except WaitTimeoutError as timeout:
        print(f"whatnext: {timeout}", file=sys.stderr)
        return WAIT
    return status


def _login(chosen: argparse.Namespace, terminal: Terminal, environment: Mapping[str, str], url: str) -> int:
    if chosen.key_file == "-":
        key = sys.stdin.readline().strip()
    elif chosen.key_file:
        key = Path(chosen.key_file).read_text(encoding="utf-8").strip()
    else:
        key = getpass.getpass(f"API key for {url}: ").strip()
    with Client(key, base_url=url) as client:
        client.loops.list(limit=1).first_page()
    path = keep_key(environment, url, key)
    terminal.say(msgspec.json.encode({"base_url": url}).decode() if terminal.json else f"the key is kept in {path}")
    return ACT


COMMANDS = {
    "next": _next,
    "history": _history,
    "runs": _runs,
    "log": _log,
    "accept": _decide,
    "decline": _decide,
    "follow": _follow,
}
