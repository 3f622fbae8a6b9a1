"""A service of its own for benchmarks: its process, what it holds and uses, and clients of it."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import httpx

PORT = 18431
CHILD = "whatnext_service.flows.data_program"


class Served:
    """A running service, and the most that its process and the one that reads large versions have held."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self._key = folder / "key"
        self.process = process
        self._child_mb = 0.0
        self._ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def client(self) -> httpx.Client:
        """A client with the service's own key, once the service is ready."""
        client = httpx.Client(base_url=f"http://127.0.0.1:{PORT}", timeout=3600)
        for _ in range(600):
            try:
                if client.get("/readyz").status_code == 200:
                    client.headers["Authorization"] = f"Bearer {self._key.read_text().strip()}"
                    return client
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise TimeoutError("the service does not start")

    def peak_mb(self) -> float:
        """Of the service's process: the server, the worker in it, and the libraries."""
        return peak_mb(self.process.pid)

    def child_mb(self) -> float:
        """Of the processes that read large versions, since it was last asked; 0 where there was none."""
        most, self._child_mb = self._child_mb, 0.0
        return most

    def cpu_s(self) -> float:
        """User and system, of the service and of those of its processes that have ended, Postgres not among them."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it."""
        self._ended.set()
        self.process.terminate()
        self.process.wait()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            for pid in children(self.process.pid):
                try:
                    if CHILD.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                        self._child_mb = max(self._child_mb, peak_mb(pid))
                except (OSError, StopIteration):
                    continue


@contextmanager
def served(folder: str | None = None, **settings: str) -> Iterator[Served]:
    """A service on an embedded database in this folder, else in one of its own."""
    with nullcontext(folder) if folder else tempfile.TemporaryDirectory() as folder:
        environment = {"WHATNEXT_DATA_DIR": folder, "WHATNEXT_PORT": str(PORT), "WHATNEXT_LOG_LEVEL": "warning"}
        process = subprocess.Popen(
            [sys.executable, "-m", "whatnext_service", "serve"],
            env=os.environ | environment | settings,
            stdout=subprocess.DEVNULL,
        )
        running = Served(Path(folder), process)
        try:
            yield running
        finally:
            running.stop()


class Witness(threading.Thread):
    """Asks for a small resource ten times a second, and keeps how long the answers took."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._took_ms: list[float] = []
        self.running = True

    def run(self) -> None:
        while self.running:
            start = time.perf_counter()
            self._client.get("/v1/loops").raise_for_status()
            self._took_ms.append((time.perf_counter() - start) * 1000)
            time.sleep(0.1)

    def told(self) -> str:
        took, self._took_ms = sorted(self._took_ms), []
        return (
            f"others answered in {took[len(took) // 2]:.0f} ms, at worst {took[-1]:.0f} ms" if took else "nobody asked"
        )


def peak_mb(pid: int | str = "self") -> float:
    """Most memory a program has held; unlike `getrusage`, without what its parent held before it began."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def children(pid: int) -> list[int]:
    """Processes that any thread of this one started."""
    found = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in listed.read_text().split()]
        except OSError:
            continue
    return found


def report_of(client: httpx.Client, version_id: str) -> dict[str, object]:
    """The quality report, once it is made."""
    while True:
        report: dict[str, object] = client.get(f"/v1/dataset-versions/{version_id}/quality").raise_for_status().json()
        if report["status"] in ("ready", "failed"):
            return report
        time.sleep(0.5)
