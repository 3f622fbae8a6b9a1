"""The service as running processes: a server with everything it needs beside it, and the key to ask it with."""

import asyncio
import contextlib
import hashlib
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import uvicorn

from whatnext_service.app import create_app, database, open_services
from whatnext_service.config import Secret, Settings
from whatnext_service.contract.workspace import NewKey
from whatnext_service.errors import DomainError, StartError
from whatnext_service.flows.authenticate import authenticate
from whatnext_service.flows.context import Services
from whatnext_service.flows.keys import create_key, open_workspace
from whatnext_service.sandbox.serving import launch

GRACEFUL_S = 10
DEFAULT_WORKSPACE = "default"


class Served(msgspec.Struct, kw_only=True, frozen=True):
    """Where the service answers, and the key to ask it with."""

    url: str
    key: str | None
    """The local admin key of a standalone service; null in production, where `keys` makes them."""
    key_file: Path


class _Server(uvicorn.Server):
    """A server that leaves signals to its caller."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(settings: Settings, *, standalone: bool) -> AsyncIterator[Served]:
    """Serve until the block ends. `standalone` also works off jobs, and starts a sandbox trainer where none is set."""
    async with contextlib.AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(database(settings))
        if standalone and settings.sandbox_url is None:
            sandbox = await asyncio.to_thread(launch, settings.data_dir / "sandbox", plain_results=False)
            stack.callback(sandbox.stop)
            settings = msgspec.structs.replace(
                settings, sandbox_url=sandbox.base_url, sandbox_api_key=Secret(sandbox.api_key)
            )
        async with open_services(settings, dsn) as services:
            key_file = settings.data_dir / "key"
            key = await _own_key(services, key_file) if standalone else None
        app = create_app(settings, dsn, with_worker=standalone)
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=GRACEFUL_S,
        )
        server = _Server(config)
        with _bound(config) as sockets:
            task = asyncio.create_task(server.serve(sockets=sockets))
            while not server.started and not task.done():
                await asyncio.wait([task], timeout=0.01)
            if task.done():
                await task
                raise StartError("the server did not start; the lines above say why")
            host, port = sockets[0].getsockname()[:2]
            try:
                yield Served(url=f"http://{host}:{port}", key=key, key_file=key_file)
            finally:
                server.should_exit = True
                app.send_waiting_home()
                await task


async def make_key(settings: Settings, workspace: str, new: NewKey) -> str:
    """Make a key for a workspace, which is created if there is none of the name; returns the secret."""
    async with database(settings) as dsn, open_services(settings, dsn) as services:
        return await _new_key(services, workspace, new)


async def _new_key(services: Services, workspace: str, new: NewKey) -> str:
    workspace_id = await open_workspace(services, workspace)
    async with services.begin(workspace_id) as tx:
        made = (await create_key(tx, new)).secret
    if made is None:
        raise AssertionError("a key just made has its secret")
    return made


async def _own_key(services: Services, key_file: Path) -> str:
    """The key of the default workspace kept in a file that only its owner reads; made when there is none that works."""
    with contextlib.suppress(FileNotFoundError, DomainError):
        known = _read(key_file)
        await authenticate(services, hashlib.sha256(known.encode()).digest())
        return known
    secret = await _new_key(services, DEFAULT_WORKSPACE, NewKey(name="local", scopes=("admin",)))
    _write_private(key_file, secret)
    return secret


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()


def _write_private(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text + "\n")


@contextlib.contextmanager
def _bound(config: uvicorn.Config) -> Iterator[list[socket.socket]]:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((config.host, config.port))
    except OSError as error:
        sock.close()
        raise StartError(f"cannot listen on {config.host}:{config.port}: {error.strerror}; set WHATNEXT_PORT") from None
    with sock:
        yield [sock]
