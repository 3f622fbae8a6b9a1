"""Large datasets through the service: how long, how much memory, and whether it answers others meanwhile.

    python tests/bench/bench_upload.py [megabytes ...]        default: 100 200

Each size goes to a service of its own over HTTP, written while it is sent (rows of about 1 KB). While the upload and
the quality report are under way, another client asks for a small resource ten times a second. The memory is the most
that the service's process has held: the server, the worker in it, and the libraries.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from bench_quality import LABELS, Writer, encode

PORT = 18431
ROWS_APART = 5_000
"""Different texts; each is told apart from its repeats by a number, so that no two rows are the same."""


def rows(megabytes: int) -> Iterator[bytes]:
    writer = Writer(3, 160)
    texts = [(writer.text(label), label) for label in writer.rng.choices(LABELS, k=ROWS_APART)]
    held, n_bytes, number = bytearray(), 0, 0
    while n_bytes < megabytes * 1_000_000:
        text, label = texts[number % ROWS_APART]
        words = text.split()
        cut = writer.rng.randrange(len(words))
        row = encode(f"{' '.join(words[cut:] + words[:cut])} {writer.text(label)[:400]} {number}", label)
        held += row
        n_bytes += len(row)
        number += 1
        if len(held) > 65_536:
            yield bytes(held)
            held.clear()
    yield bytes(held)


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Witness(threading.Thread):
    """Asks for a small resource again and again, and keeps how long the answers took."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__(daemon=True)
        self._client = client
        self.took_ms: list[float] = []
        self.running = True

    def run(self) -> None:
        while self.running:
            start = time.perf_counter()
            self._client.get("/v1/loops").raise_for_status()
            self.took_ms.append((time.perf_counter() - start) * 1000)
            time.sleep(0.1)

    def told(self) -> str:
        took, self.took_ms = sorted(self.took_ms), []
        return (
            f"others answered in {took[len(took) // 2]:.0f} ms, at worst {took[-1]:.0f} ms" if took else "nobody asked"
        )


def measure(megabytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = {"WHATNEXT_DATA_DIR": folder, "WHATNEXT_PORT": str(PORT)}
        process = subprocess.Popen([sys.executable, "-m", "whatnext_service", "serve"], env=os.environ | settings)
        try:
            client = connect(Path(folder) / "key")
            witness = Witness(connect(Path(folder) / "key"))
            bare = peak_mb(process.pid)
            dataset = client.post("/v1/datasets", json={"name": "large"}).raise_for_status().json()
            witness.start()
            begun, used = time.perf_counter(), cpu_s(process.pid)
            answer = client.post(f"/v1/datasets/{dataset['id']}/versions", content=rows(megabytes))
            version = answer.raise_for_status().json()
            took, used = time.perf_counter() - begun, cpu_s(process.pid) - used
            print(f"{version['n_examples']} rows, {version['n_bytes'] / 1e6:.0f} MB", flush=True)
            print(
                f"  upload: {took:.1f} s, {used:.1f} s CPU; {bare:.0f} MB idle, {peak_mb(process.pid):.0f} MB at most"
            )
            print(f"    {witness.told()}", flush=True)
            begun, used = time.perf_counter(), cpu_s(process.pid)
            while (report := quality(client, version["id"]))["status"] not in ("ready", "failed"):
                time.sleep(0.5)
            took, used = time.perf_counter() - begun, cpu_s(process.pid) - used
            print(
                f"  report {report['status']}: {took:.1f} s more, {used:.1f} s CPU; "
                f"{peak_mb(process.pid):.0f} MB at most"
            )
            print(f"    {witness.told()}", flush=True)
            begun = time.perf_counter()
            operations = {"operations": [{"kind": "drop_ids", "lines": [1]}]}
            client.post(f"/v1/dataset-versions/{version['id']}/derive", json=operations).raise_for_status()
            print(f"  derive: {time.perf_counter() - begun:.1f} s; {peak_mb(process.pid):.0f} MB at most")
            print(f"    {witness.told()}", flush=True)
            witness.running = False
            witness.join()
        finally:
            process.terminate()
            process.wait()


def connect(key: Path) -> httpx.Client:
    client = httpx.Client(base_url=f"http://127.0.0.1:{PORT}", timeout=1800)
    for _ in range(600):
        try:
            if client.get("/readyz").status_code == 200:
                client.headers["Authorization"] = f"Bearer {key.read_text().strip()}"
                return client
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError("the service does not start")


def quality(client: httpx.Client, version_id: str) -> dict[str, object]:
    report: dict[str, object] = client.get(f"/v1/dataset-versions/{version_id}/quality").raise_for_status().json()
    return report


if __name__ == "__main__":
    for size in [int(text) for text in sys.argv[1:]] or [100, 200]:
        measure(size)
