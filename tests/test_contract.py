"""The document and the SDK's generated files are fresh, and the same whatever the hash seed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
OPENAPI = ROOT / "openapi"
PACKAGE = ROOT / "sdk" / "whatnext"


def run(*arguments: str | Path, seed: str = "0") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_document_is_what_the_application_says(seed: str) -> None:
    done = run(OPENAPI / "export.py", "--check", seed=seed)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_generated_files_are_what_the_document_says(seed: str, tmp_path: Path) -> None:
    done = run(OPENAPI / "generate.py", "--out", tmp_path, seed=seed)
    assert done.returncode == 0, done.stdout + done.stderr
    made = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*.py")}
    assert {"models.py", "params.py", "aio.py", "sync.py"} <= {path.name for path in made}
    stale = [str(path) for path, text in made.items() if (PACKAGE / path).read_text() != text]
    assert stale == []


def test_what_is_stale_is_named_and_fails_the_check(tmp_path: Path) -> None:
    assert run(OPENAPI / "generate.py", "--out", tmp_path).returncode == 0
    assert run(OPENAPI / "generate.py", "--check", "--out", tmp_path).stdout == "the SDK is up to date\n"
    (tmp_path / "_sync" / "left_over.py").write_text("")
    (tmp_path / "sync.py").write_text("# by hand\n")
    done = run(OPENAPI / "generate.py", "--check", "--out", tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("stale: sync.py, _sync/left_over.py; run ")


def test_every_operation_has_a_method() -> None:
    document = json.loads((OPENAPI / "openapi.json").read_text())
    source = (PACKAGE / "sync.py").read_text()
    for item in document["paths"].values():
        for operation in item.values():
            assert f'"{operation["operationId"]}"' in source


def _document(content: dict[str, Any]) -> dict[str, Any]:
    schemas = {
        "Thing": {
            "type": "object",
            "description": "A thing.",
            "properties": {"id": {"type": "string", "minLength": 5}, "colour": {"type": "string", "enum": ["red"]}},
            "required": ["id", "colour"],
            "additionalProperties": False,
        },
        "ThingPage": {
            "type": "object",
            "properties": {
                "data": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                "next_cursor": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
            "required": ["data", "next_cursor"],
        },
    }
    operation = {
        "operationId": "things.list",
        "description": "Things.",
        "parameters": [
            {"$ref": "#/components/parameters/after"},
            {"in": "query", "name": "kind", "schema": {"type": ["null", "string"], "enum": ["big", None]}},
            {"in": "query", "name": "below", "schema": {"anyOf": [{"type": "number"}, {"type": "null"}]}},
        ],
        "responses": {"200": {"$ref": "#/components/responses/things"}},
    }
    components = {
        "schemas": schemas,
        "parameters": {"after": {"in": "query", "name": "after", "required": True, "schema": {"type": "string"}}},
        "responses": {"things": {"content": content}},
    }
    return {"openapi": "3.1.0", "components": components, "paths": {"/v1/things": {"get": operation}}}


def test_other_media_of_an_operation_become_methods_of_their_own(tmp_path: Path) -> None:
    page = {"schema": {"$ref": "#/components/schemas/ThingPage"}}
    text = {"schema": {"type": "string"}}
    content = {"application/json": page, "text/event-stream": text, "image/png": text, "text/csv": text}
    (tmp_path / "doc.json").write_text(json.dumps(_document(content)))
    done = run(OPENAPI / "generate.py", "--document", tmp_path / "doc.json", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    sync, models = ((tmp_path / "out" / name).read_text() for name in ("sync.py", "models.py"))
    assert "-> Pager[m.Thing]:" in sync
    assert "def stream(" in sync
    assert "-> EventStream[m.Thing]:" in sync
    assert "def list_png(" in sync
    assert "-> bytes:" in sync
    assert "def list_csv(" in sync
    assert "-> str:" in sync
    assert "after: str,\n" in sync
    assert 'kind: Literal["big"] | None = None,\n' in sync
    assert "below: float | None = None,\n" in sync
    assert 'colour: Literal["red"] | str' in models
    assert "id: str\n" in models
    assert "forbid" not in models


def test_what_can_be_watched_can_be_waited_for(tmp_path: Path) -> None:
    document = _document({"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}})
    operation = document["paths"].pop("/v1/things")["get"] | {"operationId": "things.get"}
    operation["parameters"] = [{"in": "path", "name": "thing_id", "required": True, "schema": {"type": "string"}}]
    operation["responses"]["304"] = {"description": "It is still the same."}
    document["paths"]["/v1/things/{thing_id}"] = {"get": operation}
    (tmp_path / "doc.json").write_text(json.dumps(document))
    done = run(OPENAPI / "generate.py", "--document", tmp_path / "doc.json", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "def wait_changed(" in (tmp_path / "out" / "sync.py").read_text()
