"""JSON records of a run: lists and lines of points, events, checkpoints, epochs (hazards 7 to 9, 11)."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np

from whatnext_service.core.malformed import malformed
from whatnext_service.core.result_columns import (
    ALIASES,
    STEP_NAMES,
    RawColumn,
    canonical_names,
    is_bookkeeping,
    plain_name,
    require_evidence,
    row_numbers,
    step_numbers,
)

FileFormat = Literal["table", "trainer_state", "epochs", "events", "checkpoints", "points", "columns"]

Record = Mapping[str, object]

MOST_STEPS = 10**12

_STEP_IN_MESSAGE = re.compile(r"\bstep (\d{1,15})\b", re.IGNORECASE)
_KNOWN = frozenset(alias for aliases in ALIASES.values() for alias in aliases)


class JsonColumns(msgspec.Struct, kw_only=True, frozen=True):
    """The columns of a JSON record, and what it says about the run."""

    columns: list[RawColumn]
    format: FileFormat
    planned_steps: int | None


def json_columns(text: str, notes: list[str]) -> JsonColumns:
    """The columns of a JSON document or of JSON lines; refused when it is no training record."""
    document = _document(text, notes)
    if isinstance(document, dict):
        history = document.get("log_history")
        if isinstance(history, list):
            return _trainer_state(document, history, notes)
        epochs = document.get("epoch_details")
        if isinstance(epochs, list):
            return _epochs(epochs, notes)
        listed = document.get("data")
        if document.get("object") == "list" and isinstance(listed, list):
            return _records(listed, notes)
        if _is_keras_history(document):
            return _keras_history(document, notes)
        return _records([document], notes)
    return _records(document, notes)


def _document(text: str, notes: list[str]) -> dict[str, object] | list[object]:
    """The document; of JSON lines, the list of them, of which the last may be cut off."""
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data" or not text.lstrip().startswith("{"):
            malformed(f"line {error.lineno}, column {error.colno}: not JSON: {error.msg}")
        return _lines(text, notes)
    except (RecursionError, ValueError):
        malformed("the JSON is nested too deeply or holds a number of thousands of digits")
    if not isinstance(value, dict | list):
        malformed("the JSON is a single value, no record")
    return value


def _lines(text: str, notes: list[str]) -> list[object]:
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    values: list[object] = []
    for number, line in lines:
        try:
            values.append(json.loads(line))
        except (RecursionError, ValueError) as error:
            if number == lines[-1][0]:
                notes.append("the last line is cut off: left out")
                break
            column = f", column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
            malformed(f"line {number}{column}: not JSON")
    return values


def _trainer_state(document: Record, history: list[object], notes: list[str]) -> JsonColumns:
    """Hugging Face: `loss` is the logged value; the summary's `train_loss` is the run's average (hazards 9)."""
    entries = [entry for entry in history if isinstance(entry, dict)]
    logged = [entry for entry in entries if "train_runtime" not in entry]
    if not logged:
        notes.append("log_history is empty: nothing was logged")
    if len(logged) < len(entries):
        notes.append("the run's average training loss in the last entry left out")
    return JsonColumns(
        columns=_columns(logged, notes),
        format="trainer_state",
        planned_steps=_planned(document.get("max_steps")),
    )


def _planned(steps: object) -> int | None:
    return steps if type(steps) is int and 0 < steps <= MOST_STEPS else None


def _epochs(epochs: list[object], notes: list[str]) -> JsonColumns:
    """One record an epoch; where it says how many batches it took, the steps are their running total."""
    records: list[Record] = [epoch for epoch in epochs if isinstance(epoch, dict)]
    batches = [record.get("train_batches") for record in records]
    counts = [count for count in batches if isinstance(count, int) and count > 0]
    if records and len(counts) == len(records):
        steps = np.cumsum(counts).tolist()
        records = [{**record, "step": step} for record, step in zip(records, steps, strict=True)]
    return JsonColumns(columns=_columns(records, notes), format="epochs", planned_steps=None)


def _records(items: list[object], notes: list[str]) -> JsonColumns:
    """Points, events or checkpoints; events and checkpoints come newest first (hazards 7)."""
    file_format: FileFormat = "points"
    records: list[Record] = []
    for number, item in enumerate(items, start=1):
        wrapped = item.get("event", item) if isinstance(item, dict) else item
        if not isinstance(wrapped, dict):
            malformed(f"item {number} is no object")
        data, metrics = wrapped.get("data"), wrapped.get("metrics")
        if isinstance(data, dict) and ("type" in wrapped or "object" in wrapped):
            file_format = "events"
            if wrapped.get("type", "metrics") == "metrics":
                records.append(_stamped(data, wrapped, step=_step_of_message(wrapped.get("message"))))
        elif isinstance(metrics, dict):
            file_format = "checkpoints"
            records.append(_stamped(metrics, wrapped, step=wrapped.get("step_number")))
        elif wrapped.get("object") == "fine_tuning.job.event":
            file_format = "events"
        elif isinstance(wrapped.get("name"), str) and "value" in wrapped:
            records.append({"step": wrapped.get("step"), str(wrapped["name"]): wrapped["value"]})
        else:
            records.append(wrapped)
    if len(items) == 1 and file_format == "points" and not any(plain_name(key) in STEP_NAMES for key in records[0]):
        malformed(f"no training record: a single object without a step (keys: {', '.join(list(records[0])[:8])})")
    records.sort(key=_created_at)
    totals = {total for record in records if (total := _planned(record.get("total_steps"))) is not None}
    if len(totals) > 1:
        notes.append(f"total_steps differs ({', '.join(map(str, sorted(totals)))}): more than one run may be mixed")
    return JsonColumns(
        columns=_columns(records, notes), format=file_format, planned_steps=max(totals) if len(totals) == 1 else None
    )


def _stamped(values: Record, wrapper: Record, step: object) -> Record:
    stamped = {"created_at": wrapper.get("created_at"), **values}
    return stamped if any(key in STEP_NAMES for key in values) or step is None else {**stamped, "step": step}


def _created_at(record: Record) -> float:
    created = record.get("created_at")
    return float(created) if isinstance(created, int | float) else 0.0


def _step_of_message(message: object) -> int | None:
    found = _STEP_IN_MESSAGE.search(message) if isinstance(message, str) else None
    return int(found[1]) if found else None


def _is_keras_history(document: Record) -> bool:
    lists = [value for value in document.values() if isinstance(value, list)]
    return bool(lists) and len(lists) == len(document) and len({len(value) for value in lists}) == 1


def _keras_history(document: Record, notes: list[str]) -> JsonColumns:
    names = list(document)
    lists = [value for value in document.values() if isinstance(value, list)]
    records = [dict(zip(names, values, strict=True)) for values in zip(*lists, strict=True)]
    return JsonColumns(columns=_columns(records, notes), format="columns", planned_steps=None)


def _columns(records: Sequence[Record], notes: list[str]) -> list[RawColumn]:
    """One column a metric, with the steps at which it has a value."""
    rows: dict[str, list[int]] = {}
    values: dict[str, list[float]] = {}
    step_values = np.full(len(records), np.nan)
    step_name = next((name for name in STEP_NAMES if any(name in record for record in records)), None)
    for row, record in enumerate(records):
        for name, value in _numbers(record, row + 1):
            if name == step_name:
                step_values[row] = value
            elif name not in STEP_NAMES and name != "created_at" and not is_bookkeeping(name):
                rows.setdefault(name, []).append(row)
                values.setdefault(name, []).append(value)
    if records:
        require_evidence(canonical_names(list(rows)), list(rows) or [key for record in records[:1] for key in record])
    has_steps = bool(np.isfinite(step_values).any())
    steps = step_numbers(step_values, notes) if has_steps or not records else row_numbers(len(records), notes)
    columns: list[RawColumn] = []
    for name, at in rows.items():
        of_metric = steps[at]
        known = of_metric >= 0
        columns.append(RawColumn(name=name, steps=of_metric[known], values=np.array(values[name])[known]))
    return columns


def _numbers(record: Record, number: int, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, float]]:
    """Every number of a record under its dotted name; counts of several graders are added up (hazards 8)."""
    for key, value in record.items():
        name = prefix + key
        if isinstance(value, bool) or value is None:
            continue
        if isinstance(value, int | float | str):
            try:
                yield name, float(value)
            except (ValueError, OverflowError):
                if name in _KNOWN or name in STEP_NAMES:
                    malformed(f"record {number}: {name!r} is no number: {str(value)[:40]!r}")
        elif isinstance(value, dict) and depth < 4:
            yield from _numbers(value, number, prefix=name + ".", depth=depth + 1)
        elif isinstance(value, list) and name == "errors.graders":
            yield from _error_counts([grader for grader in value if isinstance(grader, dict)])


def _error_counts(graders: list[dict[str, object]]) -> Iterator[tuple[str, float]]:
    for name in ("train_sample_parse_error_count", "train_other_error_count"):
        counts = [count for grader in graders if isinstance(count := grader.get(name), int | float)]
        if counts:
            yield name, float(sum(counts))
