"""Requests made up from the OpenAPI document: no fault of ours, and no status, media type or body that it does not tell
of. Half of them name things that exist, so that they come further than a 404."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import hypothesis.strategies
import pytest
import schemathesis
from schemathesis.specs.openapi import checks as described
from tests.api.driving import HEALTHY, finish, first_run, make_loop, make_suite, ok, put_curve, register, rows, upload

from whatnext_service.app import create_app
from whatnext_service.config import Secret, Settings
from whatnext_service.contract.workspace import NewKey
from whatnext_service.sandbox.serving import Served, Server, listen
from whatnext_service.serving import make_key

DOCUMENT = Path(__file__).resolve().parents[2] / "openapi" / "openapi.json"
EXAMPLES = 28
"""For each of the more than 72 operations: over 2,000 requests."""
schema = schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text(encoding="utf-8")))
CHECKS = [
    schemathesis.checks.not_a_server_error,
    described.status_code_conformance,
    described.content_type_conformance,
    described.response_schema_conformance,
    described.response_headers_conformance,
    described.negative_data_rejection,
    described.unsupported_method,
    described.allow_header_conformance,
    described.missing_required_header,
    described.ignored_auth,
]
"""All that look at a single answer but `positive_data_acceptance`: a cursor or an id of the right form may still be
refused, because no such thing exists."""
LENIENT = [check for check in CHECKS if check is not described.negative_data_rejection]
"""For requests that were mended after they were made up."""


class Target:
    """A server in a thread, and the ids of what it has."""

    def __init__(self, url: str, known: dict[str, str]) -> None:
        self.url = url
        self.known = known


async def furnish(url: str, key: str) -> dict[str, str]:
    """One of everything; by the names that paths and bodies use."""
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as api:
        loop = await make_loop(api)
        version = await upload(api, "training", rows(60), loop="letters")
        suite = await make_suite(api, "letters")
        run = await first_run(api, "letters", version)
        await put_curve(api, run, HEALTHY)
        checkpoint = ok(await api.post(f"/v1/runs/{run['id']}/checkpoints", json={"step": 80, "model": "m"}))
        done = await finish(api, await first_run(api, "letters", version, config={"seed": 3}))
        evaluation = await register(api, "letters", suite, [5.0] * 30)
        diagnosis = ok(await api.post("/v1/diagnoses", json={"run_id": run["id"]}))
        answer = ok(await api.get("/v1/loops/letters/next"))
        body = {"loop_id": "letters", "run_id": run["id"], "checkpoint_id": checkpoint["id"], "override_reason": "x"}
        deployment = ok(await api.post("/v1/deployments", json=body))
        key_id = ok(await api.post("/v1/keys", json={"name": "other"}))["key"]["id"]
        return {
            "loop": "letters",
            "loop_id": loop["id"],
            "dataset_id": version["dataset_id"],
            "dataset_version_id": version["id"],
            "version_id": version["id"],
            "validation_version_id": version["id"],
            "suite_id": suite["id"],
            "run_id": run["id"],
            "parent_run_id": done["id"],
            "checkpoint_id": checkpoint["id"],
            "evaluation_id": evaluation["id"],
            "against": evaluation["id"],
            "diagnosis_id": diagnosis["id"],
            "recommendation_id": answer["action"]["recommendation_id"],
            "deployment_id": deployment["id"],
            "key_id": key_id,
        }


@pytest.fixture(scope="module")
def target(make_database: Any, template_dsn: str, trainer: Served) -> Iterator[Target]:
    dsn = make_database(template_dsn)
    settings = Settings(
        database_url=Secret(dsn),
        log_level="error",
        sandbox_url=trainer.base_url,
        sandbox_api_key=Secret(trainer.api_key),
        rate_limit_per_s=100_000,
    )
    key = asyncio.run(make_key(settings, "made up", NewKey(name="test", scopes=("admin",))))
    ready = threading.Event()
    server = Server(create_app(settings, dsn, with_worker=False), ready.set)
    with listen(0) as sock:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[sock])), daemon=True)
        thread.start()
        assert ready.wait(20)
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        known = asyncio.run(furnish(url, key))
        schema.config.update(headers={"Authorization": f"Bearer {key}"})
        yield Target(url, known)
        server.should_exit = True
        thread.join()


def point_at(value: Any, known: dict[str, str]) -> Any:
    """The same body, its references naming what exists."""
    if not isinstance(value, dict):
        return value
    return {name: known[name] if name in known and child else point_at(child, known) for name, child in value.items()}


@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)
@schema.given(known=hypothesis.strategies.booleans())
def test_the_document_holds(case: schemathesis.Case, target: Target, known: bool) -> None:
    checks = CHECKS
    if case.query.get("wait"):
        case.query["wait"] = 0
        checks = LENIENT
    if known:
        case.path_parameters = point_at(dict(case.path_parameters), target.known)
        case.body = point_at(case.body, target.known)
        checks = LENIENT
    response = case.call(base_url=target.url)
    case.validate_response(response, checks=checks)
