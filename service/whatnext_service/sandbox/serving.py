"""Running a sandbox: in a thread for tests, in a process of its own for everything else."""

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import uvicorn
from litestar import Litestar

from whatnext_service.sandbox.app import create_app
from whatnext_service.sandbox.faults import Faults
from whatnext_service.sandbox.files import ResultEncoding

_PACKAGES = Path(__file__).resolve().parents[2]


class Served(msgspec.Struct, kw_only=True, frozen=True):
    """A sandbox that answers."""

    base_url: str
    """Ends in `/v1`: what a client takes as its base URL."""
    api_key: str
    folder: Path


def listen(port: int) -> socket.socket:
    """A socket on the loopback interface; port 0 lets the system choose."""
    # Without the protocol named, asyncio leaves Nagle's algorithm on, and every answer takes 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    return sock


def base_url(sock: socket.socket) -> str:
    return f"http://127.0.0.1:{sock.getsockname()[1]}/v1"


class Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, app: Litestar, announce: Callable[[], None]) -> None:
        super().__init__(uvicorn.Config(app, log_level="critical", lifespan="on", timeout_graceful_shutdown=2))
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._announce()


@contextmanager
def serve(
    folder: Path,
    *,
    api_key: str = "sandbox-key",
    faults: Faults | None = None,
    result_encoding: ResultEncoding = "base64",
) -> Iterator[Served]:
    """A sandbox in a thread of this process."""
    ready = threading.Event()
    server = Server(create_app(folder, api_key=api_key, faults=faults, result_encoding=result_encoding), ready.set)
    with listen(0) as sock:

        def work() -> None:
            try:
                asyncio.run(server.serve(sockets=[sock]))
            finally:
                ready.set()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        ready.wait()
        if not server.started:
            raise RuntimeError("the sandbox did not start")
        try:
            yield Served(base_url=base_url(sock), api_key=api_key, folder=folder)
        finally:
            server.should_exit = True
            thread.join()


class Launched(msgspec.Struct, kw_only=True, frozen=True):
    """A sandbox in a process of its own."""

    base_url: str
    api_key: str
    folder: Path
    process: subprocess.Popen[str]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def kill(self) -> None:
        """Ends it without warning; harmless if it has ended."""
        self.process.kill()
        self.process.wait()


def launch(
    folder: Path, *, api_key: str | None = None, port: int = 0, faults: bool = False, plain_results: bool = False
) -> Launched:
    """Starts a sandbox that dies with this process; `faults` opens its routes for planning them."""
    key = api_key or secrets.token_hex(16)
    command = [sys.executable, "-m", "whatnext_service.sandbox", "--folder", str(folder), "--port", str(port)]
    command += ["--with-parent"] + ["--faults"] * faults + ["--plain-results"] * plain_results
    path = os.pathsep.join(filter(None, (str(_PACKAGES), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, "SANDBOX_API_KEY": key}
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process.stdout as said:
        url = said.readline().strip()
    if not url:
        raise RuntimeError(f"the sandbox did not start (exit status {process.wait()})")
    return Launched(base_url=url, api_key=key, folder=folder, process=process)
