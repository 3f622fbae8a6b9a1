"""Item scores from outside: logs of inspect_ai, promptfoo and lm-evaluation-harness, and plain CSV."""

import json
from typing import cast

from whatnext_service.core.json_values import JsonObject, JsonValue
from whatnext_service.core.log_entries import EvaluationLog, refused
from whatnext_service.core.logs_csv import read_csv
from whatnext_service.core.logs_inspect import read_inspect
from whatnext_service.core.logs_lm_eval import read_lm_eval
from whatnext_service.core.logs_promptfoo import read_promptfoo

KNOWN = "an inspect_ai log (JSON), promptfoo results (JSON, JSONL), lm-eval samples (JSON, JSONL) or a CSV of scores"


def read_evaluation_log(body: bytes, *, score: str | None = None, variant: str | None = None) -> EvaluationLog:
    """Read a log in whatever known format it is; raises `DomainError("invalid_evaluation_log")`.

    `score` names the scorer, metric or column where there are several; `variant` the provider of a promptfoo matrix.
    """
    if body.startswith(b"PK\x03\x04"):
        raise refused("this is a packed log; write it as JSON first (`inspect log convert --to json`)")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(f"the file is not UTF-8 text: {error}") from error
    if not text.strip():
        raise refused("the file is empty")
    if text.lstrip()[0] not in "{[":
        return read_csv(text, score)
    document = _json(text)
    if isinstance(document, list):
        return _rows(document, score, variant)
    samples, results = document.get("samples"), document.get("results")
    if isinstance(samples, list) and ("eval" in document or "version" in document):
        return read_inspect(samples, score)
    if isinstance(samples, dict):
        return read_lm_eval(samples, score)
    if isinstance(results, dict) and isinstance(results.get("results"), list):
        return read_promptfoo(cast(list[JsonValue], results["results"]), score, variant)
    if isinstance(results, list):
        return read_promptfoo(results, score, variant)
    if isinstance(results, dict) and "eval" not in document:
        raise refused("the results hold no samples; run lm-eval with --log_samples")
    if "eval" in document:
        raise refused("the log holds no samples; write it with them")
    return _rows([document], score, variant)


def _rows(rows: list[JsonValue], score: str | None, variant: str | None) -> EvaluationLog:
    first = rows[0] if rows else None
    if isinstance(first, dict) and "doc_id" in first:
        return read_lm_eval({"": rows}, score)
    if isinstance(first, dict) and ({"testIdx", "gradingResult", "testCase"} & first.keys()):
        return read_promptfoo(rows, score, variant)
    raise refused(f"the file is none of those that are read: {KNOWN}")


def _json(text: str) -> JsonObject | list[JsonValue]:
    """One JSON document, or one a line. Tools write NaN and infinity; both are no score."""
    try:
        whole: JsonValue = json.loads(text, parse_constant=lambda _: None)
    except RecursionError as error:
        raise refused("the JSON is nested too deeply") from error
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise refused(f"the file is not JSON: {error}") from error
        return [_line(number, line) for number, line in enumerate(lines, start=1)]
    if isinstance(whole, dict | list):
        return whole
    raise refused(f"the file is none of those that are read: {KNOWN}")


def _line(number: int, line: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise refused(f"line {number} is not JSON: {error}") from error
    return value
