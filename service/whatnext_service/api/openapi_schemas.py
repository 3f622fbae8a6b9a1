"""Litestar's and msgspec's schema fragments in one plain style."""

import json
import re
from typing import Any

import msgspec

from whatnext_service.api.schema_types import PAGES, STRUCTS

Json = dict[str, Any]
_NOISE = {"deprecated": False, "allowEmptyValue": False, "allowReserved": False}
_REF = "#/components/schemas/"


def polish(document: Json, scopes: dict[str, str], uploads: dict[str, str], also: dict[str, tuple[str, ...]]) -> Json:
    """Put msgspec's schemas under Litestar's paths, and say what handlers do by hand: uploads, other media, scopes."""
    _, schemas = msgspec.json.schema_components([*STRUCTS, *PAGES], ref_template=_REF + "{name}")
    tidied: Json = _tidy(json.loads(json.dumps(document)))
    ours = {_name(key): _tidy(json.loads(json.dumps(value))) for key, value in schemas.items()}
    closed = {kind.__name__ for kind in STRUCTS if kind.__struct_config__.forbid_unknown_fields}
    for name, schema in ours.items():
        if "properties" not in schema:
            continue
        schema["title"] = name
        if name not in closed and not _leaves_out(name):
            schema["required"] = sorted(schema["properties"])
    used = {_name(key): value for key, value in tidied["components"]["schemas"].items()}
    tidied["components"]["schemas"] = {key: ours.get(key, value) for key, value in sorted({**used, **ours}.items())}
    for path, item in tidied["paths"].items():
        for method, operation in item.items():
            _polish_operation(path, method, operation, scopes, uploads, also)
    tidied["paths"] = dict(sorted(tidied["paths"].items()))
    return _reachable(tidied)


def _polish_operation(
    path: str,
    method: str,
    operation: Json,
    scopes: dict[str, str],
    uploads: dict[str, str],
    also: dict[str, tuple[str, ...]],
) -> None:
    name = operation["operationId"]
    description = operation.get("description", "")
    operation["summary"] = description.split("\n")[0].split(". ")[0].rstrip(".") or name
    if name in scopes:
        operation["security"] = [{"api_key": [scopes[name]]}]
    if operation.get("security") == [{}]:
        operation["security"] = []
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
    if name in uploads:
        binary = {"schema": {"type": "string", "format": "binary"}}
        form = {
            "type": "object",
            "required": ["file"],
            "properties": {"file": {"type": "string", "format": "binary"}},
        }
        operation["requestBody"] = {
            "required": True,
            "content": {uploads[name]: binary, "multipart/form-data": {"schema": form}},
        }
    for status, answer in operation["responses"].items():
        if status.startswith("2") and name in also:
            answer["content"].update({media: {"schema": {"type": "string"}} for media in also[name]})
    if any(parameter["name"] == "If-None-Match" for parameter in operation.get("parameters", ())):
        operation["responses"]["304"] = {"description": "Nothing has moved.", "headers": {}}
        del operation["responses"]["304"]["headers"]
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _leaves_out(name: str) -> bool:
    """Structs whose absent fields are not sent: the literal request that an answer names."""
    return name in {"RequestBody", "Overrides", "DeriveOperation"}


def _name(key: str) -> str:
    """`Page_whatnext_service.contract.runs.Run_` is `RunPage`."""
    if page := re.fullmatch(r"Page_(?:.*\.)?(\w+?)_", key):
        return f"{page[1]}Page"
    return key.rsplit(".", 1)[-1]


def _tidy(node: Any) -> Any:
    if isinstance(node, list):
        return [_tidy(each) for each in node]
    if not isinstance(node, dict):
        return node
    node = {key: _tidy(value) for key, value in node.items() if not (key in _NOISE and value is _NOISE[key])}
    if isinstance(ref := node.get("$ref"), str) and ref.startswith(_REF):
        node["$ref"] = _REF + _name(ref.removeprefix(_REF))
    if isinstance(enum := node.get("enum"), list):
        if "type" not in node and all(isinstance(value, str) for value in enum):
            node["type"] = "string"
        if len(enum) == 1:
            node["const"] = node.pop("enum")[0]
    for bound in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        if isinstance(node.get(bound), float) and node[bound].is_integer():
            node[bound] = int(node[bound])
    if "headers" in node and not node["headers"]:
        del node["headers"]
    return node


def _without_null(schema: Json) -> Json:
    """A parameter may be absent, never null."""
    options = schema.get("oneOf") or schema.get("anyOf")
    if not options or {"type": "null"} not in options:
        return schema
    rest = [each for each in options if each != {"type": "null"}]
    kept = {key: value for key, value in schema.items() if key not in ("oneOf", "anyOf")}
    return {**kept, **rest[0]} if len(rest) == 1 else {**kept, "anyOf": rest}


def _reachable(document: Json) -> Json:
    """Drop schemas that nothing refers to."""
    schemas = document["components"]["schemas"]
    seen: set[str] = set()
    todo = [document["paths"]]
    while todo:
        for ref in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(todo.pop())):
            if ref not in seen:
                seen.add(ref)
                todo.append(schemas[ref])
    document["components"]["schemas"] = {key: value for key, value in schemas.items() if key in seen}
    return document
