"""The service in process, spoken to over its ASGI interface: a workspace with keys of every scope, and a stranger."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from tests.api.counting import Counts, count_rows
from tests.api.documented import Documented

from whatnext_service.api.application import Application
from whatnext_service.app import create_app
from whatnext_service.config import Secret, Settings
from whatnext_service.contract.workspace import NewKey, Scope
from whatnext_service.flows.context import Services
from whatnext_service.flows.keys import create_key, open_workspace
from whatnext_service.sandbox.faults import Faults
from whatnext_service.sandbox.serving import Served, serve
from whatnext_service.store.db import Pool

MAX_UPLOAD_BYTES = 4 * 2**20
MAX_BODY_BYTES = 2**20


@pytest.fixture(scope="session")
def planned() -> Faults:
    return Faults()


@pytest.fixture(scope="session")
def trainer(tmp_path_factory: pytest.TempPathFactory, planned: Faults) -> Iterator[Served]:
    """One sandbox for all tests of a process; its ledger is read before and after."""
    with serve(tmp_path_factory.mktemp("trainer"), faults=planned, result_encoding="plain") as served:
        yield served


@pytest.fixture
def faults(planned: Faults) -> Iterator[Faults]:
    """The faults the sandbox commits, gone after the test."""
    planned.clear()
    yield planned
    planned.clear()


@pytest.fixture(scope="session")
def settings(trainer: Served, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        log_level="error",
        max_body_bytes=MAX_BODY_BYTES,
        max_upload_bytes=MAX_UPLOAD_BYTES,
        max_result_bytes=2**20,
        sandbox_url=trainer.base_url,
        sandbox_api_key=Secret(trainer.api_key),
        sandbox_poll_interval_s=0.02,
    )


@pytest.fixture(scope="session")
def built(settings: Settings, process_dsn: str) -> Application:
    return create_app(settings, process_dsn, with_worker=False)


@pytest.fixture
async def app(built: Application, dsn: str) -> AsyncIterator[Application]:
    """The application, its services open and its database empty."""
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        # In a task of its own: a lifespan must end in the task it began in, and a fixture need not.
        async with contextlib.AsyncExitStack() as stack:
            with pytest.MonkeyPatch.context() as plain:
                # Plain HTTP needs no certificates, and loading them takes longer than most tests.
                plain.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)
                plain.setattr(ssl.SSLContext, "load_default_certs", lambda *_, **__: None)
                await stack.enter_async_context(built.lifespan())
            started.set()
            await stop.wait()

    lifetime = asyncio.create_task(live())
    starting = asyncio.create_task(started.wait())
    await asyncio.wait((lifetime, starting), return_when=asyncio.FIRST_COMPLETED)
    starting.cancel()
    if not lifetime.done():
        yield built
    stop.set()
    await lifetime


@pytest.fixture
def services(app: Application) -> Services:
    found: Services = app.state["services"]
    return found


@pytest.fixture
async def workspace(services: Services) -> str:
    return await open_workspace(services, "ours")


async def make_key(services: Services, workspace_id: str, scope: Scope) -> str:
    async with services.begin(workspace_id) as tx:
        return (await create_key(tx, NewKey(name=f"a key to {scope}", scopes=(scope,)))).secret


def connect(app: Application, secret: str | None = None) -> httpx.AsyncClient:
    """A client whose every answer is held against the OpenAPI document."""
    documented = Documented.of(app)
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
    return httpx.AsyncClient(
        transport=transport,
        base_url="http://service",
        headers=headers,
        timeout=30,
        event_hooks={"response": [documented.check]},
    )


@pytest.fixture
async def api(app: Application, services: Services, workspace: str) -> AsyncIterator[httpx.AsyncClient]:
    """The owner of the workspace: a key with scope `admin`."""
    async with connect(app, await make_key(services, workspace, "admin")) as client:
        yield client


@pytest.fixture
async def writer(app: Application, services: Services, workspace: str) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(app, await make_key(services, workspace, "write")) as client:
        yield client


@pytest.fixture
async def reader(app: Application, services: Services, workspace: str) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(app, await make_key(services, workspace, "read")) as client:
        yield client


@pytest.fixture
async def stranger(app: Application, services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """The owner of another workspace."""
    secret = await make_key(services, await open_workspace(services, "theirs"), "admin")
    async with connect(app, secret) as client:
        yield client


@pytest.fixture
async def anonymous(app: Application) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(app) as client:
        yield client


@pytest.fixture
async def counts(pool: Pool) -> Counts:
    """Counts the rows of every table, to show that a refusal changed nothing."""

    async def count() -> dict[str, str]:
        async with asyncio.timeout(10):
            return await count_rows(pool)

    return count
