"""inspect_ai's log as JSON: `samples`, each with its `scores` by scorer."""

from whatnext_service.core.json_values import JsonObject, JsonValue
from whatnext_service.core.log_entries import EvaluationLog, LogEntry, asked_texts, chosen, number, text_of, whole

LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
"""Correct, partially correct, incorrect, no answer, as inspect_ai's own metrics count them."""
WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}


def read_inspect(samples: list[JsonValue], score: str | None) -> EvaluationLog:
    """Every sample of every epoch; a sample that failed has no score."""
    rows = [sample for sample in samples if isinstance(sample, dict)]
    names = tuple(dict.fromkeys(name for row in rows for name in _flat(_scores(row))))
    scorer = chosen(names, score, "scorer")
    ids = [row.get("id") for row in rows]
    first = 0 if 0 in ids else 1
    entries = []
    for place, row in enumerate(rows, start=1):
        found = _flat(_scores(row)).get(scorer)
        value = _value(found)
        id_ = row.get("id")
        entries.append(
            LogEntry(
                row=place,
                index=id_ - first if isinstance(id_, int) else None,
                texts=asked_texts(row.get("input")),
                score=value,
                output=_output(row),
                completion_tokens=_tokens(row),
                error=None if value is not None else _why(row),
            )
        )
    return EvaluationLog(format="inspect_ai", scorer=scorer, low=0.0, high=1.0, entries=tuple(entries))


def _scores(row: JsonObject) -> JsonObject:
    scores = row.get("scores")
    if isinstance(scores, dict):
        return scores
    return {"score": row["score"]} if isinstance(row.get("score"), dict) else {}


def _flat(scores: JsonObject) -> JsonObject:
    """Values by scorer; a scorer that gives several is named with each, as `scorer.key`."""
    values: JsonObject = {}
    for name, given in scores.items():
        value = given.get("value") if isinstance(given, dict) else given
        if isinstance(value, dict):
            values.update({f"{name}.{key}": each for key, each in value.items()})
        else:
            values[name] = value
    return values


def _value(value: JsonValue) -> float | None:
    if isinstance(value, str):
        if value in LETTERS:
            return LETTERS[value]
        if value.lower() in WORDS:
            return WORDS[value.lower()]
        try:
            return number(float(value))
        except ValueError:
            return None
    return number(value)


def _output(row: JsonObject) -> str | None:
    output = row.get("output")
    if not isinstance(output, dict):
        return None
    if isinstance(output.get("completion"), str) and output["completion"]:
        return text_of(output["completion"])
    choices = output.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    texts = asked_texts([{**message, "role": "user"}]) if isinstance(message, dict) else ()
    return text_of(texts[0]) if texts else None


def _tokens(row: JsonObject) -> int | None:
    output = row.get("output")
    usage = output.get("usage") if isinstance(output, dict) else None
    return whole(usage.get("output_tokens")) if isinstance(usage, dict) else None


def _why(row: JsonObject) -> str:
    error = row.get("error")
    message = error.get("message") if isinstance(error, dict) else error
    return message[:500] if isinstance(message, str) else "no_score"
