"""Flows against a real database and a real trainer; the fixtures are those of the API's tests."""

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
from tests.flows.wiring import endpoints, wire  # noqa: F401
