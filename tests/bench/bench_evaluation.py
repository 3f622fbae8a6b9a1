"""Wall time of an evaluation against a quick endpoint, beside the ideal: python -m tests.bench.bench_evaluation

1,000 items at concurrency 64, an endpoint that takes 50 ms, a durable embedded server; each a process of its own. The
clock runs from the moment a worker takes the job up to the commit that closes the evaluation with its figures; the
request that starts it and the queue's hand-over are not in it. Ideal: 16 rounds of 50 ms. The same requests without an
evaluation around them are timed in between: what the machine gives at the time. `chrt -r 1` before the command keeps
others' load out of it.
"""

import asyncio
import gc
import math
import multiprocessing
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from tests.flows.endpoint import Endpoint, serve_forever
from tests.flows.preparing import make_suite

from whatnext_service.app import database, open_services
from whatnext_service.config import Secret, Settings
from whatnext_service.contract.evaluations import NewEvaluation
from whatnext_service.flows.context import Services
from whatnext_service.flows.evaluate import evaluate
from whatnext_service.flows.keys import open_workspace
from whatnext_service.flows.start_evaluation import start_evaluation
from whatnext_service.providers.port import CompletionRequest, Message
from whatnext_service.store import evaluations

DELAY_S = 0.05
CONCURRENCY = 64
ROUNDS = 9


def run_endpoint(pipe: Connection) -> None:
    endpoint = Endpoint(answer=lambda asked: "0", delay_s=DELAY_S)
    asyncio.run(serve_forever(endpoint, lambda: pipe.send(endpoint.port)))


async def bare(services: Services, n_items: int, n_round: int) -> float:
    """Seconds for the same requests without an evaluation around them."""
    waiting = list(range(n_items))

    async def ask() -> None:
        while waiting:
            turns = (Message(role="user", content="How much is 1 and 1?"),)
            key = f"bare-{n_round}-{waiting.pop()}"
            await services.providers["sandbox"].models.complete(
                CompletionRequest(model="m", messages=turns, idempotency_key=key, temperature=0.0)
            )

    started_s = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(CONCURRENCY)))
    return time.perf_counter() - started_s


async def measure(folder: Path, port: int, n_items: int) -> None:
    settings = Settings(
        data_dir=folder,
        sandbox_url=f"http://127.0.0.1:{port}/v1",
        sandbox_api_key=Secret("none"),
        evaluation_concurrency=CONCURRENCY,
    )
    async with database(settings) as dsn, open_services(settings, dsn) as services:
        workspace_id = await open_workspace(services, "bench")
        suite = await make_suite(services, workspace_id, n_items)
        ideal_s = math.ceil(n_items / CONCURRENCY) * DELAY_S
        gc.freeze()
        print(f"ideal {ideal_s:.2f} s")
        bare_ratios, ratios = [], []
        for n in range(ROUNDS):
            bare_s = await bare(services, n_items, n)
            new = NewEvaluation(loop_id=suite.loop_id, suite_id=suite.id, subject="base_model", base_model=f"base-{n}")
            async with services.begin(workspace_id) as tx:
                started, _ = await start_evaluation(tx, new)
            clock_s, cpu_s = time.perf_counter(), time.process_time()
            await evaluate(services, started.id)
            clock_s, cpu_s = time.perf_counter() - clock_s, time.process_time() - cpu_s
            async with services.pool.acquire() as conn:
                done = await evaluations.get_evaluation(conn, workspace_id, started.id)
            assert done is not None
            assert (done.status, done.n_scored) == ("succeeded", n_items)
            print(f"{n_items} items: {clock_s:.2f} s, {cpu_s:.2f} s CPU; requests alone {bare_s:.2f} s")
            bare_ratios.append(bare_s / ideal_s)
            ratios.append(clock_s / ideal_s)
        for name, all_ratios in (("evaluation", ratios), ("requests alone", bare_ratios)):
            print(f"{name}: median {statistics.median(all_ratios):.2f} x ideal, worst {max(all_ratios):.2f}")


if __name__ == "__main__":
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=run_endpoint, args=(theirs,), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory(prefix="whatnext-bench-") as temporary:
        Path(temporary).chmod(0o755)
        asyncio.run(measure(Path(temporary), ours.recv(), int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
    server.terminate()
