"""Text for people: colours, tables, an answer on a page."""

import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from whatnext import models
from whatnext._progress import Progress

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
KIND_COLORS = {"ship": "green", "stop": "yellow", "do_not_fine_tune": "yellow", "wait": "dim", "review": "red"}


class Paper(msgspec.Struct, kw_only=True, frozen=True):
    """What is written on."""

    width: int
    color: bool

    def style(self, text: str, *styles: str) -> str:
        """The text in these styles, where there is colour."""
        if not self.color or not styles:
            return text
        return f"\x1b[{';'.join(CODES[each] for each in styles)}m{text}\x1b[0m"


def clean(text: str) -> str:
    """Text from elsewhere, without what would steer a terminal."""
    return "".join(each for each in text if each in "\n\t" or not unicodedata.category(each).startswith("C"))


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    wide = sum(1 for each in text if unicodedata.east_asian_width(each) in "WF")
    return len(text) + wide - sum(1 for each in text if unicodedata.combining(each))


def table(paper: Paper, head: Sequence[str], rows: Iterable[Sequence[str]], *, keep: int) -> str:
    """A table; columns from `keep` on are left out from the right until it fits."""
    body = [[clean(cell).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(columns(cell) for cell in column) for column in zip(head, *body, strict=True)]
    shown = len(head)
    while shown > keep and sum(widths[:shown]) + 2 * (shown - 1) > paper.width:
        shown -= 1

    def line(cells: Sequence[str]) -> str:
        padded = (cell + " " * (width - columns(cell)) for cell, width in zip(cells, widths, strict=True))
        return "  ".join(list(padded)[:shown]).rstrip()

    return "\n".join([paper.style(line(head), "bold"), *(line(row) for row in body)])


def answer_page(paper: Paper, answer: models.Answer) -> str:
    """An answer: the advice, its reasons and evidence, and how to carry it out."""
    kind = answer.action.kind
    parts = [
        paper.style(clean(answer.headline), "bold"),
        f"{paper.style(clean(kind), KIND_COLORS.get(kind, 'cyan'))}  phase {clean(answer.phase)}, "
        f"confidence {clean(answer.confidence.level)}: {clean(answer.confidence.basis)}",
    ]
    if answer.rationale:
        parts.append("\n".join(_wrapped(paper, f"- {clean(each)}") for each in answer.rationale))
    if answer.evidence:
        rows = [(each.statement, number(each.value), number(each.threshold)) for each in answer.evidence]
        parts.append(table(paper, ("Evidence", "Value", "Threshold"), rows, keep=1))
    if answer.warnings:
        parts.append(
            "\n".join(paper.style(_wrapped(paper, f"! {clean(each.message)}"), "yellow") for each in answer.warnings)
        )
    if answer.alternatives:
        lines = (f"or: {clean(each.headline)} ({clean(each.why_not)})" for each in answer.alternatives)
        parts.append("\n".join(paper.style(_wrapped(paper, each), "dim") for each in lines))
    if answer.action.request is not None:
        request = answer.action.request
        body = "" if request.body is None else " " + msgspec.json.encode(request.body).decode()
        parts.append(paper.style(f"{clean(request.method)} {clean(request.path)}{clean(body)}", "dim"))
    return "\n\n".join(parts)


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
            ", ".join(f"{each.variable} {each.from_text} -> {each.to_text}" for each in row.changed),
            difference(row.to_parent),
            difference(row.to_baseline),
            row.overfitting or "-",
            "-" if row.cost is None else f"{row.cost} {row.currency}",
            row.status,
        )
        for row in history.rows
    ]
    return table(paper, head, rows, keep=8) if rows else "no runs yet"


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
    """One line about something under way."""
    name = progress.run.name if progress.run is not None else "evaluation"
    share = "" if not (progress.done and progress.total) else f" {100 * progress.done // progress.total} %"
    at = "" if progress.done is None else f" {progress.done}" + (f"/{progress.total}" if progress.total else "")
    metrics: Mapping[str, float] = progress.metrics
    values = "".join(f"  {name} {value:.4g}" for name, value in list(metrics.items())[:4])
    return clean(f"{name} {progress.status}{at}{share}{values}")[: paper.width - 1]


def number(value: float | int | None) -> str:
    """A number for a table."""
    return "-" if value is None else f"{value:.4g}"


def difference(value: models.Difference | None) -> str:
    """A difference with its interval."""
    if value is None:
        return "-"
    interval = "" if value.low is None or value.high is None else f" [{value.low:+.2f}, {value.high:+.2f}]"
    return f"{value.points:+.2f}{interval}"


def _wrapped(paper: Paper, text: str) -> str:
    return textwrap.fill(text, min(paper.width, 120), subsequent_indent="  ", break_long_words=False)
