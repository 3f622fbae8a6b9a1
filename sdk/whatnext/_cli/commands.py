"""What each command does."""

import argparse
import getpass
import itertools
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from whatnext import models
from whatnext._cli.completion import script
from whatnext._cli.credentials import connection, keep_key
from whatnext._cli.follow import follow
from whatnext._cli.parser import make_parser
from whatnext._cli.render import answer_page, clean, history_table, loops_table, runs_table
from whatnext._cli.terminal import ACT, Terminal, exit_status
from whatnext._model import response_of
from whatnext.errors import ConfigurationError, WaitTimeoutError
from whatnext.integrations.result_files import put_result_file
from whatnext.sync import Client

PLAIN_SLUG = re.compile(r"[A-Za-z0-9_-]+")


def run(chosen: argparse.Namespace, terminal: Terminal, environment: Mapping[str, str]) -> int:
    """Carry a command out; returns the exit status."""
    if chosen.command == "completion":
        terminal.write(script(make_parser()[1], chosen.shell))
        return ACT
    url, key = connection(environment, chosen.base_url)
    if chosen.command == "login":
        return _login(chosen, terminal, environment, url)
    if not key:
        raise ConfigurationError(f"no API key for {url}: set WHATNEXT_API_KEY, or run `whatnext login`")
    with Client(key, base_url=url) as client:
        return COMMANDS[chosen.command](client, chosen, terminal)


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
        terminal.say(answer_page(terminal.paper, answer, chosen.loop))
    return exit_status(answer)


def _history(client: Client, chosen: argparse.Namespace, terminal: Terminal) -> int:
    if chosen.form is not None:
        loops = client.loops
        asked = loops.history_csv if chosen.form == "csv" else loops.history_markdown
        terminal.write(asked(chosen.loop))
        return ACT
    history = client.loops.history(chosen.loop)
    if terminal.json:
        terminal.show(response_of(history).content)
    else:
        terminal.say(history_table(terminal.paper, history))
    return ACT


def _loops(client: Client, chosen: argparse.Namespace, terminal: Terminal) -> int:
    found = list(itertools.islice(client.loops.list(limit=min(chosen.limit, 100)), chosen.limit))
    if chosen.names:
        terminal.write("".join(f"{each.slug}\n" for each in found if PLAIN_SLUG.fullmatch(each.slug)))
    elif terminal.json:
        terminal.show(msgspec.json.encode({"data": found}))
    else:
        terminal.say(loops_table(terminal.paper, found))
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
        receipt = put_result_file(client, chosen.run, chosen.file, of=chosen.of)
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


def _login(chosen: argparse.Namespace, terminal: Terminal, environment: Mapping[str, str], url: str) -> int:
    if chosen.key_file not in (None, "-"):
        key = Path(chosen.key_file).read_text(encoding="utf-8").strip()
    elif chosen.key_file == "-" or not sys.stdin.isatty():
        key = sys.stdin.readline().strip()
    else:
        try:
            key = getpass.getpass(f"API key for {url}: ").strip()
        except EOFError:
            key = ""
    if not key:
        raise ConfigurationError("no key was given")
    with Client(key, base_url=url) as client:
        client.loops.list(limit=1).first_page()
    path = keep_key(environment, url, key)
    terminal.say(msgspec.json.encode({"base_url": url}).decode() if terminal.json else f"the key is kept in {path}")
    return ACT


COMMANDS = {
    "next": _next,
    "history": _history,
    "loops": _loops,
    "runs": _runs,
    "log": _log,
    "accept": _decide,
    "decline": _decide,
    "follow": follow,
}
