"""The SDK against the real application in one process, and against answers made for the test."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

import whatnext
from whatnext_service.api.application import Application
from whatnext_service.app import create_app
from whatnext_service.config import Settings
from whatnext_service.contract.workspace import NewKey
from whatnext_service.flows.context import Services
from whatnext_service.flows.keys import create_key, open_workspace


@pytest.fixture
async def app(dsn: str, tmp_path: Path) -> AsyncIterator[Application]:
    """The application, its services open in a task of their own and its database empty."""
    application = create_app(Settings(data_dir=tmp_path, log_level="error"), dsn, with_worker=False)
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with application.lifespan():
            started.set()
            await stop.wait()

    lifetime = asyncio.create_task(live())
    starting = asyncio.create_task(started.wait())
    await asyncio.wait((lifetime, starting), return_when=asyncio.FIRST_COMPLETED)
    starting.cancel()
    if not lifetime.done():
        yield application
    stop.set()
    await lifetime


async def make_key(app: Application) -> str:
    """A key to everything in a workspace of its own."""
    services: Services = app.state["services"]
    workspace_id = await open_workspace(services, "ours")
    async with services.begin(workspace_id) as tx:
        return (await create_key(tx, NewKey(name="the SDK's", scopes=("admin",)))).secret


@pytest.fixture
async def api_key(app: Application) -> str:
    return await make_key(app)


@pytest.fixture
async def client(app: Application, api_key: str, tmp_path: Path) -> AsyncIterator[whatnext.AsyncClient]:
    """An asynchronous client of the application."""
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with (
        httpx.AsyncClient(transport=transport) as http,
        whatnext.AsyncClient(api_key, base_url="http://service", http_client=http, spool_dir=tmp_path) as made,
    ):
        yield made
