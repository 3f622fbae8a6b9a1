"""The OpenAPI document: complete, the same every time, and true of its own examples."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.api.documented import Documented

from whatnext_service.api.application import Application
from whatnext_service.api.openapi_errors import CODES, problem_examples
from whatnext_service.api.problem import KINDS
from whatnext_service.app import create_app
from whatnext_service.config import Settings

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
COMMITTED = json.loads((ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8"))
DUMP = """
import json
from whatnext_service.api.openapi import document
from whatnext_service.app import create_app
from whatnext_service.config import Settings
print(json.dumps(document(create_app(Settings(), "postgresql://nowhere", with_worker=False))))
"""
OPERATIONS = [
    (method, path, operation) for path, item in COMMITTED["paths"].items() for method, operation in item.items()
]
EVERY = pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[operation["operationId"] for _, _, operation in OPERATIONS]
)


@pytest.fixture(scope="module")
def documented() -> Documented:
    app: Application = create_app(Settings(), "postgresql://nowhere", with_worker=False)
    return Documented.of(app)


def test_the_document_does_not_depend_on_the_hash_seed() -> None:
    """Not even in the order of its keys."""
    command = [sys.executable, "-W", "ignore", "-c", DUMP]
    started = [
        subprocess.Popen(command, env=os.environ | {"PYTHONHASHSEED": seed}, stdout=subprocess.PIPE, text=True)
        for seed in ("1", "2")
    ]
    first, second = (process.communicate(timeout=60)[0] for process in started)
    assert len(first) > 10_000
    assert first == second


async def test_the_document_is_served_to_everyone(anonymous: httpx.AsyncClient) -> None:
    response = await anonymous.get("/openapi.json")
    assert response.status_code == 200
    assert response.json()["openapi"].startswith("3.1.")
    assert response.json()["paths"].keys() == COMMITTED["paths"].keys()


def test_names_of_operations_are_unique_and_speak_of_their_tag() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names)) > 50
    tags = {tag["name"] for tag in COMMITTED["tags"]}
    for name in names:
        assert name.split(".")[0] in tags


@EVERY
def test_an_operation_says_what_it_does(method: str, path: str, operation: Json) -> None:
    assert operation["summary"]
    assert operation["description"].startswith(operation["summary"])
    assert len(operation["tags"]) == 1
    for parameter in operation.get("parameters", ()):
        assert parameter["description"], parameter
    if path.startswith("/v1/"):
        assert operation["security"] == [{"api_key": []}]
        assert operation["x-required-scope"] in ("read", "write", "admin")


@EVERY
def test_what_changes_something_may_be_busy_and_what_posts_may_be_repeated(
    method: str, path: str, operation: Json
) -> None:
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    assert ("Idempotency-Key" in names) == (method == "post")
    assert ("409" in operation["responses"]) >= (method != "get")
    assert ("422" in operation["responses"]) == (method == "post")
    assert ("412" in operation["responses"]) == ("If-Match" in names)
    assert ("304" in operation["responses"]) == ("If-None-Match" in names)
    assert ("404" in operation["responses"]) >= ("{" in path)


@EVERY
def test_an_answer_that_may_be_asked_for_again_says_when(
    method: str, path: str, operation: Json, documented: Documented
) -> None:
    for status in ("429", "503"):
        if answer := operation["responses"].get(status):
            assert "Retry-After" in documented.resolved(answer)["headers"]


@pytest.mark.parametrize("name", [name for name in COMMITTED["components"]["examples"] if "problem." not in name])
def test_an_example_fits_its_schema(documented: Documented, name: str) -> None:
    uses = [media for _, _, operation in OPERATIONS for media in contents(documented, operation) if names(media, name)]
    assert uses, "an example that nothing uses"
    for media in uses:
        documented.validate(media["schema"], documented.document["components"]["examples"][name]["value"], name)


def test_every_body_and_every_answer_has_an_example(documented: Documented) -> None:
    without = {
        operation["operationId"]
        for _, _, operation in OPERATIONS
        for media in contents(documented, operation)
        if "$ref" in media["schema"] and not media.get("examples")
    }
    assert without == set()


def test_problems_are_examples_of_their_schema(documented: Documented) -> None:
    for name, example in problem_examples().items():
        documented.validate({"$ref": "#/components/schemas/Problem"}, example["value"], name)


def test_only_real_codes_and_operations_are_listed() -> None:
    assert set(CODES) <= {operation["operationId"] for _, _, operation in OPERATIONS}
    assert {code for codes in CODES.values() for code in codes} <= set(KINDS)


def test_every_code_is_answered_by_some_operation(documented: Documented) -> None:
    listed = {
        code
        for _, _, operation in OPERATIONS
        for answer in operation["responses"].values()
        for media in documented.resolved(answer).get("content", {}).values()
        for code in media.get("examples", ())
    }
    assert set(KINDS) - listed <= {"method_not_allowed", "invalid_clusters"}


def test_fields_carry_their_words() -> None:
    schemas = COMMITTED["components"]["schemas"]
    assert schemas["NewLoop"]["properties"]["slug"]["description"].startswith("A short name")
    assert schemas["RunConfig"]["properties"]["beta"]["description"].startswith("DPO:")
    assert "\n    " not in schemas["NewRun"]["description"]


def contents(documented: Documented, operation: Json) -> list[Json]:
    """The bodies and the successful answers of an operation, by media type."""
    answers = [answer for status, answer in operation["responses"].items() if status < "400"]
    nodes = [operation.get("requestBody", {}), *map(documented.resolved, answers)]
    return [media for node in nodes for media in node.get("content", {}).values()]


def names(media: Json, name: str) -> bool:
    return any(each["$ref"].endswith(f"/{name}") for each in media.get("examples", {}).values())
