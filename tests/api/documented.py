"""Holds every answer against the OpenAPI document: status, media type, headers, body, and the code of a problem."""

import re
from typing import Any

import httpx
import jsonschema_rs

from whatnext_service.api.application import Application
from whatnext_service.api.openapi import document

Json = dict[str, Any]


class Documented:
    """Checks answers."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self._routes = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), item)
            for path, item in sorted(document["paths"].items(), key=lambda each: (each[0].count("{"), each[0]))
        ]
        self._validators: dict[str, Any] = {}

    @classmethod
    def of(cls, app: Application) -> "Documented":
        """For the document that an application serves; made once."""
        if "documented" not in app.state:
            app.state["documented"] = cls(document(app))
        found: Documented = app.state["documented"]
        return found

    async def check(self, response: httpx.Response) -> None:
        """Raise AssertionError unless the document says that this operation may answer this."""
        operation = self.operation(response.request.method, response.request.url.path)
        if operation is None:
            return
        await response.aread()
        said = f"{operation['operationId']} answered {response.status_code}: {response.text[:500]}"
        answer = self.resolved(operation["responses"].get(str(response.status_code)))
        media = response.headers.get("content-type", "").partition(";")[0]
        if response.status_code == 405:
            return
        assert answer is not None, f"undocumented status: {said}"
        for name, header in answer.get("headers", {}).items():
            assert name in response.headers or not self.resolved(header).get("required"), f"no {name}: {said}"
        assert media in answer.get("content", {"": None}), f"undocumented media type {media}: {said}"
        if media.endswith("json"):
            content = answer["content"][media]
            self.validate(content["schema"], response.json(), said)
            if response.status_code >= 400:
                assert response.json()["code"] in content["examples"], f"undocumented code: {said}"

    def operation(self, method: str, path: str) -> Json | None:
        """The operation that a request goes to; null where none does."""
        path = re.sub(r"^/v1/runs/([a-z0-9-]+)/(R[0-9]+)", r"/v1/runs/\1~\2", path)
        for pattern, item in self._routes:
            if pattern.fullmatch(path) and method.lower() in item:
                found: Json = item[method.lower()]
                return found
        return None

    def resolved(self, node: Json | None) -> Any:
        """What a `$ref` stands for."""
        if node is None or "$ref" not in node:
            return node
        target: Any = self.document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return target

    def validate(self, schema: Json, value: object, said: str) -> None:
        """Raise AssertionError unless a value fits a schema of the document."""
        key = repr(schema)
        if key not in self._validators:
            whole = {**schema, "components": {"schemas": self.document["components"]["schemas"]}}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole)
        faults = [f"{list(error.instance_path)}: {error.message}" for error in self._validators[key].iter_errors(value)]
        assert not faults, f"{faults[:3]}; {said}"
