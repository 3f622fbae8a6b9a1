"""What a call costs: `python -m tests.bench.bench_api [N_RUNS]`.

The application is called over its ASGI interface in this process, on an embedded database without durability, so the
figures are the service's own. Compare them only within one run; every ratio is of medians taken alternately.
"""

import asyncio
import dataclasses
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
from litestar import Litestar, get, post
from litestar.params import JSONBody

from whatnext_service.app import create_app
from whatnext_service.config import Settings
from whatnext_service.contract.loops import NewLoop
from whatnext_service.contract.workspace import NewKey
from whatnext_service.flows.keys import create_key, open_workspace
from whatnext_service.store.embedded import EmbeddedPostgres
from whatnext_service.store.migrate import migrate
from whatnext_service.store.postgres_cluster import EmbeddedSettings

N_RUNS, N_CALLS, N_WAITING, N_TWINS = 100_000, 200, 1_000, 100
LOOP = b'{"slug": "%d", "task": "Sort letters."}'
FILL = """
insert into loop (id, workspace_id, slug, task, metric, rules, budget, choices, autopilot, state_changed_at, created_at,
                  updated_at)
select 'loop_' || $3 || lpad(g::text, 24, '0'), $1, $3 || g, '', metric, rules, budget, choices, 'off', now(), now(),
       now()
from generate_series(0, $2::int / 1000) g,
     (select metric, rules, budget, choices from loop where workspace_id = $1 and slug = 'model') as model
"""
FILL_RUNS = """
insert into run (id, workspace_id, loop_id, number, provider, status, config, changed, confounded_by, created_at,
                 updated_at)
select 'run_' || $3 || lpad(g::text, 24, '0'), $1, 'loop_' || $3 || lpad((g / 1000)::text, 24, '0'), g, 'external',
       case when g % 1000 = 7 then 'failed' else 'succeeded' end,
       '{"base_model": "gpt-4.1-mini", "dataset_version_id": "dsv_1"}', '{}', '{}', now(), now()
from generate_series(1, $2::int) g
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Caller:
    """Calls an application without a client between."""

    app: Any
    secret: str = ""

    async def __call__(
        self, method: str, path: str, *, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Any:
        """The status, the headers and the body of one answer."""
        sent = {"authorization": f"Bearer {self.secret}", "content-type": "application/json", **(headers or {})}
        route, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "method": method,
            "path": route,
            "raw_path": route.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "server": ("bench", 80),
            "client": ("bench", 1),
        }
        answer: list[Any] = [0, {}, b""]

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer[0], answer[1] = message["status"], dict(message["headers"])
            else:
                answer[2] += message.get("body", b"")

        await self.app(scope, receive, send)
        return answer


async def timed(*calls: Callable[[], Awaitable[Any]], n: int = N_CALLS) -> list[tuple[float, float]]:
    """For each call its median in ms and its CPU in ms, one after the other in turn."""
    walls: list[list[float]] = [[] for _ in calls]
    cpus = [0.0 for _ in calls]
    for turn in range(n + 10):
        for place, call in enumerate(calls):
            wall, cpu = time.perf_counter(), time.process_time()
            await call()
            if turn >= 10:
                walls[place].append((time.perf_counter() - wall) * 1000)
                cpus[place] += (time.process_time() - cpu) * 1000
    return [(statistics.median(wall), cpu / n) for wall, cpu in zip(walls, cpus, strict=True)]


async def lists(small: Caller, large: Caller, n_runs: int) -> None:
    """A page of 50 among few and among many."""
    page = f"run_b{str(n_runs // 50).zfill(24)}"
    cases = {
        "newest": ("", ""),
        "deep": ("", f"&cursor={page}"),
        "one loop": ("&loop_id=a0", f"&loop_id=b{n_runs // 2000}"),
        "rare status": ("&status=failed", "&status=failed"),
    }
    print(f"\nlist of 50 runs, ms          among 100   among {n_runs:,}   ratio")
    for name, (few, many) in cases.items():
        (a, _), (b, _) = await timed(
            lambda few=few: small("GET", f"/v1/runs?limit=50{few}"),  # type: ignore[misc]
            lambda many=many: large("GET", f"/v1/runs?limit=50{many}"),  # type: ignore[misc]
        )
        print(f"  {name:<26} {a:9.2f} {b:15.2f} {b / a:7.2f}")


async def against_bare(call: Caller, run_id: str) -> None:
    """The same answers from a bare Litestar application with one handler and no database."""
    status, _, stored = await call("GET", f"/v1/runs/{run_id}")
    assert status == 200, stored

    @get("/v1/runs/{run_id:str}")
    async def bare_get(run_id: str) -> bytes:
        return bytes(stored)

    @post("/v1/loops")
    async def bare_post(data: JSONBody[NewLoop]) -> NewLoop:
        return data

    bare = Caller(app=Litestar([bare_get, bare_post], openapi_config=None, logging_config=None))
    numbers = iter(range(10**9))
    print("\none call, ms (CPU ms)             bare Litestar          service    ratio of CPU")
    for name, calls in {
        "GET /livez": (lambda: bare("GET", f"/v1/runs/{run_id}"), lambda: call("GET", "/livez")),
        "GET a run": (lambda: bare("GET", f"/v1/runs/{run_id}"), lambda: call("GET", f"/v1/runs/{run_id}")),
        "POST a loop": (
            lambda: bare("POST", "/v1/loops", body=LOOP % 1),
            lambda: call("POST", "/v1/loops", body=LOOP % next(numbers)),
        ),
    }.items():
        (a, a_cpu), (b, b_cpu) = await timed(*calls)
        print(f"  {name:<26} {a:8.2f} ({a_cpu:.2f}) {b:12.2f} ({b_cpu:.2f}) {b_cpu / a_cpu:10.1f}")


async def waiting(call: Caller, dsn: str) -> None:
    """Many readers that wait for one loop."""
    services = call.app.state["services"]
    tag = (await call("GET", "/v1/loops/model/next"))[1][b"etag"].decode()
    started = time.perf_counter()
    ask = [call("GET", "/v1/loops/model/next?wait=30", headers={"if-none-match": tag}) for _ in range(N_WAITING)]
    readers = [asyncio.create_task(each) for each in ask]
    while services.bell.n_waiting < N_WAITING or services.pool.get_idle_size() < services.pool.get_size():  # noqa: ASYNC110 -- the bell tells nobody that it is listened to
        await asyncio.sleep(0.01)
    settled = time.perf_counter() - started
    conn = await asyncpg.connect(dsn)
    held = await conn.fetchval("select count(*) from pg_stat_activity where application_name like 'whatnext%'")
    await conn.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    woken = time.perf_counter()
    await call("PATCH", "/v1/loops/model", body=b'{"rules": {"patience": 2}}')
    statuses = {answer[0] for answer in await asyncio.gather(*readers)}
    print(
        f"\n{N_WAITING:,} waiting readers: all waiting after {settled:.1f} s, {held} database connections (pool of "
        f"{services.pool.get_max_size()} and the listener), all answered {statuses} in "
        f"{time.perf_counter() - woken:.1f} s, process at most {memory:.0f} MB"
    )


async def twins(call: Caller, dsn: str) -> None:
    """Identical POSTs at once."""
    started = time.perf_counter()
    headers = {"idempotency-key": "twins"}
    body = b'{"slug": "twin", "task": "x"}'
    answers = await asyncio.gather(*(call("POST", "/v1/loops", body=body, headers=headers) for _ in range(N_TWINS)))
    took = time.perf_counter() - started
    conn = await asyncpg.connect(dsn)
    n_rows = await conn.fetchval("select count(*) from loop where slug = 'twin'")
    await conn.close()
    replayed = sum(b"idempotent-replayed" in answer[1] for answer in answers)
    print(
        f"\n{N_TWINS} identical POSTs at once: {n_rows} row, {replayed} replays, statuses "
        f"{ {answer[0] for answer in answers} }, {took * 1000:.0f} ms"
    )


async def main(n_runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedPostgres(EmbeddedSettings(root=Path(folder), fast=True)) as dsn:
            await migrate(dsn)
            app = create_app(Settings(data_dir=Path(folder), log_level="error"), dsn, with_worker=False)
            async with app.lifespan():
                services = app.state["services"]
                callers = []
                for name, n in (("a", 100), ("b", n_runs)):
                    workspace = await open_workspace(services, name)
                    async with services.begin(workspace) as tx:
                        secret = (await create_key(tx, NewKey(name="bench", scopes=("admin",)))).secret
                    caller = Caller(app=app, secret=secret)
                    await caller("POST", "/v1/loops", body=b'{"slug": "model", "task": "x"}')
                    await services.pool.execute(FILL, workspace, n, name)
                    await services.pool.execute(FILL_RUNS, workspace, n, name)
                    callers.append(caller)
                await services.pool.execute("analyze")
                small, large = callers
                await lists(small, large, n_runs)
                await against_bare(small, f"run_a{'7'.zfill(24)}")
                await twins(small, dsn)
                await waiting(small, dsn)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else N_RUNS))
