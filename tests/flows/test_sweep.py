"""What was forgotten is found again, and what is at work is left alone; poison does not work for ever."""

import dataclasses
from datetime import timedelta

import httpx
import msgspec
import pytest
from tests.api.driving import Json, make_loop, make_suite, ok, rows, upload
from tests.worker.test_queue import until, working
from tests.worker.worker_process import QUICK

from whatnext_service.flows.context import Services
from whatnext_service.flows.sweep import NEGLECT_S, sweep
from whatnext_service.store.db import Pool
from whatnext_service.worker.queue import Queue
from whatnext_service.worker.tasks import register_tasks


@pytest.fixture
async def run(api: httpx.AsyncClient) -> Json:
    await make_loop(api)
    version = await upload(api, "training", rows(64), loop="letters")
    config = {"base_model": "sandbox-small", "dataset_version_id": version["id"], "n_epochs": 1}
    return ok(await api.post("/v1/runs", json={"loop_id": "letters", "provider": "sandbox", "config": config}), 201)


def later(services: Services, seconds: float) -> Services:
    clock = services.clock
    return dataclasses.replace(services, clock=lambda: clock() + timedelta(seconds=seconds))


async def waiting(pool: Pool, task: str) -> list[str]:
    found = await pool.fetch("select args ->> 'subject_id' as id from procrastinate_jobs where task_name = $1", task)
    return [row["id"] for row in found]


async def test_a_run_whose_job_was_lost_is_looked_at_again(services: Services, pool: Pool, run: Json) -> None:
    await pool.execute("delete from procrastinate_jobs")
    await sweep(later(services, NEGLECT_S - 5))
    assert await waiting(pool, "move_run") == []
    for _ in range(3):
        await sweep(later(services, NEGLECT_S + 5))
    assert await waiting(pool, "move_run") == [run["id"]]


async def test_an_evaluation_whose_job_was_lost_is_worked_on_again(
    api: httpx.AsyncClient, services: Services, pool: Pool, run: Json
) -> None:
    suite = await make_suite(api, "letters")
    body = {"loop_id": "letters", "suite_id": suite["id"], "subject": "base_model", "base_model": "sandbox-small"}
    evaluation = ok(await api.post("/v1/evaluations", json=body), 201)
    assert ok(await api.post("/v1/evaluations", json=body), 200)["id"] == evaluation["id"]
    await pool.execute("delete from procrastinate_jobs")
    for _ in range(3):
        await sweep(later(services, NEGLECT_S + 5))
    assert await waiting(pool, "evaluate") == [evaluation["id"]]


async def test_external_and_ended_runs_are_nobodys_work(
    api: httpx.AsyncClient, services: Services, pool: Pool, run: Json
) -> None:
    ok(await api.post(f"/v1/runs/{run['id']}/cancel"))
    await pool.execute("update run set status = 'cancelled'")
    config = {"base_model": "m", "dataset_version_id": run["config"]["dataset_version_id"]}
    ok(await api.post("/v1/runs", json={"loop_id": "letters", "provider": "external", "config": config}), 201)
    await pool.execute("delete from procrastinate_jobs")
    await sweep(later(services, 3600))
    assert await waiting(pool, "move_run") == []


async def test_a_job_that_is_under_way_is_not_doubled(services: Services, pool: Pool, run: Json) -> None:
    await pool.execute("update procrastinate_jobs set status = 'doing'")
    await sweep(later(services, 3600))
    assert await waiting(pool, "move_run") == [run["id"]]


async def test_a_deadline_that_passes_moves_the_loop(api: httpx.AsyncClient, services: Services, run: Json) -> None:
    """Method 7.4: time is a budget too, and passes without anybody's doing."""
    deadline = (services.clock() + timedelta(hours=1)).isoformat()
    before = ok(await api.patch("/v1/loops/letters", json={"budget": {"deadline": deadline}}))["state_version"]
    await sweep(services)
    assert ok(await api.get("/v1/loops/letters"))["state_version"] == before
    await sweep(later(services, 4000))
    moved = ok(await api.get("/v1/loops/letters"))["state_version"]
    assert moved > before
    await sweep(later(services, 4000))
    assert ok(await api.get("/v1/loops/letters"))["state_version"] == moved


async def test_a_poisoned_run_ends_with_a_reason(
    api: httpx.AsyncClient, services: Services, pool: Pool, dsn: str, run: Json
) -> None:
    """A fault of our own, every time: the run fails after twenty attempts and says why, and the next run is served."""

    class Poison:
        def __getattr__(self, name: str) -> None:
            raise RuntimeError("the poison")

    provider = dataclasses.replace(services.providers["sandbox"], platform=Poison())  # type: ignore[arg-type]
    queue = Queue(dsn, pool, msgspec.structs.replace(QUICK, longest_backoff_s=0.02))
    register_tasks(queue, dataclasses.replace(services, providers={"sandbox": provider}))

    async def ended() -> bool:
        return bool(ok(await api.get(f"/v1/runs/{run['id']}"))["status"] == "failed")

    async with working(queue):
        await until(ended)
    failed = ok(await api.get(f"/v1/runs/{run['id']}"))
    assert "the poison" in failed["failure"]
    answer = ok(await api.get("/v1/loops/letters/next"))
    assert answer["action"]["kind"] != "wait"
