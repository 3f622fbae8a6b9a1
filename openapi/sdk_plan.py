"""What each resource of the SDK offers: one method an operation, planned from the document."""

import ast
import itertools
import re
import textwrap
from typing import Any

from sdk_examples import example_call, repr_of
from sdk_models import WIDTH, is_page, modelled, operations, prose

JSON = "application/json"
EVENTS = "text/event-stream"
SUFFIXES = {
    "text/markdown": "markdown",
    "text/csv": "csv",
    "image/svg+xml": "svg",
    "image/png": "png",
    EVENTS: "stream",
}
UPLOADS = ("application/jsonl", "application/octet-stream")
SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
BOUND = {"m.Loop": "AsyncLoop"}
"""Models whose objects can act."""
BY_HAND = {"loops": "AsyncLoopsByHand", "runs": "AsyncRunsByHand", "evaluations": "AsyncEvaluationsByHand"}
"""Resources with hand-written methods besides."""
WAITING = frozenset({"wait", "If-None-Match"})
"""Parameters of long polling: the hand-written `wait` methods use them."""
RESUMING = "Last-Event-ID"
"""Sent by a stream that was cut off, never by its caller."""
PAGING = frozenset({"limit", "cursor"})
UPLOADED = (
    {"name": "file", "about": "A path, the bytes, a file opened for bytes, or an iterable of chunks."},
    {"name": "on_progress", "about": "Called with the bytes sent so far, and the size where it is known."},
)


def plan(doc: dict[str, Any], models: str, parameters: str) -> list[dict[str, Any]]:
    """The resources in alphabetical order, each with its methods; `list` comes last, it hides the builtin."""
    structs = modelled(doc)
    typed = {node.name: node for node in ast.parse(parameters).body if isinstance(node, ast.ClassDef)}
    resources: dict[str, list[dict[str, Any]]] = {}
    for path, verb, operation in operations(doc):
        resource, name = operation["operationId"].split(".")
        made = _methods(doc, path, verb, operation, typed, structs)
        for each in made:
            each["name"] = "stream" if (name, each["kind"]) == ("list", "stream") else name + each["suffix"]
            each["wait_name"] = "wait_changed" if name == "get" else f"wait_{each['name']}"
            each["example"] = example_call(doc, operation, f"client.{resource}.{each['name']}", each)
            resources.setdefault(resource, []).append(each)
    about = {tag["name"]: tag.get("description", "") for tag in doc.get("tags", ())}
    return [
        {
            "name": name,
            "class": "Async" + "".join(part.capitalize() for part in name.split("_")),
            "by_hand": BY_HAND.get(name),
            "about": about.get(name) or f"The operations on {name.replace('_', ' ')}.",
            "methods": sorted(methods, key=lambda each: (each["name"] == "list", each["name"])),
        }
        for name, methods in sorted(resources.items())
    ]


def _methods(
    doc: dict[str, Any], path: str, verb: str, operation: dict[str, Any], typed: dict[str, Any], structs: set[str]
) -> list[dict[str, Any]]:
    """One method for JSON, and one for each other media type of the answer."""
    answer = next((each for status, each in sorted(operation["responses"].items()) if status.startswith("2")), {})
    content = answer.get("content", {})
    parameters = [each for each in operation.get("parameters", ()) if each["name"] != "Idempotency-Key"]
    if "304" in operation["responses"]:
        parameters = [each for each in parameters if each["name"] not in WAITING]
    if EVENTS in content:
        parameters = [each for each in parameters if each["name"] != RESUMING]
    body = operation.get("requestBody", {}).get("content", {})
    upload = next((media for media in UPLOADS if media in body and JSON not in body), None)
    schema_name = body[JSON]["schema"]["$ref"].rsplit("/", 1)[1] if JSON in body else None
    shared = {
        "verb": verb.upper(),
        "path": path,
        "refs": [_snake(each["name"]) for each in parameters if each["in"] == "path"],
        "query": [_parameter(each) for each in parameters if each["in"] == "query"],
        "headers": [_parameter(each) for each in parameters if each["in"] == "header"],
        "idempotent": any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", ())),
        "body": [] if schema_name is None else _fields(typed[schema_name], typed, structs),
        "has_body": schema_name is not None,
        "upload": upload,
    }
    shared["required"] = [each for each in shared["query"] + shared["body"] if each["required"]]
    made = []
    for media in sorted(content, key=lambda each: (each != JSON, each)):
        kind, result = _answer(doc, media, content)
        suffix = f"_{SUFFIXES[media]}" if media in SUFFIXES and JSON in content else ""
        bound = BOUND.get(result, result)
        query = [each for each in shared["query"] if kind != "stream" or each["name"] not in PAGING]
        waits = kind == "call" and "304" in operation["responses"]
        explained = [*shared["body"], *query, *shared["headers"], *(UPLOADED if upload else ())]
        mine = {"query": query, "waits": waits, "media": media, "kind": kind, "result": bound, "suffix": suffix}
        made.append({**shared, **mine, "doc": _doc(operation, explained)})
    return made


def _answer(doc: dict[str, Any], media: str, content: dict[str, Any]) -> tuple[str, str]:
    if media == EVENTS:
        return "stream", _answer(doc, JSON, content)[1]
    if media.startswith("text/"):
        return "text", "str"
    if media.startswith("image/"):
        return "content", "bytes"
    if media != JSON:
        return "download", "bytes"
    name = content[media]["schema"]["$ref"].rsplit("/", 1)[1]
    schema = doc["components"]["schemas"][name]
    if is_page(schema):
        return "pages", f"m.{schema['properties']['data']['items']['$ref'].rsplit('/', 1)[1]}"
    return "call", f"m.{name}"


def _doc(operation: dict[str, Any], parameters: list[dict[str, Any]]) -> str:
    """What a method does, and what its parameters are where their names do not say it."""
    text = prose(operation.get("description") or operation.get("summary", ""), " " * 8).rstrip()
    lines = [
        textwrap.fill(f"{each['name']}: {' '.join(each['about'].split())}", WIDTH,
                      initial_indent=" " * 12, subsequent_indent=" " * 16)
        for each in parameters if each["about"] and each["name"] not in PAGING
    ]  # fmt: skip
    return "\n".join([text, "", "        Args:", *lines]) if lines else text


def _snake(name: str) -> str:
    return re.sub(r"\W", "_", name).lower()


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    name, schema = _snake(parameter["name"]), parameter["schema"]
    return {
        "name": name,
        "wire": parameter["name"],
        "type": "int | str" if name == "if_match" else _parameter_type(schema),
        "required": parameter.get("required", False),
        "about": parameter.get("description", ""),
    }


def _parameter_type(schema: dict[str, Any]) -> str:
    """The Python type of a parameter; null means to leave it out, which every optional one may be."""
    if "anyOf" in schema:
        return " | ".join(_parameter_type(each) for each in schema["anyOf"] if each != {"type": "null"})
    if "enum" in schema:
        return f"Literal[{', '.join(repr_of(each) for each in schema['enum'] if each is not None)}]"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " | ".join("str | Sequence[str]" if kind == "array" else SCALARS[kind] for kind in kinds if kind != "null")


def _fields(node: ast.ClassDef, typed: dict[str, Any], structs: set[str]) -> list[dict[str, Any]]:
    """A request's fields as keyword parameters: what is required first."""
    found = []
    for each, below in itertools.zip_longest(node.body, node.body[1:]):
        if not (isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)):
            continue
        annotation = each.annotation
        required = True
        if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "NotRequired":
            annotation, required = annotation.slice, False
        text = ast.unparse(_Qualified(typed, structs).visit(annotation))
        about = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
        found.append({"name": each.target.id, "type": text, "required": required, "about": about})
    return sorted(found, key=lambda each: not each["required"])


class _Qualified(ast.NodeTransformer):
    """Names of parameter types become `p.X`, or `m.X | p.X` where a model may be sent too; lists any sequence."""

    def __init__(self, typed: dict[str, Any], structs: set[str]) -> None:
        self._typed = typed
        self._structs = structs

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id == "list":
            return ast.Name("Sequence")
        if node.id not in self._typed:
            return node
        both = f"m.{node.id} | p.{node.id}" if node.id in self._structs else f"p.{node.id}"
        return ast.parse(both, mode="eval").body
