"""What the SDK costs beside raw httpx: CPU per call over a transport in memory, and CPU to import.

`python tests/bench/bench_sdk.py` prints the table and fails when a bar of the project is missed.
"""

import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import httpx
import msgspec

import whatnext
from whatnext import models
from whatnext.testing import example

CALLS = 400
ROUNDS = 15
MAX_CALL = 1.1
"""CPU per call, as a multiple of raw httpx with `.json()`."""
MAX_PAGE = 1.0
MAX_IMPORT = 2.0


def cpu_us(call: Callable[[], object]) -> float:
    """CPU microseconds of one call."""
    started = time.process_time_ns()
    for _ in range(CALLS):
        call()
    return (time.process_time_ns() - started) / CALLS / 1000


def alternate(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float, float]:
    """Medians of both, measured in turn, and the median of their ratio."""
    pairs = []
    for _ in range(ROUNDS):
        gc.collect()
        pairs.append((cpu_us(one), cpu_us(other)))
    firsts, seconds = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return statistics.median(firsts), statistics.median(seconds), statistics.median(a / b for a, b in pairs)


def import_ms(modules: tuple[str, ...]) -> list[float]:
    """CPU milliseconds to import each module in a new process, from bytecode; the least of several.

    httpx without its command line, whose libraries happen to be in this environment.
    """
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}

        def once(module: str) -> float:
            code = (
                "import sys, time; sys.modules['click'] = sys.modules['rich'] = None; a = time.process_time(); "
                f"import {module}; print((time.process_time() - a) * 1000)"
            )
            run = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
            )
            return float(run.stdout)

        runs = [[once(module) for module in modules] for _ in range(8)]
    return [min(times) for times in zip(*runs[1:], strict=True)]


def main() -> int:
    run = msgspec.json.encode(example(models.Run))
    page = msgspec.json.encode({"data": [example(models.Run)] * 100, "next_cursor": None})

    def answer(request: httpx.Request) -> httpx.Response:
        content = page if request.url.path == "/v1/runs" and request.method == "GET" else run
        return httpx.Response(200, content=content, headers={"content-type": "application/json"})

    headers = {"authorization": "Bearer wn_bench"}
    raw = httpx.Client(transport=httpx.MockTransport(answer), headers=headers)
    client = whatnext.Client(
        "wn_bench", base_url="http://bench", http_client=httpx.Client(transport=httpx.MockTransport(answer))
    )
    overrides = {"n_epochs": 1}
    body = {"loop_id": "support-bot", "parent_run_id": "run_1", "overrides": overrides}
    table = {
        "GET one": (
            lambda: client.runs.get("run_1"),
            lambda: raw.get("http://bench/v1/runs/run_1").json(),
            MAX_CALL,
        ),
        "POST one": (
            lambda: client.runs.create(loop_id="support-bot", parent_run_id="run_1", overrides={"n_epochs": 1}),
            lambda: raw.post("http://bench/v1/runs", json=body).json(),
            MAX_CALL,
        ),
        "page of 100": (
            lambda: client.runs.list(limit=100).data,
            lambda: raw.get("http://bench/v1/runs", params={"limit": 100}).json(),
            MAX_PAGE,
        ),
    }
    missed = False
    for name, (ours, theirs, bar) in table.items():
        mine, httpxs, ratio = alternate(ours, theirs)
        missed |= ratio > bar
        print(f"{name:12} {mine:8.0f} us  raw httpx {httpxs:8.0f} us  ratio {ratio:.2f} (bar {bar:.2f})")
    mine, httpxs = import_ms(("whatnext", "httpx"))
    missed |= mine / httpxs > MAX_IMPORT
    print(f"{'import':12} {mine:8.0f} ms  httpx     {httpxs:8.0f} ms  ratio {mine / httpxs:.2f} (bar {MAX_IMPORT:.2f})")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
