"""What one large loop costs the service: `python -m tests.bench.bench_loop [N_RUNS ...]`.

The loop of `bench_plan` in an embedded database without durability. CPU is this process's, where the database is not:
what the event loop cannot serve anybody else meanwhile. Every figure is the least of several calls.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.bench.bench_api import Caller
from tests.bench.bench_plan import a_loop_of
from tests.store.stored_loop import store_loop

from whatnext_service.app import create_app
from whatnext_service.config import Settings
from whatnext_service.contract.workspace import NewKey
from whatnext_service.core.plan import what_next
from whatnext_service.flows.compare import compare_evaluations
from whatnext_service.flows.context import Services, Tx
from whatnext_service.flows.diagnose import diagnose_run
from whatnext_service.flows.keys import create_key, open_workspace
from whatnext_service.flows.what_next import load_loop_state
from whatnext_service.store.embedded import EmbeddedPostgres
from whatnext_service.store.migrate import migrate
from whatnext_service.store.postgres_cluster import EmbeddedSettings

SIZES = (100, 1_000)
N_CALLS = 12


async def cost(call: Callable[[], Awaitable[object]]) -> str:
    """Least CPU and least time of a call, in ms."""
    cpus, walls = [], []
    for _ in range(N_CALLS):
        cpu, wall = time.process_time(), time.perf_counter()
        await call()
        cpus.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
    return f"{1e3 * min(cpus):8.2f} ms CPU {1e3 * min(walls):8.2f} ms"


async def measure(services: Services, caller: Caller, workspace_id: str, n_runs: int) -> None:
    """Every read and every step that follows from an event, on a loop of this size."""
    state = a_loop_of(n_runs)
    async with services.begin(workspace_id) as tx:
        await store_loop(tx.conn, workspace_id, state)
    await services.pool.execute("analyze")
    loop_id, run_id = state.loop.id, state.runs[-1].id
    before, last = state.evaluations[-3], state.evaluations[-1]

    def within(flow: Callable[[Tx], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
        async def call() -> None:
            async with services.begin(workspace_id) as tx:
                await flow(tx)

        return call

    async def plan() -> None:
        what_next(state)

    def get(path: str, accept: str = "application/json") -> Callable[[], Awaitable[object]]:
        return lambda: caller("GET", f"/v1/loops/{loop_id}/{path}", headers={"accept": accept})

    print(f"\n{n_runs:,} runs")
    for name, call in {
        "load the state": within(lambda tx: load_loop_state(tx, loop_id)),
        "plan": plan,
        "GET next, known": get("next"),
        "diagnose a run": within(lambda tx: diagnose_run(tx, loop_id, run_id)),
        "compare two evaluations": within(lambda tx: compare_evaluations(tx, last.id, before.id)),
        "GET history": get("history"),
        "GET history as markdown": get("history", "text/markdown"),
        "GET history as csv": get("history", "text/csv"),
    }.items():
        print(f"  {name:<26}{await cost(call)}")


async def main(n_runs: int) -> None:
    """One loop in a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedPostgres(EmbeddedSettings(root=Path(folder), fast=True)) as dsn:
            await migrate(dsn)
            app = create_app(Settings(data_dir=Path(folder), log_level="error"), dsn, with_worker=False)
            async with app.lifespan():
                services = app.state["services"]
                workspace = await open_workspace(services, "bench")
                async with services.begin(workspace) as tx:
                    secret = (await create_key(tx, NewKey(name="bench", scopes=("admin",)))).secret
                await measure(services, Caller(app=app, secret=secret), workspace, n_runs)


if __name__ == "__main__":
    for n_runs in [int(each) for each in sys.argv[1:]] or SIZES:
        asyncio.run(main(n_runs))
