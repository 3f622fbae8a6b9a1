"""Where output goes, in which form, and what its exit status says."""

import shutil
from collections.abc import Mapping
from typing import IO, Self

import msgspec

from whatnext import models
from whatnext._cli.render import Paper
from whatnext._progress import needs_person

ACT, WAIT, STOP, SHIP, PERSON = 0, 3, 4, 5, 6
BY_KIND = {"wait": WAIT, "stop": STOP, "do_not_fine_tune": STOP, "ship": SHIP}
FILE_WIDTH = 200
"""Columns of text that goes to no terminal."""


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
        width = shutil.get_terminal_size((100, 24)).columns if people or "COLUMNS" in environment else FILE_WIDTH
        return cls(out=out, paper=Paper(width=width, color=colored), json=not people if json is None else json)

    def write(self, text: str) -> None:
        """Print a text as it is."""
        self.out.write(text)

    def say(self, text: str) -> None:
        """Print a text and end its line."""
        self.out.write(f"{text}\n")

    def show(self, content: bytes) -> None:
        """Print JSON as the service sent it."""
        self.say(content.decode())


def exit_status(answer: models.Answer) -> int:
    """The exit status that says what an answer asks for."""
    if needs_person(answer):
        return PERSON
    return BY_KIND.get(answer.action.kind, ACT)
