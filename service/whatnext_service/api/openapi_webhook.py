"""What the document says beside the operations: the call that endpoints receive, and which operation follows which."""

from typing import Any

Json = dict[str, Any]

_HEADERS = {
    "webhook-id": "Names the delivery; the same at every attempt, so that a repeat is recognised.",
    "webhook-timestamp": "Seconds since 1970 of this attempt; refuse one that is minutes old.",
    "webhook-signature": "`v1,` and the HMAC-SHA-256 of `{id}.{timestamp}.{body}` under the endpoint's secret.",
}
_FOLLOWS = {"get": "Get it.", "update": "Change it.", "next": "What is next for it."}


def webhook() -> Json:
    """The call that tells an endpoint of an event."""
    return {
        "post": {
            "operationId": "webhook.event",
            "tags": ["webhook_endpoints"],
            "summary": "Tell an endpoint of an event",
            "description": (
                "Sent to every enabled endpoint that wants the type, signed as Standard Webhooks prescribes. "
                "The payload is thin: look the resource up for its state. 2xx is a receipt, 410 disables the endpoint, "
                "and what else fails is tried again for about three days. Redirects are not followed."
            ),
            "security": [],
            "parameters": [
                {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
                for name, text in _HEADERS.items()
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WebhookMessage"}}},
            },
            "responses": {"2XX": {"description": "Received."}, "410": {"description": "Never again."}},
        }
    }


def add_links(paths: Json) -> None:
    """Link what makes a resource with the operations on it: its id is their path parameter."""
    operations = {each["operationId"]: (path, each) for path, item in paths.items() for each in item.values()}
    for name, (_, operation) in operations.items():
        resource, _, verb = name.partition(".")
        if verb != "create" or f"{resource}.get" not in operations:
            continue
        path, _ = operations[f"{resource}.get"]
        parameter = path.rsplit("{", 1)[1].rstrip("}")
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                pointer = "/id" if resource not in _WRAPPED else f"/{_WRAPPED[resource]}/id"
                answer["links"] = {
                    follows: {
                        "operationId": f"{resource}.{follows}",
                        "description": text,
                        "parameters": {parameter: f"$response.body#{pointer}"},
                    }
                    for follows, text in _FOLLOWS.items()
                    if f"{resource}.{follows}" in operations
                }


_WRAPPED = {"keys": "key", "webhook_endpoints": "endpoint"}
"""Resources whose creation answers with the resource and its secret."""
