"""A run's picture: which curves it shows, at which points and on which scale, and what is marked in it."""

from typing import Literal

import msgspec

from whatnext_service.core.chart_lines import Line, Role, averaged, line_of, logarithmic_from, numbers, unusable_steps
from whatnext_service.core.curve_view import Points
from whatnext_service.core.curves import CurveReading, Series
from whatnext_service.core.runs import EffectiveConfig, RunConfig

MarkKind = Literal["gone", "checkpoint", "nominated", "shipped"]

MAX_POINTS = 1_000
"""Points a line has at most: a picture is about a thousand pixels wide."""
MAX_PANELS = 4
MAX_EPOCHS = 12
MAX_CHARS = 60
LABELS: dict[Role, str] = {
    "train": "training",
    "valid": "validation, one batch",
    "full_valid": "validation, full pass",
}
LOSS = "loss"
FAMILIES: tuple[tuple[str, tuple[tuple[str, Role], ...]], ...] = (
    (LOSS, (("train_loss", "train"), ("valid_loss", "valid"), ("full_valid_loss", "full_valid"))),
    ("mean reward", (("train_mean_reward", "train"), ("full_valid_mean_reward", "full_valid"))),
    (
        "token accuracy (share)",
        (
            ("train_mean_token_accuracy", "train"),
            ("valid_mean_token_accuracy", "valid"),
            ("full_valid_mean_token_accuracy", "full_valid"),
        ),
    ),
)
SHAPES = {
    "no_validation": "no validation to judge by",
    "too_short": "too short to judge",
    "unknown": "cannot be judged",
}


class Saved(msgspec.Struct, kw_only=True, frozen=True):
    """A checkpoint as far as a picture shows it."""

    step: int
    epoch: int | None
    deployable: bool
    shipped: bool


class Source(msgspec.Struct, kw_only=True, frozen=True):
    """A run and its curves."""

    loop: str
    run: str
    status: str
    config: RunConfig
    effective: EffectiveConfig | None
    n_examples: int | None
    reading: CurveReading | None
    saved: tuple[Saved, ...]
    ships_final: bool
    """Whether the model at the end of training is in service."""
    series: tuple[Series, ...]
    chosen: bool
    """Whether these series were asked for by name."""


class Panel(msgspec.Struct, kw_only=True, frozen=True):
    """Curves that share an axis."""

    label: str
    lines: tuple[Line, ...]
    lowest: float | None
    """Where a logarithmic axis begins; null for a linear one."""
    broken: tuple[int, ...]
    """Steps at which a value is not a number, infinite, or beyond 1e12."""


class Mark(msgspec.Struct, kw_only=True, frozen=True):
    """A checkpoint on the axis of steps."""

    step: int
    kind: MarkKind


class Chart(msgspec.Struct, kw_only=True, frozen=True):
    """What is drawn, and nothing of how."""

    title: str
    about: str
    verdict: str | None
    panels: tuple[Panel, ...]
    """None when there are no points."""
    best_step: int | None
    best: str | None
    """The best step in words."""
    marks: tuple[Mark, ...]
    epochs: tuple[tuple[float, int], ...]
    """Steps at which epochs end, and their numbers."""


def chart_of(source: Source, max_points: int | None = None) -> Chart:
    """The picture of a run: its losses, rewards and accuracies; a metric that is none of these has its own axis, and
    is shown when it was asked for or there is nothing else."""
    panels = _panels(source, min(max_points or MAX_POINTS, MAX_POINTS))
    last_step = max((series.steps[-1] for series in source.series if series.steps), default=0)
    best_step = source.reading.best_step if source.reading and panels else None
    return Chart(
        title=f"{source.loop} {source.run}",
        about=_about(source),
        verdict=_verdict(source.reading) if source.reading and panels else None,
        panels=panels,
        best_step=best_step,
        best=_best(source.series, best_step),
        marks=_marks(source, last_step) if panels else (),
        epochs=_epochs(source, last_step),
    )


def _panels(source: Source, limit: int) -> tuple[Panel, ...]:
    left = {series.name: series for series in source.series if series.steps}
    panels: list[Panel] = []
    for label, members in FAMILIES:
        found: list[tuple[Series, Role]] = [(left.pop(name), role) for name, role in members if name in left]
        if found:
            panels.append(_panel(label, found, limit))
    if source.chosen or not panels:
        panels += [_panel(plain(name), [(series, "other")], limit) for name, series in left.items()]
    return tuple(panels[:MAX_PANELS])


def _panel(label: str, members: list[tuple[Series, Role]], limit: int) -> Panel:
    """Of many values the mean is the line, and decides the scale; the values are behind it."""
    lines: list[Line] = []
    before: list[Points] = []
    for series, role in members:
        points, name = numbers(series), LABELS.get(role, label)
        means = averaged(points)
        if means is not None:
            lines.append(line_of(points, role, f"{name}, as logged", limit, behind=True))
        before.append(means or points)
        lines.append(line_of(before[-1], role, name, limit, behind=False))
    return Panel(
        label=label,
        lines=tuple(lines),
        lowest=logarithmic_from(before) if label == LOSS else None,
        broken=unusable_steps(before),
    )


def _about(source: Source) -> str:
    """What was trained, in a line: values as they were resolved, else as they were asked for."""
    asked, known = source.config, source.effective
    n_epochs = (known.n_epochs if known else None) or asked.n_epochs
    rate = (known.learning_rate_multiplier if known else None) or asked.learning_rate_multiplier
    batch = (known.batch_size if known else None) or asked.batch_size
    said = (
        plain(asked.base_model),
        asked.method.upper(),
        f"{n_epochs} epoch{'s' if n_epochs != 1 else ''}" if n_epochs else None,
        f"learning rate x {rate:g}" if rate else None,
        f"batch {batch}" if batch else None,
        plain(source.status),
    )
    return ", ".join(each for each in said if each)


def _verdict(reading: CurveReading) -> str:
    """The reading in a few words, and the first thing that is critical."""
    shape = SHAPES.get(reading.shape, reading.shape.replace("_", " "))
    critical = next((finding.statement for finding in reading.findings if finding.severity == "critical"), None)
    return f"{shape}: {plain(critical, 110)}" if critical else shape


def _best(series: tuple[Series, ...], step: int | None) -> str | None:
    """The best step with the value that makes it so, of the most exact metric that has one there."""
    if step is None:
        return None
    for name in ("full_valid_loss", "full_valid_mean_reward", "valid_loss"):
        found = next((each for each in series if each.name == name and step in each.steps), None)
        if found is not None:
            return f"best: step {step:,} ({found.values[found.steps.index(step)]:.4g})"
    return f"best: step {step:,}"


def _marks(source: Source, last_step: int) -> tuple[Mark, ...]:
    nominated = source.reading.nominated_steps if source.reading else ()
    marks = [
        Mark(
            step=each.step,
            kind="shipped"
            if each.shipped
            else "gone"
            if not each.deployable
            else "nominated"
            if each.step in nominated
            else "checkpoint",
        )
        for each in sorted(source.saved, key=lambda each: each.step)
    ]
    if source.ships_final:
        marks = [mark for mark in marks if mark.step != last_step] + [Mark(step=last_step, kind="shipped")]
    return tuple(marks)


def _epochs(source: Source, last_step: int) -> tuple[tuple[float, int], ...]:
    """Ends of epochs up to the last step, thinned out where there are more than twelve."""
    length = _epoch_steps(source)
    if length is None or length <= 0 or last_step < length:
        return ()
    n = int(last_step / length + 1e-9)
    every = -(-n // MAX_EPOCHS)
    return tuple((number * length, number) for number in range(every, n + 1, every))


def _epoch_steps(source: Source) -> float | None:
    """Steps of an epoch: by a checkpoint at the end of one, else as resolved, else ceil(examples / batch)."""
    ends = [each for each in source.saved if each.epoch and each.step]
    if ends:
        last = max(ends, key=lambda each: each.step)
        return last.step / (last.epoch or 1)
    known = source.effective
    if known is None:
        return None
    if known.n_steps and known.n_epochs:
        return known.n_steps / known.n_epochs
    n_examples = known.n_examples or source.n_examples
    return -(-n_examples // known.batch_size) if n_examples and known.batch_size else None


def plain(text: str, most: int = MAX_CHARS) -> str:
    """User text as any font can draw it: printable letters of European alphabets, shortened."""
    drawable = "".join(each if each.isprintable() and each < "\u0500" else "?" for each in text)
    return drawable if len(drawable) <= most else drawable[: most - 3] + "..."
