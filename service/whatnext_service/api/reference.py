"""The reference page: the OpenAPI document as HTML that needs no script, no network and no build."""

import json
from importlib import resources
from typing import Any

import jinja2
from litestar import Request, Response, get
from markdown_it import MarkdownIt
from markupsafe import Markup

from whatnext_service.api.auth import PUBLIC
from whatnext_service.api.openapi import document

Json = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_SCHEMA = "#/components/schemas/"


@get("/docs", operation_id="service.reference", opt={PUBLIC: True}, include_in_schema=False, media_type="text/html")
async def reference(request: Request[Any, Any, Any]) -> Response[str]:
    """The API's reference, to be read."""
    state = request.app.state
    if "reference" not in state:
        state["reference"] = render(document(request.app))
    return Response(content=state["reference"], media_type="text/html", headers={"Content-Security-Policy": POLICY})


def render(doc: Json) -> str:
    """The page for a document."""
    text = resources.files("whatnext_service.api").joinpath("reference.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    markdown = MarkdownIt("commonmark", {"html": False})
    environment.filters |= {
        "markdown": lambda source: Markup(markdown.render(source)),
        "inline": lambda source: Markup(markdown.renderInline(source)),
        "pretty": lambda value: value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False),
        "kind": lambda schema: Markup(_kind(schema)),
        "limits": _limits,
        "resolved": lambda node: _resolved(doc, node),
    }
    return environment.from_string(text).render(
        doc=doc, groups=_groups(doc), schemas=_named(doc), webhook=doc["webhooks"]["event"]["post"]
    )


def _groups(doc: Json) -> list[Json]:
    """The operations by tag, in the order of the tags; within one, by path and method."""
    found: dict[str, list[Json]] = {tag["name"]: [] for tag in doc["tags"]}
    for path, item in doc["paths"].items():
        for method in METHODS:
            if method in item:
                found[item[method]["tags"][0]].append({"path": path, "method": method, **item[method]})
    return [{**tag, "operations": found[tag["name"]]} for tag in doc["tags"] if found[tag["name"]]]


def _named(doc: Json) -> list[tuple[str, Json]]:
    """The schemas worth reading alone: pages are explained once, in words."""
    return [(name, schema) for name, schema in doc["components"]["schemas"].items() if not name.endswith("Page")]


def _resolved(doc: Json, node: Json) -> Json:
    """What a `$ref` stands for."""
    if "$ref" not in node:
        return node
    target: Any = doc
    for part in node["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    found: Json = target
    return found


def _kind(schema: Json) -> str:
    """A schema in a few words, as HTML: links to named schemas, alternatives with bars."""
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(_SCHEMA)
        item = name.removesuffix("Page")
        return f'page of <a href="#{item}">{item}</a>' if item != name else f'<a href="#{name}">{name}</a>'
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(_kind(each) for each in schema[several]))
    if "const" in schema:
        return f"<code>{Markup.escape(schema['const'])}</code>"
    if "enum" in schema:
        return " | ".join(f"<code>{Markup.escape(value)}</code>" for value in schema["enum"])
    match schema.get("type"):
        case "array":
            if "prefixItems" in schema:
                return "list"
            return f"list of {_kind(schema.get('items', {}))}"
        case "object":
            values = schema.get("additionalProperties")
            return f"object of {_kind(values)}" if isinstance(values, dict) else "object"
        case str() as plain:
            form = {"date-time": "time", "binary": "bytes", "decimal": "decimal"}.get(schema.get("format", ""), plain)
            return str(Markup.escape(form))
        case _:
            return "any"


def _limits(schema: Json) -> str:
    """A schema's constraints in words."""
    inner = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    words = {
        "minimum": "at least {}",
        "exclusiveMinimum": "more than {}",
        "maximum": "at most {}",
        "exclusiveMaximum": "less than {}",
        "minLength": "{} or more characters",
        "maxLength": "up to {} characters",
        "minItems": "{} or more items",
        "maxItems": "up to {} items",
        "pattern": "matches {}",
    }
    told = [text.format(each[key]) for each in inner for key, text in words.items() if key in each]
    if schema.get("default") is not None:
        told.append(f"default {json.dumps(schema['default'])}")
    return ", ".join(told)


HANDLERS = (reference,)
