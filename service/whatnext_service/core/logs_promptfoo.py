"""promptfoo's results: one entry for each test, prompt and provider."""

import json

from whatnext_service.core.json_values import JsonObject, JsonValue
from whatnext_service.core.log_entries import EvaluationLog, LogEntry, asked_texts, number, refused, text_of, whole

FAILED_TO_RUN = 2
"""`failureReason` of a test that gave an error and no answer; 1 is an assertion that did not hold."""


def read_promptfoo(results: list[JsonValue], score: str | None, variant: str | None) -> EvaluationLog:
    """The results of one provider and prompt; a test that gave an error has no score."""
    rows = [(place, row) for place, row in enumerate(results, start=1) if isinstance(row, dict)]
    variants = tuple(dict.fromkeys(_variant(row) for _, row in rows))
    kept = rows
    if variant is not None:
        kept = [(place, row) for place, row in rows if variant in _names(row)]
    if variant is not None and not kept:
        raise refused(f"the file has no variant {variant!r}; it has {', '.join(variants[:20])}")
    if len({_variant(row) for _, row in kept}) > 1:
        raise refused(f"name one provider and prompt with `variant`: {', '.join(variants[:20])}")
    if score is not None and not any(score in _mapping(row.get("namedScores")) for _, row in kept):
        raise refused(f"no result has a score named {score!r}")
    entries = []
    for place, row in kept:
        value = _score(row, score)
        prompt, response = _mapping(row.get("prompt")), _mapping(row.get("response"))
        said = tuple(each for each in _vars(row).values() if isinstance(each, str))
        entries.append(
            LogEntry(
                row=place,
                index=whole(row.get("testIdx")),
                texts=(*said, *_raw_texts(prompt.get("raw"))),
                score=value,
                output=text_of(response.get("output")),
                completion_tokens=whole(_mapping(response.get("tokenUsage")).get("completion")),
                error=None if value is not None else _why(row, response),
            )
        )
    return EvaluationLog(format="promptfoo", scorer=score or "score", low=0.0, high=1.0, entries=tuple(entries))


def _score(row: JsonObject, name: str | None) -> float | None:
    if row.get("failureReason") == FAILED_TO_RUN or (row.get("error") and not row.get("response")):
        return None
    if name is not None:
        return number(_mapping(row.get("namedScores")).get(name))
    value = number(row.get("score"))
    return number(_mapping(row.get("gradingResult")).get("score")) if value is None else value


def _names(row: JsonObject) -> tuple[str, ...]:
    provider, prompt = row.get("provider"), _mapping(row.get("prompt"))
    names = [provider] if isinstance(provider, str) else [*_mapping(provider).values()]
    return (_variant(row), *(each for each in (*names, prompt.get("label")) if isinstance(each, str)))


def _variant(row: JsonObject) -> str:
    provider = row.get("provider")
    named = provider if isinstance(provider, str) else _mapping(provider).get("id")
    return f"{named or 'provider'}#{whole(row.get('promptIdx')) or 0}"


def _vars(row: JsonObject) -> JsonObject:
    return _mapping(row.get("vars")) or _mapping(_mapping(row.get("testCase")).get("vars"))


def _raw_texts(raw: JsonValue) -> tuple[str, ...]:
    """A prompt's text; a chat prompt is a text that holds JSON."""
    if not isinstance(raw, str):
        return ()
    if raw.lstrip().startswith("["):
        try:
            return (raw, *asked_texts(json.loads(raw)))
        except (ValueError, RecursionError):
            return (raw,)
    return (raw,)


def _why(row: JsonObject, response: JsonObject) -> str:
    error = row.get("error") or response.get("error")
    return error[:500] if isinstance(error, str) else "no_score"


def _mapping(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
