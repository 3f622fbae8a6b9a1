"""Flows against a real database and a real trainer; the fixtures are those of the API's tests."""

import zlib

import httpx
import pytest
from tests.api.conftest import (  # noqa: F401
    anonymous,
    api,
    app,
    built,
    counts,
    faults,
    planned,
    services,
    settings,
    stranger,
    trainer,
    workspace,
)
from tests.api.driving import Json, make_loop, ok, rows, upload
from tests.flows.wiring import endpoints, wire  # noqa: F401


@pytest.fixture
async def version(api: httpx.AsyncClient, request: pytest.FixtureRequest) -> Json:  # noqa: F811
    """Training data of the test's own, which the trainer has not seen."""
    await make_loop(api)
    seed = 1000 + zlib.crc32(request.node.name.encode())
    version = await upload(api, "training", rows(64, seed=seed), loop="letters")
    validation = await upload(api, "validation", rows(24, seed=2))
    ok(await api.patch("/v1/loops/letters", json={"validation_version_id": validation["id"]}))
    return version
