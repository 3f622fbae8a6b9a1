"""The SDK's models and parameter types, by datamodel-code-generator from a simplified document."""

import ast
import inspect
import json
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

WIDTH = 120
REF = "#/components/schemas/"
LITERAL = "RequestBody"
"""The body of a call that an answer names: sent as it came, so it is not modelled."""
CONSTRAINTS = frozenset(
    {
        "additionalProperties", "default", "description", "examples", "exclusiveMaximum", "exclusiveMinimum",
        "maxItems", "maxLength", "maximum", "minItems", "minLength", "minProperties", "maxProperties", "minimum",
        "multipleOf", "pattern", "uniqueItems",
    }
)  # fmt: skip
"""What the service checks, and an older client must not."""
COMMON = (
    "--input-file-type", "openapi", "--target-python-version", "3.11", "--use-union-operator",
    "--use-standard-collections", "--use-schema-description", "--use-single-line-docstring", "--use-double-quotes",
    "--enum-field-as-literal", "all", "--output-datetime-class", "datetime", "--keyword-only", "--disable-timestamp",
    "--formatters", "builtin",
)  # fmt: skip


def resolved(doc: dict[str, Any]) -> dict[str, Any]:
    """The document with shared parameters, request bodies and responses in their places; schemas stay by name."""

    def put(node: Any) -> Any:
        if isinstance(node, list):
            return [put(each) for each in node]
        if not isinstance(node, dict):
            return node
        section, _, name = str(node.get("$ref", "")).removeprefix("#/components/").partition("/")
        if section in ("parameters", "requestBodies", "responses", "headers", "examples"):
            return put(doc["components"][section][name])
        return {key: put(each) for key, each in node.items()}

    return {**doc, "paths": put(doc["paths"])}


def operations(doc: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every operation with its path and method."""
    methods = ("get", "put", "post", "patch", "delete")
    return [(path, m, item[m]) for path, item in sorted(doc["paths"].items()) for m in methods if m in item]


def answered(doc: dict[str, Any]) -> set[str]:
    """Names of the schemas that successful answers are made of, page wrappers apart."""
    roots: set[str] = set()
    for _, _, operation in operations(doc):
        for status, response in operation["responses"].items():
            if status.startswith("2"):
                roots |= references(response)
    return {name for name in reach(doc, roots) if not is_page(doc["components"]["schemas"][name])}


def sent(doc: dict[str, Any]) -> set[str]:
    """Names of the schemas that request bodies are made of."""
    return reach(doc, {name for _, _, each in operations(doc) for name in references(each.get("requestBody", {}))})


def modelled(doc: dict[str, Any]) -> set[str]:
    """Names of the schemas that become models: what is answered, and the parts of requests.

    A part of a PATCH is a plain dict only, because there null and absent differ.
    """
    schemas = doc["components"]["schemas"]
    bodies = {name for _, _, each in operations(doc) for name in references(each.get("requestBody", {}))}
    parts = {name for name in sent(doc) - bodies if all(_defaulted(schemas[name]))}
    return (answered(doc) | parts) - {LITERAL}


def _defaulted(schema: dict[str, Any]) -> Iterable[bool]:
    required = schema.get("required", ())
    return ("default" in each for name, each in schema.get("properties", {}).items() if name not in required)


def is_page(schema: dict[str, Any]) -> bool:
    """Whether a schema is one page of a list."""
    return set(schema.get("properties", {})) == {"data", "next_cursor"}


def reach(doc: dict[str, Any], roots: Iterable[str]) -> set[str]:
    """The schemas that are reached from these."""
    found: set[str] = set()
    todo = sorted(roots)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += sorted(references(doc["components"]["schemas"][name]) - found) if name != LITERAL else []
    return found


def references(node: Any) -> set[str]:
    """Names of the schemas that a part of the document refers to."""
    return set(re.findall(rf'"\$ref": "{REF}([^"]+)"', json.dumps(node)))


def model_source(doc: dict[str, Any], header: str) -> str:
    """`models.py`: a Struct for each schema of an answer, tolerant of what older and newer services send."""
    names = modelled(doc)
    both = names & sent(doc)
    schemas = {name: _tolerant(doc["components"]["schemas"][name], name in both) for name in sorted(names)}
    bases = json.dumps(dict.fromkeys(sorted(both), "whatnext._model.Sent"))
    source = _generate(
        schemas,
        "msgspec.Struct",
        "--base-class",
        "whatnext._model.Model",
        "--base-class-map",
        bases,
        "--frozen-dataclasses",
    )
    source = re.sub(r"= \(\s*UNSET\s*\)", "= UNSET", source)
    source = source.replace(" | None | UnsetType = UNSET", " | None = None")
    source = source.replace(" | UnsetType = UNSET", " = NOT_SENT")
    source = re.sub(r"^from msgspec import .*\n", "from whatnext._model import NOT_SENT\n", source, flags=re.MULTILINE)
    source = re.sub(r", kw_only=True", ", kw_only=True, frozen=True", source.replace(", frozen=True", ""))
    return f'{header}"""What the service answers with."""\n{_explained(source, doc)}'


def parameter_source(doc: dict[str, Any], header: str) -> str:
    """`params.py`: a TypedDict for each schema of a request."""
    schemas = {name: _plain(doc["components"]["schemas"][name]) for name in sorted(sent(doc) - {LITERAL})}
    source = _generate(schemas, "typing.TypedDict", "--no-use-closed-typed-dict")
    source = source.replace("from typing_extensions import TypedDict", "from typing import TypedDict")
    return f'{header}"""What requests are made of, as plain dicts."""\n{_explained(source, doc)}'


def _tolerant(schema: dict[str, Any], both_ways: bool) -> dict[str, Any]:
    plain: dict[str, Any] = _plain(schema, open_enums=True)
    if not both_ways:
        nullable = {name for name, each in plain.get("properties", {}).items() if _nullable(each)}
        plain["required"] = [name for name in plain.get("required", ()) if name not in nullable]
    return plain


def _nullable(schema: dict[str, Any]) -> bool:
    return any(each == {"type": "null"} for each in schema.get("anyOf", ()))


def _plain(node: Any, *, open_enums: bool = False) -> Any:
    """A schema without constraints; with `open_enums`, where a value may be one that is not listed."""
    if isinstance(node, list):
        return [_plain(each, open_enums=open_enums) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("$ref") == REF + LITERAL:
        return {"type": "object", "additionalProperties": True}
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            made[key] = {name: _plain(each, open_enums=open_enums) for name, each in value.items()}
        elif key == "additionalProperties" and isinstance(value, dict):
            made[key] = _plain(value, open_enums=open_enums)
        elif key not in CONSTRAINTS or (key == "description" and "properties" in node):
            made[key] = _plain(value, open_enums=open_enums) if isinstance(value, dict | list) else value
    if open_enums and "enum" in made and made.get("type") == "string":
        return {"anyOf": [{"type": "string", "enum": made["enum"]}, {"type": "string"}]}
    if "anyOf" in made:
        made["anyOf"] = _flat(made["anyOf"])
    return made


def _flat(choices: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for each in choices:
        for one in each["anyOf"] if isinstance(each, dict) and "anyOf" in each else [each]:
            if one not in flat:
                flat.append(one)
    return flat


def _generate(schemas: dict[str, Any], kind: str, *flags: str) -> str:
    if not schemas:
        return ""
    info = {"title": "whatnext", "version": "1"}
    document = {"openapi": "3.1.0", "info": info, "paths": {}, "components": {"schemas": schemas}}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.json"), Path(folder, "out.py")
        source.write_text(json.dumps(document), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("datamodel-codegen")), "--input", str(source)]
        command += ["--output", str(target), "--output-model-type", kind, "--custom-file-header", "# "]
        subprocess.run([*command, "--strict-refs", *COMMON, *flags], check=True)
        source_text = target.read_text(encoding="utf-8").split("\n", 1)[1].lstrip()
    return re.sub(r'^    """(.*?)"""$', _docstring, source_text, flags=re.MULTILINE | re.DOTALL)


def _explained(source: str, doc: dict[str, Any]) -> str:
    """The source with the description of each field below it, where editors look for it."""
    lines = source.split("\n")
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    for node in reversed(classes):
        known = doc["components"]["schemas"][node.name].get("properties", {})
        for field in reversed(node.body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                about = known.get(field.target.id, {}).get("description", "").replace("\\", "\\\\")
                lines[field.end_lineno : field.end_lineno] = [f'    """{prose(about, "    ")}"""'] if about else []
    return "\n".join(lines)


def _docstring(found: re.Match[str]) -> str:
    return f'    """{prose(found[1], "    ")}"""'


def prose(text: str, indent: str) -> str:
    """A docstring's text, its paragraphs filled; on one line where it fits."""
    paragraphs = [" ".join(each.split()) for each in inspect.cleandoc(text).split("\n\n")]
    if len(paragraphs) == 1 and len(indent) + len(paragraphs[0]) + 6 <= WIDTH:
        return paragraphs[0]
    first, *rest = [textwrap.wrap(each, WIDTH - len(indent) - 3) for each in paragraphs if each]
    lines = [*first]
    for each in rest:
        lines += ["", *each]
    return "\n".join([lines[0], *(indent + line if line else "" for line in lines[1:])]) + f"\n{indent}"
