"""lm-evaluation-harness's logged samples: one row a document and filter, with the metrics as fields."""

from whatnext_service.core.json_values import JsonObject, JsonValue
from whatnext_service.core.log_entries import EvaluationLog, LogEntry, chosen, number, refused, text_of, whole

_NO_METRICS = frozenset(
    {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash", "prompt_hash"}
    | {"target_hash", "task", "task_name", "token_counts"}
)


def read_lm_eval(tasks: JsonObject, score: str | None) -> EvaluationLog:
    """One task's rows; `score` is the metric, `metric,filter` where samples were filtered in several ways, with
    `task:` before it where the file holds several tasks."""
    task, metric = _task(tasks, score)
    given = tasks[task]
    rows = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
    filters = tuple(dict.fromkeys(str(row.get("filter", "none")) for row in rows))
    names = tuple(dict.fromkeys(name for row in rows for name in _metrics(row)))
    if len(filters) > 1:
        names = tuple(f"{name},{each}" for name in names for each in filters)
    scorer = chosen(names, metric, "metric")
    name, _, wanted = scorer.partition(",") if len(filters) > 1 else (scorer, "", "")
    entries = []
    for place, row in enumerate(rows, start=1):
        if wanted and row.get("filter") != wanted:
            continue
        value = number(row.get(name))
        entries.append(
            LogEntry(
                row=place,
                index=whole(row.get("doc_id")),
                texts=_texts(row),
                score=value,
                output=text_of(_first(row.get("filtered_resps"))),
                error=None if value is not None else "no_score",
            )
        )
    named = f"{task}:{scorer}" if task else scorer
    return EvaluationLog(format="lm_eval", scorer=named, low=0.0, high=1.0, entries=tuple(entries))


def _task(tasks: JsonObject, score: str | None) -> tuple[str, str | None]:
    if len(tasks) == 1:
        (only,) = tasks
        return only, score.removeprefix(f"{only}:") if score and only else score
    task, colon, metric = (score or "").partition(":")
    if task not in tasks:
        raise refused(f"name one task with `score` as task:metric: {', '.join(sorted(tasks)[:20])}")
    return task, metric if colon else None


def _metrics(row: JsonObject) -> tuple[str, ...]:
    listed = row.get("metrics")
    if isinstance(listed, list):
        return tuple(name for name in listed if isinstance(name, str))
    return tuple(name for name, value in row.items() if name not in _NO_METRICS and number(value) is not None)


def _texts(row: JsonObject) -> tuple[str, ...]:
    """The document's own fields, and the prompts that were made of it."""
    doc = row.get("doc")
    fields = [value for value in doc.values() if isinstance(value, str)] if isinstance(doc, dict) else []
    return tuple(dict.fromkeys([*fields, *_strings(row.get("arguments"), 3)]))


def _strings(value: JsonValue, depth: int) -> list[str]:
    if isinstance(value, str):
        return [value]
    if depth == 0:
        return []
    if isinstance(value, dict):
        value = list(value.values())
    return [text for each in value for text in _strings(each, depth - 1)] if isinstance(value, list) else []


def _first(value: JsonValue) -> JsonValue:
    while isinstance(value, list):
        value = value[0] if value else None
    return value
