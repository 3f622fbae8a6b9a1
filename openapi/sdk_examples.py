"""An example of each call for its docstring, made from the document; the tests execute them all."""

from typing import Any

NAMED = {"slug": "support-bot", "loop": "support-bot", "loop_id": "support-bot", "task": "Answer support tickets."}
VARIABLES = {"call": "found = await ", "text": "text = await ", "content": "picture = await "}


def example_call(doc: dict[str, Any], operation: dict[str, Any], name: str, method: dict[str, Any]) -> str:
    """One line that calls a method with what it requires."""
    arguments = [repr_of(_text(ref)) for ref in method["refs"]]
    if method["upload"]:
        arguments.append('file="rows.jsonl"')
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    given = _value(doc, body, "") if body else {}
    for each in method["required"]:
        arguments.append(f"{each['name']}={repr_of(given.get(each['name'], _text(each['name'])))}")
    call = f"{name}({', '.join(arguments)})"
    match method["kind"]:
        case "pages":
            return f"items = [each async for each in {call}]"
        case "stream":
            return f"events = {call}"
        case "download":
            return f"content = await {call}.read()"
        case kind:
            return VARIABLES[kind] + call


def repr_of(value: Any) -> str:
    """Python source of a value, in double quotes."""
    match value:
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case list() if len(value) > 1 and all(each == value[0] for each in value):
            return f"[{repr_of(value[0])}] * {len(value)}"
        case list():
            return f"[{', '.join(map(repr_of, value))}]"
        case dict():
            return "{" + ", ".join(f"{repr_of(name)}: {repr_of(each)}" for name, each in value.items()) + "}"
        case _:
            return repr(value)


def _value(doc: dict[str, Any], schema: dict[str, Any], name: str) -> Any:
    """A value that fits a schema: what is required, and no more."""
    if "$ref" in schema:
        return _value(doc, doc["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], name)
    if schema.get("enum"):
        return schema["enum"][0]
    if "anyOf" in schema:
        return _value(doc, schema["anyOf"][0], name)
    match schema.get("type"):
        case "object":
            known, required = schema.get("properties", {}), schema.get("required", ())
            made = {each: _value(doc, known[each], each) for each in required}
            extra = schema.get("additionalProperties")
            return made or ({"train_loss": 0.5} if isinstance(extra, dict) else {})
        case "array":
            return [_value(doc, schema["items"], name)] * max(1, schema.get("minItems", 1))
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case _:
            return _text(name)


def _text(name: str) -> str:
    if name in NAMED:
        return NAMED[name]
    if name == "url":
        return "https://example.com/hook"
    return f"{name.removesuffix('_id')}_1" if name.endswith("_id") else name.replace("_", "-")
