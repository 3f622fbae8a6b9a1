"""Large datasets through the service: how long, how much memory, and whether it answers others meanwhile.

    python tests/bench/bench_upload.py [megabytes ...]        default: 100 200

Each size goes to a service of its own over HTTP, written while it is sent (rows of about 1 KB). While the upload and
the quality report are under way, another client asks for a small resource ten times a second. The memory is the most
that the service's process has held: the server, the worker in it, and the libraries.
"""

import sys
import time
from collections.abc import Iterator

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


def held(service: Served) -> str:
    return f"{service.peak_mb():.0f} MB at most, and {service.child_mb():.0f} MB in the process that reads"


if __name__ == "__main__":
    for size in [int(text) for text in sys.argv[1:]] or [100, 200]:
        measure(size)
