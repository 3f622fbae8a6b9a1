"""Large datasets through the service: how long, how much memory, and whether it answers others meanwhile.

    python tests/bench/bench_upload.py [megabytes ...]        default: 100 200; the largest that is taken: 1073
    python tests/bench/bench_upload.py --limits [megabytes]   default: 1070

Each size goes to a service of its own over HTTP, written while it is sent (rows of about 1 KB, each with a dozen near
twins). While the upload and the quality report are under way, another client asks for a small resource ten times a
second. The memory is the most that the service's process has held (server, worker, libraries), and the most of the
process that reads large versions. With `--limits`: a faulty row at the end, a file of a byte too much, a
server killed in the middle of an upload, and what is left of them. Space on disk: five times the file.

On two busy cores, November 2026. 100 MB: upload 6.1 s CPU, report 36 s CPU, 158 + 126 MB. 1,073 MB: upload 75 s CPU,
report 433 s CPU, 264 + 329 MB; derive 389 MB. Faulty at the end of 1,070 MB: 64 s CPU, 248 MB, nothing left.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import httpx
from bench_quality import LABELS, Writer, encode
from served import Served, Witness, report_of, served

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


def measure(megabytes: int) -> None:
    with served() as service:
        client, witness = service.client(), Witness(service.client())
        bare = service.peak_mb()
        dataset = client.post("/v1/datasets", json={"name": "large"}).raise_for_status().json()
        witness.start()
        begun, used = time.perf_counter(), service.cpu_s()
        answer = client.post(f"/v1/datasets/{dataset['id']}/versions", content=rows(megabytes))
        version = answer.raise_for_status().json()
        took, used = time.perf_counter() - begun, service.cpu_s() - used
        print(f"{version['n_examples']} rows, {version['n_bytes'] / 1e6:.0f} MB", flush=True)
        print(f"  upload: {took:.1f} s, {used:.1f} s CPU; {bare:.0f} MB idle, {service.peak_mb():.0f} MB at most")
        print(f"    {witness.told()}", flush=True)
        begun, used = time.perf_counter(), service.cpu_s()
        report = report_of(client, version["id"])
        took, used = time.perf_counter() - begun, service.cpu_s() - used
        print(f"  report {report['status']}: {took:.1f} s more, {used:.1f} s CPU; {held(service)}")
        print(f"    {witness.told()}", flush=True)
        begun = time.perf_counter()
        operations = {"operations": [{"kind": "drop_ids", "lines": [1]}]}
        client.post(f"/v1/dataset-versions/{version['id']}/derive", json=operations).raise_for_status()
        print(f"  derive: {time.perf_counter() - begun:.1f} s; {held(service)}")
        print(f"    {witness.told()}", flush=True)
        witness.running = False
        witness.join()


def limits(megabytes: int) -> None:
    """A faulty row at the end of a large file, a server killed in the middle of one, and a file that is too large."""
    with tempfile.TemporaryDirectory() as folder:
        spools = Path(folder) / "spools"
        spools.mkdir()
        with served(folder, TMPDIR=str(spools)) as service:
            client = service.client()
            dataset = client.post("/v1/datasets", json={"name": "large"}).raise_for_status().json()
            path, before = f"/v1/datasets/{dataset['id']}/versions", stored_mb(folder)
            for what, content in (
                ("a faulty last row", chain(blocks(megabytes), [b'{"messages": []}\n'])),
                ("a byte more than 1 GiB", exactly(2**30 + 1)),
            ):
                begun, used = time.perf_counter(), service.cpu_s()
                answer = client.post(path, content=content)
                print(f"{what}: {answer.status_code} {answer.json()['code']}: {answer.json()['detail']}")
                print(
                    f"  {time.perf_counter() - begun:.1f} s, {service.cpu_s() - used:.1f} s CPU; "
                    f"{service.peak_mb():.0f} MB at most; {left(client, path, folder, before)}"
                )
            killer = threading.Timer(20, service.process.kill)
            killer.start()
            try:
                client.post(path, content=blocks(megabytes))
            except httpx.TransportError as error:
                print(f"killed after 20 s of an upload: the client sees {type(error).__name__}")
            service.process.wait()
        with served(folder, TMPDIR=str(spools)) as service:
            print(f"  after the start that follows: {left(service.client(), path, folder, before)}")
        print(f"  files left of uploads: {len(list(spools.iterdir()))}")


def blocks(megabytes: int) -> Iterator[bytes]:
    """Sound rows, the same again and again."""
    first = next(rows(1))
    for _ in range(megabytes * 1_000_000 // len(first)):
        yield first


def exactly(n_bytes: int) -> Iterator[bytes]:
    """Sound rows and, at the end, spaces."""
    first = next(rows(1))
    for _ in range(n_bytes // len(first)):
        yield first
    yield b" " * (n_bytes % len(first))


def left(client: httpx.Client, path: str, folder: str, before: float) -> str:
    n_versions = len(client.get(path).raise_for_status().json()["data"])
    return f"{n_versions} versions, the database grew by {stored_mb(folder) - before:.0f} MB"


def stored_mb(folder: str) -> float:
    """What the tables take, without the log that Postgres writes ahead."""
    return sum(file.stat().st_size for file in Path(folder).rglob("base/*/*") if file.is_file()) / 1e6


def held(service: Served) -> str:
    return f"{service.peak_mb():.0f} MB at most, and {service.child_mb():.0f} MB in the process that reads"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--limits"]:
        limits(int(sys.argv[2]) if len(sys.argv) > 2 else 1_070)
        sys.exit()
    for size in [int(text) for text in sys.argv[1:]] or [100, 200]:
        measure(size)
