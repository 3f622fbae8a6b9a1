"""A run's curves as a picture. The same chart gives the same bytes."""

import io
from types import MappingProxyType
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from matplotlib.typing import RcKeyType

from whatnext_service.core.chart import Chart, MarkKind, Panel
from whatnext_service.core.chart_lines import Line, Role

Picture = Literal["image/svg+xml", "image/png"]

STYLE: dict[RcKeyType, Any] = {
    "axes.edgecolor": "#888888",
    "axes.grid": True,
    "axes.labelcolor": "#333333",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.7,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "lines.solid_joinstyle": "round",
    "savefig.dpi": 130,
    "svg.fonttype": "path",
    "svg.hashsalt": "whatnext",
    "text.parse_math": False,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
}
"""Letters are drawn as paths, so that a picture looks the same wherever it is opened."""
WIDTH_IN, LEFT_IN, RIGHT_IN = 8.0, 0.8, 0.2
FIRST_IN, OTHER_IN, GAP_IN = 2.9, 1.7, 0.22
"""Heights of the first panel and of the others, and what is between two."""
TITLE_IN, CAPTION_LINE_IN, EPOCHS_IN, STEPS_IN, LEGEND_LINE_IN = 0.46, 0.2, 0.45, 0.55, 0.2
LEGEND_COLUMNS = 4
COLOURS: MappingProxyType[Role, str] = MappingProxyType(
    {"train": "#0072b2", "valid": "#e69f00", "full_valid": "#d55e00", "other": "#444444"}
)
"""Told apart by people who confuse red and green (Okabe and Ito)."""
MARKS: MappingProxyType[MarkKind, tuple[str, str, str, float]] = MappingProxyType(
    {
        "gone": ("checkpoint, no longer kept", "^", "#bbbbbb", 5.0),
        "checkpoint": ("checkpoint", "^", "#666666", 6.0),
        "nominated": ("checkpoint, nominated", "^", "#7b3294", 7.5),
        "shipped": ("checkpoint, shipped", "*", "#009e73", 12.0),
    }
)
"""For each kind of checkpoint its label, sign, colour and size."""
BEST_COLOUR, BROKEN_COLOUR, QUIET = "#009e73", "#c1121f", "#555555"


def draw(chart: Chart, picture: Picture) -> bytes:
    """The picture's bytes. Not to be called by two threads at once: matplotlib's style is the process's."""
    with matplotlib.rc_context(STYLE):
        figure = Figure()
        every = [figure.add_subplot(label=str(place)) for place in range(max(1, len(chart.panels)))]
        for axes, panel in zip(every, chart.panels, strict=False):
            _draw_panel(axes, panel)
        if chart.panels:
            _draw_marks(every[0], chart)
            _name_steps(every)
        else:
            every[0].set(xticks=[], yticks=[])
            every[0].text(0.5, 0.5, "No points yet", ha="center", fontsize=14, color="#888888")
        labels = _lay_out(figure, every, chart)
        figure.legend(list(labels.values()), list(labels), loc="lower center", ncols=LEGEND_COLUMNS)
        return _saved(figure, chart, picture)


def _draw_panel(axes: Axes, panel: Panel) -> None:
    axes.set_ylabel(panel.label if panel.lowest is None else f"{panel.label} (log)")
    if panel.lowest is not None:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    for line in panel.lines:
        _draw_line(axes, line)
    if panel.lowest is not None:
        axes.set_ylim(bottom=panel.lowest)
    if panel.broken:
        _draw_signs(axes, panel.broken, 0.97, "not a number", "x", BROKEN_COLOUR, 5.0)


def _draw_line(axes: Axes, line: Line) -> None:
    colour = COLOURS[line.role]
    if line.behind:
        axes.plot(line.steps, line.values, color=colour, alpha=0.25, linewidth=0.8, label=line.label)
        return
    axes.plot(line.steps, line.values, color=colour, linewidth=1.8, label=line.label)
    if line.dots:
        steps, values = zip(*line.dots, strict=True)
        axes.plot(steps, values, color=colour, linestyle="none", marker="o", markersize=4)


def _draw_signs(
    axes: Axes, steps: tuple[int, ...], height: float, label: str, sign: str, colour: str, size: float
) -> None:
    """Signs at a height of the panel, 0 its floor and 1 its ceiling."""
    axes.plot(
        steps,
        [height] * len(steps),
        linestyle="none",
        marker=sign,
        markersize=size,
        color=colour,
        transform=axes.get_xaxis_transform(),
        label=label,
        clip_on=False,
        zorder=5,
    )


def _draw_marks(axes: Axes, chart: Chart) -> None:
    if chart.best_step is not None:
        axes.axvline(chart.best_step, color=BEST_COLOUR, linestyle=(0, (4, 3)), linewidth=1.2, label=chart.best)
    for kind, (label, sign, colour, size) in MARKS.items():
        steps = tuple(mark.step for mark in chart.marks if mark.kind == kind)
        if steps:
            _draw_signs(axes, steps, 0.0, label, sign, colour, size)
    if chart.epochs:
        above = axes.secondary_xaxis("top")
        above.set_xticks([step for step, _ in chart.epochs], [str(number) for _, number in chart.epochs])
        above.set_xlabel("epoch", fontsize=8, color=QUIET)
        for step, _ in chart.epochs:
            axes.axvline(step, color="#cccccc", linewidth=0.7, zorder=0)


def _name_steps(every: list[Axes]) -> None:
    """One axis of steps for all panels, named below the last; a single step stands in the middle."""
    first = min(axes.get_xlim()[0] for axes in every)
    last = max(axes.get_xlim()[1] for axes in every)
    for axes in every:
        axes.set_xlim((first, last) if last - first > 1.5 else (first - 1.0, last + 1.0))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.tick_params(labelbottom=axes is every[-1])
    every[-1].set_xlabel("training step")


def _lay_out(figure: Figure, every: list[Axes], chart: Chart) -> dict[str, Any]:
    """Give everything its place, in inches; returns what the legend below shows, each label once."""
    labels = {label: handle for axes in every for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    caption = [chart.about, *([chart.verdict] if chart.verdict else [])]
    head = TITLE_IN + CAPTION_LINE_IN * len(caption) + (EPOCHS_IN if chart.epochs else 0.1)
    foot = STEPS_IN + LEGEND_LINE_IN * -(-len(labels) // LEGEND_COLUMNS)
    heights = [FIRST_IN, *[OTHER_IN] * (len(every) - 1)]
    total = head + foot + sum(heights) + GAP_IN * (len(every) - 1)
    figure.set_size_inches(WIDTH_IN, total)
    top = total - head
    for axes, height in zip(every, heights, strict=True):
        width = (WIDTH_IN - LEFT_IN - RIGHT_IN) / WIDTH_IN
        axes.set_position((LEFT_IN / WIDTH_IN, (top - height) / total, width, height / total))
        axes.yaxis.set_label_coords(-(LEFT_IN - 0.2) / (width * WIDTH_IN), 0.5)
        top -= height + GAP_IN
    left, under = LEFT_IN / WIDTH_IN, 1 - TITLE_IN / total
    figure.text(left, 1 - 0.14 / total, chart.title, fontsize=13, fontweight="bold", va="top")
    figure.text(left, under, "\n".join(caption), fontsize=8.5, color=QUIET, linespacing=1.5, va="top")
    return labels


def _saved(figure: Figure, chart: Chart, picture: Picture) -> bytes:
    out = io.BytesIO()
    if picture == "image/svg+xml":
        words = f"{chart.title}: {chart.verdict or 'no verdict'}"
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Title": words})
    else:
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
