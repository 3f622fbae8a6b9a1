"""The command `follow`."""

import argparse
import sys

import msgspec

from whatnext import models
from whatnext._cli.render import KIND_COLORS, clean, how_to, progress_line
from whatnext._cli.terminal import ACT, WAIT, Terminal, exit_status
from whatnext._progress import ENDED, Progress, Step
from whatnext.errors import WaitTimeoutError
from whatnext.sync import Client

CLEAR_LINE = "\r\x1b[K"


def follow(client: Client, chosen: argparse.Namespace, terminal: Terminal) -> int:
    """Drive the loop and print each step; the exit status of the last one."""
    shown = _Shown(terminal, chosen.loop)

    def approve(answer: models.Answer) -> bool:
        print(f"{clean(answer.headline)} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    status = ACT
    steps = client.loops.follow(
        chosen.loop,
        timeout_s=chosen.timeout,
        on_progress=None if terminal.json else shown.progress,
        approve=approve if chosen.ask else None,
    )
    try:
        for step in steps:
            status = exit_status(step.answer)
            shown.step(step)
    except WaitTimeoutError as timeout:
        shown.clear()
        print(f"whatnext: {timeout}", file=sys.stderr)
        return WAIT
    except KeyboardInterrupt:
        shown.clear()
        again = f"whatnext follow {clean(chosen.loop)}"
        print(f"whatnext: stopped; what is under way goes on, `{again}` takes it up again", file=sys.stderr)
        raise
    return status


class _Shown:
    """What is on the screen: steps, what has ended, and one line that moves."""

    def __init__(self, terminal: Terminal, loop: str) -> None:
        self._terminal = terminal
        self._loop = loop
        self._live = sys.stderr.isatty() and not terminal.json
        self._ended: set[str] = set()

    def step(self, step: Step) -> None:
        """A step, and how to go on after the last one."""
        self.clear()
        terminal = self._terminal
        if terminal.json:
            terminal.show(msgspec.json.encode(step))
        else:
            style = terminal.paper.style(clean(step.kind), KIND_COLORS.get(step.kind, "cyan"))
            terminal.say(f"{style}  {terminal.paper.wrapped(step.headline, '  ', at=len(step.kind) + 2)}")
            if not step.carried_out and step.kind != "wait":
                hint = how_to(terminal.paper, step.answer, self._loop)
                terminal.say(hint) if hint else None
        terminal.out.flush()

    def progress(self, progress: Progress) -> None:
        """How something under way is doing: one line that moves, and stays when it has ended."""
        line = progress_line(self._terminal.paper, progress)
        self.clear()
        if progress.status in ENDED:
            if progress.subject_id not in self._ended:
                self._ended.add(progress.subject_id)
                self._terminal.say(f"  {line}")
                self._terminal.out.flush()
        elif self._live:
            print(line, end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the moving line away."""
        if self._live:
            print(CLEAR_LINE, end="", file=sys.stderr, flush=True)
