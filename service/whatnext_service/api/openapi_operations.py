"""One operation of the document: its words, scope, media types, headers, examples and problems."""

import re
from typing import Any, Literal

import msgspec

from whatnext_service.api.openapi_errors import SHARED, codes_of, statuses_of
from whatnext_service.api.problem import KINDS
from whatnext_service.api.problem import MEDIA_TYPE as PROBLEM

Json = dict[str, Any]
_REF = "#/components/schemas/"
_BINARY = {"type": "string", "format": "binary"}
_TEXT = {"type": "string"}
TAGGED = ("dataset_versions.content", "runs.metrics")
"""Answers without a version whose tag names their content."""


class Facts(msgspec.Struct, kw_only=True, frozen=True):
    """What a handler says about itself beyond what its signature shows."""

    scope: Literal["read", "write", "admin"] | None
    """Null: the operation is open to everyone."""
    upload: str | None
    """The media type of a body that is taken as it comes."""
    also: tuple[str, ...]
    """Media types of the answer beside the first."""
    strict: bool
    """Whether it refuses parameters that it does not know."""
    found: str | None
    """When a POST answers 200 with something that was there already."""


COMPONENTS: Json = {
    "headers": {
        "ETag": {
            "description": "The version, in quotes, for If-Match and If-None-Match.",
            "required": True,
            "schema": {"type": "string", "examples": ['"3"']},
        },
        "Idempotent-Replayed": {
            "description": "`true` when it is the stored answer to an earlier request with the same Idempotency-Key.",
            "schema": {"type": "string", "const": "true"},
        },
        "Retry-After": {
            "description": "Seconds after which to try again; an answer that has it may be asked for again.",
            "schema": {"type": "integer", "minimum": 0, "examples": [1]},
        },
        "X-Request-Id": {
            "description": "Names the request, in errors and in the service's log: the one sent, or one made for it.",
            "required": True,
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$", "examples": ["req_5f0a3c1e9b7d42c68a10"]},
        },
    }
}


def complete(method: str, operation: Json, facts: Facts, schemas: Json, examples: Json) -> None:
    """Say in the document what the handler does by hand."""
    lines = operation.get("description", "").strip()
    operation["description"] = lines
    operation["summary"] = re.split(r"\.(?:\s|$)|[:;] |(?<=\?) ", lines)[0] or operation["operationId"]
    _secure(operation, facts)
    for parameter in operation.setdefault("parameters", []):
        parameter["schema"] = _without_null(parameter["schema"])
        parameter["schema"].pop("description", None)
        if parameter["in"] == "query" and parameter["schema"].get("type") == "array":
            parameter |= {"style": "form", "explode": True}
    _complete_body(operation, facts, examples)
    _complete_answers(method, operation, facts, schemas, examples)


def _secure(operation: Json, facts: Facts) -> None:
    operation["security"] = [{"api_key": []}] if facts.scope else []
    if facts.scope:
        operation["x-required-scope"] = facts.scope


def _complete_body(operation: Json, facts: Facts, examples: Json) -> None:
    if facts.upload:
        form = {"type": "object", "required": ["file"], "properties": {"file": _BINARY}}
        media: Json = {"schema": _BINARY}
        operation["requestBody"] = {
            "required": True,
            "description": "The file as it is, or as the part `file` of a form.",
            "content": {facts.upload: media, "multipart/form-data": {"schema": form}},
        }
    for media in operation.get("requestBody", {}).get("content", {}).values():
        _add_example(media, examples)


def _complete_answers(method: str, operation: Json, facts: Facts, schemas: Json, examples: Json) -> None:
    answers = operation["responses"]
    parameters = {parameter["name"] for parameter in operation.get("parameters", ())}
    success = next(status for status in answers if status.startswith("2"))
    name = _add_successes(operation, success, facts, schemas, examples)
    headers = {"X-Request-Id": _header("X-Request-Id")}
    if _is_versioned(schemas.get(name, {})) or operation["operationId"] in TAGGED:
        headers["ETag"] = _header("ETag")
    if "If-None-Match" in parameters:
        answers["304"] = {"description": "It is still the version that If-None-Match names.", "headers": headers}
    if "Idempotency-Key" in parameters:
        headers = headers | {"Idempotent-Replayed": _header("Idempotent-Replayed")}
    answers[success]["headers"] = headers
    if facts.found:
        answers["200"] = answers[success] | {"description": facts.found}
    drop = set() if facts.scope else {"401", "403", "429"}
    drop |= set() if parameters or "requestBody" in operation or facts.strict else {"400"}
    refusals = {int(status) for status in answers if status >= "400"} | statuses_of(method, operation)
    answers |= {str(status): _problem(method, status, operation, facts) for status in sorted(refusals)}
    for status in drop & set(answers):
        del answers[status]
    operation["responses"] = dict(sorted(answers.items()))


def _add_successes(operation: Json, status: str, facts: Facts, schemas: Json, examples: Json) -> str:
    """Describe the answer that was hoped for; returns the name of its schema."""
    answer = operation["responses"][status]
    first = next(iter(answer["content"].values()))
    name = str(first["schema"].get("$ref", "")).removeprefix(_REF)
    about = schemas.get(name, {}).get("description", operation["summary"] + ".")
    answer["description"] = re.split(r"(?<=\.)\s|\n\n", about)[0]
    for media in facts.also:
        answer["content"][media] = {"schema": dict(_BINARY if media.startswith("image/png") else _TEXT)}
    for kind, media in answer["content"].items():
        _add_example(media, examples, f"{name}.{kind.split('/')[1]}")
    return name


def _problem(method: str, status: int, operation: Json, facts: Facts) -> Json:
    """The answer for a status, shared by all operations for which it means the same."""
    codes = codes_of(method, operation, status)
    if status == 403:
        return {"$ref": f"#/components/responses/forbidden.{facts.scope}"}
    if len(codes) == 1 and codes[0] in SHARED:
        return {"$ref": f"#/components/responses/{codes[0]}"}
    return _problem_answer("\n".join(f"- `{code}`: {KINDS[code].title}." for code in codes), codes)


def shared_problems() -> Json:
    """The answers that mean the same for every operation."""
    scopes = ("read", "write", "admin")
    forbidden = {
        f"forbidden.{scope}": _problem_answer(f"`forbidden`: the key lacks the scope `{scope}`.", ["forbidden"])
        for scope in scopes
    }
    return forbidden | {
        code: _problem_answer(f"`{code}`: {KINDS[code].explanation}", [code]) for code in sorted(SHARED)
    }


def _problem_answer(description: str, codes: list[str]) -> Json:
    headers = {"X-Request-Id": _header("X-Request-Id")}
    if any(KINDS[code].retry_after_s is not None for code in codes):
        headers["Retry-After"] = _header("Retry-After")
    return {
        "description": description,
        "headers": headers,
        "content": {
            PROBLEM: {
                "schema": {"$ref": _REF + "Problem"},
                "examples": {code: {"$ref": f"#/components/examples/problem.{code}"} for code in codes},
            }
        },
    }


def _add_example(media: Json, examples: Json, other: str = "") -> None:
    name = str(media["schema"].get("$ref", "")).removeprefix(_REF) or other
    if name in examples:
        media["examples"] = {"recorded": {"$ref": f"#/components/examples/{name}"}}


def _header(name: str) -> Json:
    return {"$ref": f"#/components/headers/{name}"}


def _is_versioned(schema: Json) -> bool:
    """Whether `Call` sends an ETag with it: it has a version, or is the answer to what is next."""
    properties = schema.get("properties", {})
    return properties.get("version", {}).get("type") == "integer" or {"state_version", "action"} <= set(properties)


def _without_null(schema: Json) -> Json:
    """A parameter may be absent, never null."""
    options = schema.get("oneOf") or schema.get("anyOf")
    if not options or {"type": "null"} not in options:
        return schema
    rest = [each for each in options if each != {"type": "null"}]
    kept = {key: value for key, value in schema.items() if key not in ("oneOf", "anyOf")}
    return {**kept, **rest[0]} if len(rest) == 1 else {**kept, "anyOf": rest}
