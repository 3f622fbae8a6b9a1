"""Litestar's and msgspec's schema fragments in one plain style."""

import inspect
import json
import re
from typing import Any

import msgspec

from whatnext_service.api.openapi_fields import field_words
from whatnext_service.api.schema_types import PAGES, STRUCTS

Json = dict[str, Any]
_NOISE = {"deprecated": False, "allowEmptyValue": False, "allowReserved": False}
_REF = "#/components/schemas/"


def put_schemas(document: Json, examples: Json) -> Json:
    """Litestar's document with msgspec's schemas, both in one style."""
    _, schemas = msgspec.json.schema_components([*STRUCTS, *PAGES], ref_template=_REF + "{name}")
    tidied: Json = _tidy(json.loads(json.dumps(document, default=msgspec.to_builtins)))
    ours = {_name(key): _tidy(json.loads(json.dumps(value))) for key, value in schemas.items()}
    words = field_words([*STRUCTS, *PAGES])
    closed = {kind.__name__ for kind in STRUCTS if kind.__struct_config__.forbid_unknown_fields}
    for name, schema in ours.items():
        if "properties" not in schema:
            continue
        schema["title"] = name
        schema["description"] = inspect.cleandoc(schema.get("description", ""))
        for field, text in words.get(name, {}).items():
            if "$ref" not in (property := schema["properties"].get(field, {"$ref": ""})):
                property["description"] = text
        if name not in closed and not _leaves_out(name):
            schema["required"] = sorted(schema["properties"])
        if (item := name.removesuffix("Page")) != name and item in examples:
            examples[name] = {"data": [examples[item]], "next_cursor": None}
    used = {_name(key): value for key, value in tidied["components"]["schemas"].items()}
    tidied["components"]["schemas"] = {key: ours.get(key, value) for key, value in sorted({**used, **ours}.items())}
    return tidied


def drop_unused(document: Json) -> None:
    """Drop schemas and examples that nothing refers to."""
    components = document["components"]
    for kind in ("responses", "examples", "schemas"):
        seen: set[str] = set()
        todo = [document["paths"], document["webhooks"], components["responses"]][: 2 if kind == "responses" else 3]
        while todo:
            for ref in re.findall(rf'"#/components/{kind}/([^"]+)"', json.dumps(todo.pop())):
                if ref not in seen:
                    seen.add(ref)
                    todo.append(components[kind][ref])
        components[kind] = {key: value for key, value in components[kind].items() if key in seen}


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
    if node.get("type") == "array" and not {"items", "prefixItems"} & set(node):
        node["items"] = {}
    if "headers" in node and not node["headers"]:
        del node["headers"]
    return node
