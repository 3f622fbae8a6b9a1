"""Text for people: colours, tables, an answer on a page."""

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence

import msgspec

from whatnext import models
from whatnext._progress import ENDED, Progress, needs_person

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
KIND_COLORS = {"ship": "green", "stop": "yellow", "do_not_fine_tune": "yellow", "wait": "dim", "review": "red"}
TEXT_WIDTH = 120
"""Text is wrapped at this, however wide the terminal."""
GAP = "  "
_NUMBER = re.compile(r"-|[+-]?[0-9.,]+(e[+-]?[0-9]+)?")


class Paper(msgspec.Struct, kw_only=True, frozen=True):
    """What is written on."""

    width: int
    color: bool

    def style(self, text: str, *styles: str) -> str:
        """The text in these styles, where there is colour."""
        if not self.color or not styles:
            return text
        return f"\x1b[{';'.join(CODES[each] for each in styles)}m{text}\x1b[0m"

    def wrapped(self, text: str, indent: str = "", *, at: int = 0) -> str:
        """The text in lines that fit: the first one begins at column `at`, the others are indented."""
        width = max(at + 16, min(self.width, TEXT_WIDTH))
        start = " " * at
        lines = textwrap.fill(
            clean(text), width, initial_indent=start, subsequent_indent=indent, break_long_words=False
        )
        return lines.removeprefix(start)


def clean(text: str) -> str:
    """Text from elsewhere, without what would steer a terminal."""
    return "".join(each for each in text if each in "\n\t" or not unicodedata.category(each).startswith("C"))


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    wide = sum(1 for each in text if unicodedata.east_asian_width(each) in "WF")
    return len(text) + wide - sum(1 for each in text if unicodedata.combining(each))


def table(paper: Paper, head: Sequence[str], rows: Iterable[Sequence[str]], *, keep: int) -> str:
    """A table, numbers to the right. Where it does not fit, columns from `keep` on are left out from the right and
    named below; where even those do not fit, each row becomes a block of lines.
    """
    body = [[clean(cell).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(columns(cell) for cell in column) for column in zip(head, *body, strict=True)]
    shown = len(head)
    while shown > keep and _total(widths[:shown]) > paper.width:
        shown -= 1
    if _total(widths[:shown]) > paper.width:
        return "\n\n".join(_block(paper, head, row) for row in body)
    right = [_numeric([row[at] for row in body]) for at in range(shown)]

    def line(cells: Sequence[str]) -> str:
        padded: list[str] = []
        for cell, width, numeric in zip(cells, widths, right, strict=False):
            blank = " " * (width - columns(cell))
            padded.append(blank + cell if numeric else cell + blank)
        return GAP.join(padded).rstrip()

    lines = [paper.style(line(head), "bold"), *(line(row) for row in body)]
    if shown < len(head):
        lines.append(paper.style(paper.wrapped(f"No room for: {', '.join(head[shown:])}."), "dim"))
    return "\n".join(lines)


def answer_page(paper: Paper, answer: models.Answer, loop: str) -> str:
    """An answer: the advice, what is expected of it, its reasons and evidence, and how to carry it out."""
    kind = answer.action.kind
    said = f"phase {answer.phase}, confidence {answer.confidence.level}: {answer.confidence.basis}"
    parts = [
        paper.style(paper.wrapped(answer.headline), "bold"),
        paper.style(clean(kind), KIND_COLORS.get(kind, "cyan")) + GAP + paper.wrapped(said, GAP, at=columns(kind) + 2),
        _points(paper, _reasons(answer)),
        _evidence(paper, answer.evidence),
        _points(paper, (each.message for each in answer.warnings), "! ", "yellow"),
        _points(paper, (f"{each.headline} ({each.why_not})" for each in answer.alternatives), "or: ", "dim"),
        how_to(paper, answer, loop),
    ]
    return "\n\n".join(part for part in parts if part)


def how_to(paper: Paper, answer: models.Answer, loop: str) -> str:
    """The command that carries an answer out, or who must act."""
    request = answer.action.request
    if request is not None:
        call = f"{clean(request.method)} {clean(request.path)}"
        said = f"To do it: {paper.style(f'whatnext accept {clean(loop)}', 'bold')}"
        return f"{said}, {paper.style(f'whatnext decline {clean(loop)}', 'bold')} for another, or send {call}"
    return "A person must act." if needs_person(answer) else ""


def history_table(paper: Paper, history: models.History) -> str:
    """The experiment table, the method's own columns first."""
    head = ("Run", "Base model", "Dataset", "Epochs", "LR", "Batch", "Best val_loss", "Combined eval", "Changed",
            "To parent", "To baseline", "Overfitting", "Cost", "Status")  # fmt: skip
    rows = [
        (
            row.run,
            row.base_model,
            row.dataset,
            number(row.n_epochs),
            number(row.learning_rate_multiplier),
            "default" if row.batch_size is None else str(row.batch_size),
            number(row.best_valid_loss),
            number(row.combined),
            ", ".join(f"{each.variable} {each.from_text} -> {each.to_text}" for each in row.changed) or "-",
            difference(row.to_parent),
            difference(row.to_baseline),
            row.overfitting or "-",
            "-" if row.cost is None else f"{row.cost} {row.currency}",
            row.status,
        )
        for row in history.rows
    ]
    return table(paper, head, rows, keep=8) if rows else "no runs yet"


def loops_table(paper: Paper, loops: Iterable[models.Loop]) -> str:
    """Loops, newest first."""
    rows = [
        (each.slug, str(each.n_runs), each.autopilot, f"{each.updated_at:%Y-%m-%d %H:%M}", each.task) for each in loops
    ]
    return table(paper, ("Loop", "Runs", "Autopilot", "Changed", "Task"), rows, keep=2) if rows else "no loops yet"


def runs_table(paper: Paper, runs: Iterable[models.Run]) -> str:
    """Runs, newest first."""
    head = ("Run", "Status", "Base model", "Changed", "Last step", "Started", "Id")
    rows = [
        (
            run.name,
            run.status,
            run.config.base_model,
            ", ".join(run.changed) or "-",
            number(run.last_step),
            "-" if run.started_at is None else f"{run.started_at:%Y-%m-%d %H:%M}",
            run.id,
        )
        for run in runs
    ]
    return table(paper, head, rows, keep=2) if rows else "no runs"


def progress_line(paper: Paper, progress: Progress) -> str:
    """One line about something under way: how far it is, and as many of its losses and metrics as fit."""
    share = "" if not (progress.done and progress.total) else f" {100 * progress.done // progress.total} %"
    at = "" if progress.done is None else f" {progress.done}" + (f"/{progress.total}" if progress.total else "")
    name = "evaluation" if progress.run is None else progress.run.name
    line = clean(f"{name} {progress.status}{at}{share}")
    if progress.evaluation is not None and progress.status in ENDED and progress.evaluation.combined is not None:
        line += f"{GAP}score {number(progress.evaluation.combined)}"
    metrics = sorted(progress.metrics.items(), key=lambda each: (not each[0].endswith("_loss"), each[0]))
    for name, value in metrics:
        more = f"{GAP}{clean(name)} {number(value)}"
        if columns(line + more) < paper.width:
            line += more
    return line[: paper.width - 1]


def number(value: float | int | None) -> str:
    """A number for a table."""
    return "-" if value is None else str(value) if isinstance(value, int) else f"{value:.4g}"


def difference(value: models.Difference | None) -> str:
    """A difference with its interval."""
    if value is None:
        return "-"
    interval = "" if value.low is None or value.high is None else f" [{value.low:+.2f}, {value.high:+.2f}]"
    return f"{value.points:+.2f}{interval}"


def _reasons(answer: models.Answer) -> list[str]:
    reasons = list(answer.rationale)
    expects = None if answer.change is None else answer.change.expects
    if expects is not None and expects.effect is not None:
        interval = (
            ""
            if expects.effect_low is None or expects.effect_high is None
            else f" ({expects.effect_low:+.2f} to {expects.effect_high:+.2f})"
        )
        reasons.append(f"Expected: {expects.effect:+.2f} {expects.metric}{interval}.")
    method = answer.method_reading
    if method is not None and not method.agrees:
        reasons.append(f"The method read literally: {method.headline} {method.departure or ''}".strip())
    return reasons


def _evidence(paper: Paper, evidence: Sequence[models.Evidence]) -> str:
    if not evidence:
        return ""
    figures = [(number(each.value), number(each.threshold)) for each in evidence]
    widths = [max(len(cell) for cell in column) for column in zip(("Value", "Threshold"), *figures, strict=True)]
    lines = [paper.style(f"{'Value':>{widths[0]}}{GAP}{'Threshold':>{widths[1]}}{GAP}Evidence", "bold")]
    at = sum(widths) + 2 * len(GAP)
    for (value, threshold), each in zip(figures, evidence, strict=True):
        statement = paper.wrapped(each.statement, " " * at, at=at)
        lines.append(f"{value:>{widths[0]}}{GAP}{threshold:>{widths[1]}}{GAP}{statement}")
    return "\n".join(lines)


def _points(paper: Paper, texts: Iterable[str], mark: str = "- ", *styles: str) -> str:
    return "\n".join(paper.style(paper.wrapped(f"{mark}{each}", " " * len(mark)), *styles) for each in texts)


def _block(paper: Paper, head: Sequence[str], row: Sequence[str]) -> str:
    width = max(columns(each) for each in head)
    named = (f"{name}{' ' * (width - columns(name))}{GAP}{cell}" for name, cell in zip(head, row, strict=True))
    first, *rest = (paper.wrapped(each, " " * (width + len(GAP))) for each in named)
    return "\n".join([paper.style(first, "bold"), *rest])


def _numeric(cells: Sequence[str]) -> bool:
    return all(map(_NUMBER.fullmatch, cells)) and any(cell != "-" for cell in cells)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)
