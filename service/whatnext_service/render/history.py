"""The experiment table as markdown and as CSV (method, section 2)."""

import csv
import io
from decimal import Decimal

from whatnext_service.core.history import ChangedValue, Difference, HistoryRow
from whatnext_service.core.wording import escaped, variable_name

COLUMNS = ("Run", "Base model", "Dataset", "Epochs", "LR", "Batch", "Best val_loss", "Combined eval")
"""The method's own columns; the others follow them."""
MARKDOWN_MORE = ("Changed", "To parent", "To baseline", "Overfitting", "Cost", "Status")
CSV_MORE = (
    "Changed",
    "Confounded by",
    "To parent",
    "To parent low",
    "To parent high",
    "To baseline",
    "To baseline low",
    "To baseline high",
    "Overfitting",
    "Cost",
    "Currency",
    "Status",
)
NOTHING = "-"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def history_markdown(rows: tuple[HistoryRow, ...]) -> str:
    """A table; user text cannot act as markdown."""
    columns = (*COLUMNS, *MARKDOWN_MORE)
    lines = [_line(columns), "|" + "---|" * len(columns)]
    lines += [_line(_markdown_cells(row)) for row in rows]
    return "\n".join(lines) + "\n"


def history_csv(rows: tuple[HistoryRow, ...]) -> str:
    """RFC 4180 with a header; text that a spreadsheet would run as a formula is preceded by an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow((*COLUMNS, *CSV_MORE))
    writer.writerows(_csv_cells(row) for row in rows)
    return text.getvalue()


def _markdown_cells(row: HistoryRow) -> tuple[str, ...]:
    return (
        *(escaped(cell) or NOTHING for cell in _names(row)),
        *(cell or NOTHING for cell in _figures(row)),
        escaped(_changed(row)),
        _interval(row.to_parent),
        _interval(row.to_baseline),
        row.overfitting.replace("_", " ") if row.overfitting else NOTHING,
        f"{_money(row.cost)} {row.currency}" if row.cost is not None else NOTHING,
        row.status,
    )


def _csv_cells(row: HistoryRow) -> tuple[str, ...]:
    return (
        *(_harmless(cell) for cell in _names(row)),
        *_figures(row),
        _harmless(_changed(row)),
        _harmless(", ".join(row.confounded_by)),
        *_numbers(row.to_parent),
        *_numbers(row.to_baseline),
        row.overfitting or "",
        _money(row.cost),
        row.currency if row.cost is not None else "",
        row.status,
    )


def _names(row: HistoryRow) -> tuple[str, ...]:
    return row.run, row.base_model, row.dataset


def _figures(row: HistoryRow) -> tuple[str, ...]:
    return (
        "auto" if row.n_epochs is None else str(row.n_epochs),
        "auto" if row.learning_rate_multiplier is None else _rate(row.learning_rate_multiplier),
        "default" if row.batch_size is None else str(row.batch_size),
        "" if row.best_valid_loss is None else f"{row.best_valid_loss:.3f}",
        "" if row.combined is None else f"{row.combined:.2f}",
    )


def _changed(row: HistoryRow) -> str:
    if row.parent is None:
        return "first run"
    changes = "; ".join(_change(change) for change in row.changed) or "repeat"
    confounded = f" (confounded by {', '.join(row.confounded_by)})" if row.confounded_by else ""
    return f"{row.parent}: {changes}{confounded}"


def _change(change: ChangedValue) -> str:
    return f"{variable_name(change.variable)} {change.from_text} to {change.to_text}"


def _rate(rate: float) -> str:
    """At least one decimal, and as many as the value needs: 1.0, 0.25, 0.00001."""
    text = f"{Decimal(repr(rate)):f}"
    return text if "." in text else f"{text}.0"


def _money(cost: Decimal | None) -> str:
    return "" if cost is None else f"{cost:.2f}"


def _interval(difference: Difference | None) -> str:
    if difference is None:
        return NOTHING
    if difference.low is None or difference.high is None:
        return _signed(difference.points)
    return f"{_signed(difference.points)} ({_signed(difference.low)} to {_signed(difference.high)})"


def _signed(points: float) -> str:
    """Two decimals with a sign; nothing is not minus nothing."""
    return f"{round(points, 2) + 0.0:+.2f}"


def _numbers(difference: Difference | None) -> tuple[str, str, str]:
    if difference is None:
        return "", "", ""
    low = "" if difference.low is None else f"{difference.low:.2f}"
    high = "" if difference.high is None else f"{difference.high:.2f}"
    return f"{difference.points:.2f}", low, high


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
