"""Metric points from a job's events, in the wordings of OpenAI and Azure."""

import re
from collections.abc import Iterable
from types import MappingProxyType

from whatnext_service.providers.openai_wire import MAX_STEP, WireEvent, mapping, number, whole
from whatnext_service.providers.port import MetricPoint

LONGEST_NAME = 128
NOT_METRICS = frozenset({"step", "total_steps", "epoch"})
WORDS = MappingProxyType(
    {
        "training loss": "train_loss",
        "validation loss": "valid_loss",
        "full validation loss": "full_valid_loss",
        "training mean token accuracy": "train_mean_token_accuracy",
        "validation mean token accuracy": "valid_mean_token_accuracy",
        "train mean reward": "train_mean_reward",
        "full validation mean reward": "full_valid_mean_reward",
        "full validation mean parse error": "full_valid_mean_parse_error",
    }
)
_STEP = re.compile(r"\s*step (\d{1,12})(?:/\d+)?:(.*)", re.IGNORECASE | re.DOTALL)
_PAIR = re.compile(r"([A-Za-z][A-Za-z ]*)=\s*([-+]?(?:[0-9.]+(?:[eE][-+]?\d+)?|nan|inf(?:inity)?))", re.IGNORECASE)


def metric_points(events: Iterable[WireEvent]) -> tuple[MetricPoint, ...]:
    """The points that events (newest first) carry, in order of step; of two values for one name and step the newest.

    The message's rounded figures (`Step 240/240: training loss=0.00`) stand in only for what `data` does not hold.
    Nested data (one grader's own scores) is left alone: it repeats the names of the totals with other values.
    """
    exact: dict[tuple[int, str], float] = {}
    rounded: dict[tuple[int, str], float] = {}
    for event in events:
        data = mapping(event.data)
        said_step, said = _said(event.message or "")
        step = whole(data.get("step"), 0, MAX_STEP)
        step = said_step if step is None else step
        if step is None:
            continue
        for name, value in data.items():
            found = number(value)
            if found is not None and name not in NOT_METRICS and len(name) <= LONGEST_NAME:
                exact.setdefault((step, name), found)
        for name, figure in said:
            rounded.setdefault((step, name), figure)
    points = rounded | exact
    return tuple(MetricPoint(step=step, name=name, value=points[step, name]) for step, name in sorted(points))


def _said(message: str) -> tuple[int | None, list[tuple[str, float]]]:
    match = _STEP.match(message)
    if match is None:
        return None, []
    figures = []
    for words, figure in _PAIR.findall(match[2]):
        name, value = WORDS.get(words.strip().lower()), number(figure)
        if name is not None and value is not None:
            figures.append((name, value))
    return int(match[1]), figures
