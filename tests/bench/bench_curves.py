"""How long other requests wait while a long curve is read: `python -m tests.bench.bench_curves [N_POINTS]`.

The application is called over its ASGI interface in this process, on an embedded database without durability. A ticker
sleeps 5 ms at a time beside each call; its longest gap is how long the event loop served nobody else. Each figure is
the least of five.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.bench_api import Caller

from whatnext_service.app import create_app
from whatnext_service.config import Settings
from whatnext_service.contract.workspace import NewKey
from whatnext_service.flows.keys import create_key, open_workspace
from whatnext_service.store.embedded import EmbeddedPostgres
from whatnext_service.store.migrate import migrate
from whatnext_service.store.postgres_cluster import EmbeddedSettings

N_POINTS, N_TIMES, TICK_S = 1_000_000, 5, 0.005
RUN = "run_" + "0" * 26
FILL_RUN = """
insert into run (id, workspace_id, loop_id, number, provider, status, config, changed, confounded_by, created_at,
                 updated_at)
select $1, workspace_id, id, 1, 'external', 'succeeded', '{"base_model": "m", "dataset_version_id": "dsv_1"}', '{}',
       '{}', now(), now()
from loop
"""
FILL_CURVE = """
insert into metric (run_id, name, step, value)
select $1, name, step, 1.5 + exp(-step / 1e5) + 0.1 * random()
from unnest(array['train_loss', 'valid_loss']) as name, generate_series(1, $2::int / 2) as step
"""


async def longest_gap(ended: asyncio.Event) -> float:
    """Seconds between two ticks, the most of all."""
    most, last = 0.0, time.perf_counter()
    while not ended.is_set():
        await asyncio.sleep(TICK_S)
        now = time.perf_counter()
        most, last = max(most, now - last), now
    return most


async def measure(caller: Caller, method: str, query: str, body: bytes, **headers: str) -> tuple[float, float, int]:
    """Gap and duration in ms, and the bytes of the answer."""
    gaps, walls, answer = [], [], b""
    for _ in range(N_TIMES):
        ended = asyncio.Event()
        ticker = asyncio.create_task(longest_gap(ended))
        await asyncio.sleep(2 * TICK_S)
        started = time.perf_counter()
        status, _, answer = await caller(method, f"/v1/runs/{RUN}/metrics{query}", body=body, headers=headers)
        walls.append(1000 * (time.perf_counter() - started))
        ended.set()
        gaps.append(1000 * await ticker)
        assert status == 200, answer[:300]
    return min(gaps), min(walls), len(answer)


async def main(n_points: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedPostgres(EmbeddedSettings(root=Path(folder), fast=True)) as dsn:
            await migrate(dsn)
            app = create_app(Settings(data_dir=Path(folder), log_level="error"), dsn, with_worker=False)
            async with app.lifespan():
                services = app.state["services"]
                workspace = await open_workspace(services, "bench")
                async with services.begin(workspace) as tx:
                    secret = (await create_key(tx, NewKey(name="bench", scopes=("admin",)))).secret
                caller = Caller(app=app, secret=secret or "")
                await caller("POST", "/v1/loops", body=b'{"slug": "model", "task": "x"}')
                await services.pool.execute(FILL_RUN, RUN)
                await services.pool.execute(FILL_CURVE, RUN, n_points)
                await services.pool.execute("analyze")
                file = b"step,train_loss\n" + b"".join(b"%d,1.5\n" % step for step in range(1, n_points // 10))
                print(f"{n_points:,} values            longest gap ms      all ms    bytes")
                for name, case in {
                    "a small run": ("GET", "?name=none", b"", {}),
                    "GET all": ("GET", "", b"", {}),
                    "GET 1,000 points": ("GET", "?max_points=1000", b"", {}),
                    "GET a picture": ("GET", "", b"", {"accept": "image/svg+xml"}),
                    "PUT a tenth of it": ("PUT", "", file, {"content-type": "text/csv"}),
                }.items():
                    method, query, body, headers = case
                    gap, wall, n_bytes = await measure(caller, method, query, body, **headers)
                    print(f"  {name:<22} {gap:14.0f} {wall:11.0f} {n_bytes:10,}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else N_POINTS))
