"""kill -9 of the whole service and of its Postgres: after a restart the loop goes on, nothing lost, nothing paid
twice."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from tests.e2e.processes import Json, connect, ok, serve, wait_for
from tests.sandbox.synthetic import make_rows, to_jsonl

from whatnext_service.sandbox.state import read_ledger
from whatnext_service.store.postgres_cluster import Cluster, EmbeddedSettings

pytestmark = pytest.mark.slow


class Service:
    """`serve` on a folder of its own: database, worker and trainer are its children."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster = Cluster(EmbeddedSettings(root=folder / "data" / "postgres"))
        self.start()

    def start(self) -> None:
        self.process, self.url = serve(self.folder / "log", WHATNEXT_DATA_DIR=str(self.folder / "data"))
        self.api = connect(self.url, (self.folder / "data" / "key").read_text().strip())

    def kill(self) -> None:
        self.process.kill()
        self.api.close()

    @property
    def postmaster(self) -> int:
        return int((self.cluster.data / "postmaster.pid").read_text().split()[0])

    def age_workers(self) -> None:
        """Let the half minute pass after which a silent worker counts as dead, and its leases have ended."""

        async def age() -> None:
            conn = await asyncpg.connect(self.cluster.dsn)
            await conn.execute("update procrastinate_workers set last_heartbeat = last_heartbeat - interval '1 minute'")
            await conn.execute("delete from lease")
            await conn.close()

        asyncio.run(age())


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    started = Service(tmp_path_factory.mktemp("service"))
    yield started
    started.process.stop()


def start_run(api: httpx.Client, slug: str, seed: int) -> Json:
    ok(api.post("/v1/loops", json={"slug": slug, "task": "Sort letters."}))
    dataset = ok(api.post("/v1/datasets", json={"name": slug, "loop_id": slug}))
    content = to_jsonl(make_rows(96, seed=seed))
    version = ok(api.post(f"/v1/datasets/{dataset['id']}/versions", content=content))
    config = {"base_model": "sandbox-large", "dataset_version_id": version["id"], "n_epochs": 3, "seed": 1}
    return ok(api.post("/v1/runs", json={"loop_id": slug, "provider": "sandbox", "config": config}))


@contextmanager
def half_an_upload(service: Service, path: str, content: bytes) -> Iterator[None]:
    """While a connection is open on which half of a file has been sent."""
    host, port = service.url.removeprefix("http://").split(":")
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(content)}\r\n"
        f"Authorization: {service.api.headers['authorization']}\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + content[: len(content) // 2])
        yield


def ended(api: httpx.Client, run: Json) -> Json:
    def look() -> Json | None:
        found = ok(api.get(f"/v1/runs/{run['id']}"))
        return found if found["status"] in ("succeeded", "failed", "cancelled") else None

    return wait_for(look, "the end of the run")


def test_a_restart_goes_on_where_the_service_was_killed(service: Service) -> None:
    """In the middle of a training and of an upload: the run ends as it would have, of the upload nothing is left."""
    run = start_run(service.api, "killed", 1)
    dataset = ok(service.api.post("/v1/datasets", json={"name": "half"}))
    path = f"/v1/datasets/{dataset['id']}/versions"
    content = to_jsonl(make_rows(200, seed=9))
    with half_an_upload(service, path, content):
        wait_for(lambda: ok(service.api.get(f"/v1/runs/{run['id']}"))["status"] in ("queued", "running"), "the start")
        service.kill()
    service.start()
    service.age_workers()
    assert ok(service.api.get(f"/v1/datasets/{dataset['id']}"))["n_versions"] == 0
    assert ok(service.api.get(path))["data"] == []
    assert ok(service.api.post(path, content=content))["n_examples"] == 200
    done = ended(service.api, run)
    assert done["status"] == "succeeded", done["failure"]
    assert read_ledger(service.folder / "data" / "sandbox").jobs_created == 1
    log = ok(service.api.get("/v1/events", params={"limit": 100}))["data"]
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    assert [event["type"] for event in log].count("run.succeeded") == 1


def test_the_loop_survives_its_database(service: Service) -> None:
    before = read_ledger(service.folder / "data" / "sandbox")
    run = start_run(service.api, "bereft", 2)
    wait_for(lambda: ok(service.api.get(f"/v1/runs/{run['id']}"))["status"] in ("queued", "running"), "the start")
    victim = service.postmaster
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: service.postmaster != victim, "the restart of the database")
    loop = wait_for(lambda: ok(service.api.get("/v1/loops/bereft")), "an answer")
    assert loop["n_runs"] == 1
    done = ended(service.api, run)
    assert done["status"] == "succeeded", done["failure"]
    assert read_ledger(service.folder / "data" / "sandbox").jobs_created == before.jobs_created + 1
    assert service.process.running
