"""The service as processes that can be killed, and what they told."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
Json = dict[str, Any]
GIVE_UP_S = 60.0
POLL_S = 0.03
SERVICE = Path(__file__).resolve().parents[2] / "service"
WORKER = Path(__file__).with_name("worker_process.py")


def wait_for(look: Callable[[], T | None], what: str) -> T:
    """What a look gives once it gives something; a look may meet a service that is down."""
    give_up = time.monotonic() + GIVE_UP_S
    last: object = None
    while time.monotonic() < give_up:
        try:
            if found := look():
                return found
        except (httpx.TransportError, AssertionError, FileNotFoundError) as error:
            last = error
        time.sleep(POLL_S)
    raise AssertionError(f"{what} did not happen within {GIVE_UP_S:.0f} s: {last}")


class Process:
    """A child that ends with the test, its output in a file."""

    def __init__(self, command: list[str], log: Path, **environment: str) -> None:
        path = os.pathsep.join(filter(None, (str(SERVICE), os.environ.get("PYTHONPATH"))))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("WHATNEXT_", "DATABASE_URL"))}
        self.log = log
        with log.open("ab") as out:
            self._child = subprocess.Popen(
                command, env=kept | environment | {"PYTHONPATH": path}, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    def kill(self) -> None:
        """kill -9."""
        self._child.send_signal(signal.SIGKILL)
        self._child.wait()

    def stop(self) -> int:
        if self.running:
            self._child.terminate()
        return self._child.wait(30)


def serve(log: Path, **environment: str) -> tuple[Process, str]:
    """The server of the command line on a free port, and where it answers."""
    start = log.stat().st_size if log.exists() else 0
    command = [sys.executable, "-m", "whatnext_service", "serve"]
    process = Process(command, log, **{"WHATNEXT_PORT": "0", "WHATNEXT_LOG_LEVEL": "error"} | environment)

    def told() -> str | None:
        assert process.running, log.read_text()[-3000:]
        with log.open() as text:
            text.seek(start)
            found = re.search(r"^whatnext answers at (http://[0-9.:]+)", text.read(), re.MULTILINE)
        return found[1] if found else None

    return process, wait_for(told, "the server's start")


def work(log: Path, **environment: str) -> Process:
    """A worker that takes another for dead after a second, not after half a minute."""
    return Process([sys.executable, str(WORKER)], log, **environment)


def connect(url: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


def ok(response: httpx.Response) -> Json:
    assert response.is_success, f"{response.status_code}: {response.text[:1000]}"
    body: Json = response.json()
    return body
