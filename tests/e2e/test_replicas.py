"""Two servers and a worker on one database: they act as one, stop without a loss, and log no secret."""

import asyncio
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from tests.e2e.processes import Json, Process, connect, ok, serve, wait_for
from tests.sandbox.synthetic import make_rows, to_jsonl

from whatnext_service.config import Secret, Settings
from whatnext_service.contract.workspace import NewKey
from whatnext_service.sandbox.serving import Launched, launch
from whatnext_service.sandbox.state import read_ledger
from whatnext_service.serving import make_key

pytestmark = pytest.mark.slow
WORKER = [sys.executable, "-m", "whatnext_service", "worker"]
PROMPT = "Where is the parcel of Mrs Abernathy-Quill?"


class Replicas:
    """Their processes, clients and trainer."""

    def __init__(self, stack: ExitStack, folder: Path, dsn: str) -> None:
        self.stack = stack
        self.folder = folder
        self.trainer: Launched = launch(folder / "trainer", faults=True, plain_results=True)
        stack.callback(self.trainer.stop)
        self.environment = {
            "DATABASE_URL": dsn,
            "WHATNEXT_DATA_DIR": str(folder),
            "WHATNEXT_SANDBOX_URL": self.trainer.base_url,
            "WHATNEXT_SANDBOX_API_KEY": self.trainer.api_key,
            "WHATNEXT_SANDBOX_POLL_INTERVAL_S": "0.1",
            "WHATNEXT_LOG_LEVEL": "debug",
        }
        settings = Settings(database_url=Secret(dsn))
        self.key = asyncio.run(make_key(settings, "ours", NewKey(name="test", scopes=("admin",))))
        self.worker = self.start_worker("worker")
        self.servers = [self.start_server(name) for name in ("one", "other")]
        self.one, self.other = (api for _, api in self.servers)
        ok(self.one.post("/v1/loops", json={"slug": "letters", "task": "Sort letters."}))
        dataset = ok(self.other.post("/v1/datasets", json={"name": "training", "loop_id": "letters"}))
        self.uploads = f"/v1/datasets/{dataset['id']}/versions"
        self.content = to_jsonl([(PROMPT, "shipping"), *make_rows(63, seed=1)])
        self.version = ok(self.one.post(self.uploads, content=self.content))

    def start_worker(self, name: str) -> Process:
        worker = Process(WORKER, self.folder / f"{name}.log", **self.environment)
        self.stack.callback(worker.stop)
        return worker

    def start_server(self, name: str) -> tuple[Process, httpx.Client]:
        process, url = serve(self.folder / f"{name}.log", **self.environment)
        self.stack.callback(process.stop)
        return process, self.stack.enter_context(connect(url, self.key))

    def new_run(self, **fields: object) -> Json:
        config = {"base_model": "sandbox-small", "dataset_version_id": self.version["id"], "n_epochs": 1, "seed": 1}
        return {"loop_id": "letters", "provider": "sandbox", "config": config | fields}

    def register(self) -> Json:
        """A run that trains elsewhere, which only its owner moves."""
        return ok(self.one.post("/v1/runs", json=self.new_run() | {"provider": "external"}))

    def plan(self, **fault: object) -> None:
        headers = {"Authorization": f"Bearer {self.trainer.api_key}"}
        base = self.trainer.base_url.removesuffix("/v1")
        httpx.post(f"{base}/sandbox/faults", json=fault, headers=headers).raise_for_status()


class Background(threading.Thread):
    """A blocking call at the side; `result` waits for what it gave."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self._given: object = None
        self.start()

    def run(self) -> None:
        try:
            self._given = self._call()
        except Exception as error:
            self._given = error

    def result(self) -> object:
        self.join(60)
        assert not self.is_alive()
        return self._given


@pytest.fixture(scope="module")
def replicas(
    make_database: Callable[[str | None], str], template_dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Replicas]:
    with ExitStack() as stack:
        yield Replicas(stack, tmp_path_factory.mktemp("replicas"), make_database(template_dsn))


def test_twins_at_two_servers_make_one_run(replicas: Replicas) -> None:
    async def post_all() -> list[httpx.Response]:
        headers = {"Idempotency-Key": "twins", "Authorization": f"Bearer {replicas.key}"}
        async with httpx.AsyncClient(headers=headers, timeout=30) as client:
            urls = [f"{api.base_url}/v1/runs" for api in (replicas.one, replicas.other)]
            body = replicas.new_run(seed=2)
            return await asyncio.gather(*(client.post(urls[n % 2], json=body) for n in range(20)))

    before = read_ledger(replicas.trainer.folder).jobs_created
    answers = asyncio.run(post_all())
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    run = answers[0].json()
    wait_for(lambda: ok(replicas.other.get(f"/v1/runs/{run['id']}"))["status"] == "succeeded", "the end of the run")
    assert read_ledger(replicas.trainer.folder).jobs_created == before + 1


def test_who_waits_at_one_server_hears_what_another_did(replicas: Replicas) -> None:
    run = replicas.register()
    path, known = f"/v1/runs/{run['id']}", {"If-None-Match": f'"{run["version"]}"'}

    def read_stream() -> str:
        headers, asked = {"Accept": "text/event-stream"}, {"after": last, "type": "run.succeeded"}
        with replicas.one.stream("GET", "/v1/events", headers=headers, params=asked) as stream:
            return next(line for line in stream.iter_lines() if run["id"] in line)

    last = ok(replicas.one.get("/v1/events?limit=100"))["data"][-1]["id"]
    waiting = Background(lambda: replicas.one.get(f"{path}?wait=30", headers=known))
    following = Background(read_stream)
    ok(replicas.other.patch(path, json={"status": "succeeded"}))
    moved = waiting.result()
    assert isinstance(moved, httpx.Response), moved
    assert (moved.status_code, moved.json()["status"]) == (200, "succeeded")
    assert '"run.succeeded"' in str(following.result())


def test_a_killed_server_takes_nothing_with_it(replicas: Replicas) -> None:
    victim, api = replicas.start_server("victim")
    run = ok(api.post("/v1/runs", json=replicas.new_run(seed=3)))
    victim.kill()
    done = wait_for(
        lambda: (found := ok(replicas.one.get(f"/v1/runs/{run['id']}")))["status"] == "succeeded" and found, "the end"
    )
    assert done["reading"] is not None


def test_a_stop_lets_everyone_finish(replicas: Replicas) -> None:
    """A wait, a stream, an upload and a job are under way."""
    external = replicas.register()
    known = {"If-None-Match": f'"{external["version"]}"'}
    half_sent, go_on, streaming = threading.Event(), threading.Event(), threading.Event()

    def chunks() -> Iterator[bytes]:
        middle = len(replicas.content) // 2
        yield replicas.content[:middle].replace(b"parcel", b"letter")
        half_sent.set()
        go_on.wait(20)
        yield replicas.content[middle:]

    def follow() -> str:
        with replicas.one.stream("GET", "/v1/events", headers={"Accept": "text/event-stream"}) as stream:
            for _ in stream.iter_lines():
                streaming.set()
        return "ended"

    replicas.plan(kind="slow", on="jobs.events", delay_s=1.0)
    before = read_ledger(replicas.trainer.folder)
    run = ok(replicas.other.post("/v1/runs", json=replicas.new_run(seed=4)))
    waiting = Background(lambda: replicas.one.get(f"/v1/runs/{external['id']}?wait=30", headers=known).status_code)
    following = Background(follow)
    uploading = Background(lambda: replicas.one.post(replicas.uploads, content=chunks()).status_code)
    assert half_sent.wait(20)
    assert streaming.wait(20)
    polls = "jobs.events"
    wait_for(lambda: read_ledger(replicas.trainer.folder).calls.get(polls, 0) > before.calls.get(polls, 0), "a look")
    stopped = [Background(process.stop) for process in (replicas.servers[0][0], replicas.worker)]
    assert waiting.result() == 304
    assert following.result() == "ended"
    go_on.set()
    assert uploading.result() == 201
    assert [each.result() for each in stopped] == [0, 0]
    replicas.start_worker("heir")
    wait_for(lambda: ok(replicas.other.get(f"/v1/runs/{run['id']}"))["status"] == "succeeded", "the end of the run")
    assert read_ledger(replicas.trainer.folder).jobs_created == before.jobs_created + 1


def test_logs_are_json_without_a_secret(replicas: Replicas) -> None:
    hook = ok(replicas.other.post("/v1/webhook-endpoints", json={"url": "https://example.invalid/hook"}))
    key = ok(replicas.other.post("/v1/keys", json={"name": "another"}))
    with connect(str(replicas.other.base_url), key["secret"]) as holder:
        assert holder.get("/v1/loops/nothing-here", headers={"X-Request-Id": "asked-for-this"}).status_code == 404
    assert replicas.servers[1][0].stop() == 0
    lines = [
        line
        for log in replicas.folder.glob("*.log")
        for line in log.read_text().splitlines()
        if not line.startswith("whatnext answers at ")
    ]
    told = [json.loads(line) for line in lines]
    assert {"request", "job"} <= {each["event"] for each in told}
    assert all({"level", "timestamp", "event"} <= each.keys() for each in told)
    assert [each for each in told if each["level"] not in ("debug", "info", "warning")] == []
    requests = [each for each in told if each["event"] == "request"]
    assert all(each["request_id"] for each in requests)
    assert [each["status"] for each in requests if each["request_id"] == "asked-for-this"] == [404]
    secrets = (replicas.key, key["secret"], hook["secret"], replicas.trainer.api_key, PROMPT)
    assert [secret for secret in secrets for line in lines if secret in line] == []
