"""kill -9 of a worker in the middle of a submission, a poll, an evaluation: nothing is lost, nothing paid twice."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from tests.api.driving import EXACT
from tests.e2e.processes import Json, Process, connect, ok, serve, wait_for, work
from tests.sandbox.synthetic import make_rows, to_jsonl

from whatnext_service.config import Secret, Settings
from whatnext_service.contract.workspace import NewKey
from whatnext_service.sandbox.serving import Launched, launch
from whatnext_service.sandbox.state import Ledger, read_ledger
from whatnext_service.serving import make_key

pytestmark = pytest.mark.slow
N_ITEMS = 48


class System:
    """A server on a database, and a trainer; workers come and go."""

    def __init__(self, api: httpx.Client, trainer: Launched, start_worker: Callable[[], Process]) -> None:
        self.api = api
        self.trainer = trainer
        self._start_worker = start_worker
        self._spare: Process | None = None
        self.n_loops = 0

    def worker(self) -> Process:
        """A worker at work: the last test's heir, or a new one."""
        worker = self._spare if self._spare is not None and self._spare.running else self._start_worker()
        self._spare = None
        return worker

    def leave(self, worker: Process) -> None:
        """The next test may have it."""
        self._spare = worker

    def plan(self, **fault: object) -> None:
        headers = {"Authorization": f"Bearer {self.trainer.api_key}"}
        base = self.trainer.base_url.removesuffix("/v1")
        httpx.post(f"{base}/sandbox/faults", json=fault, headers=headers).raise_for_status()

    def clear(self) -> None:
        headers = {"Authorization": f"Bearer {self.trainer.api_key}"}
        base = self.trainer.base_url.removesuffix("/v1")
        httpx.delete(f"{base}/sandbox/faults", headers=headers).raise_for_status()

    def ledger(self) -> Ledger:
        return read_ledger(self.trainer.folder)

    def called(self, operation: str, than: Ledger) -> bool:
        return self.ledger().calls.get(operation, 0) > than.calls.get(operation, 0)

    def upload(self, name: str, content: bytes, **fields: object) -> Json:
        dataset = ok(self.api.post("/v1/datasets", json={"name": name, **fields}))
        return ok(self.api.post(f"/v1/datasets/{dataset['id']}/versions", content=content))

    def open_loop(self) -> tuple[str, Json]:
        """A loop of its own, and its training data."""
        self.n_loops += 1
        slug = f"loop-{self.n_loops}"
        ok(self.api.post("/v1/loops", json={"slug": slug, "task": "Sort letters."}))
        return slug, self.upload(f"{slug}-training", to_jsonl(make_rows(64, seed=self.n_loops)), loop_id=slug)

    def start_run(self, slug: str, version: Json) -> Json:
        config = {"base_model": "sandbox-small", "dataset_version_id": version["id"], "n_epochs": 1, "seed": 1}
        return ok(self.api.post("/v1/runs", json={"loop_id": slug, "provider": "sandbox", "config": config}))

    def ended(self, path: str) -> Json:
        def look() -> Json | None:
            found = ok(self.api.get(path))
            return found if found["status"] in ("succeeded", "failed", "cancelled") else None

        return wait_for(look, f"the end of {path}")


@pytest.fixture(scope="module")
def system(
    make_database: Callable[[str | None], str], template_dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    folder: Path = tmp_path_factory.mktemp("system")
    dsn = make_database(template_dsn)
    with ExitStack() as stack:
        trainer = launch(folder / "trainer", faults=True, plain_results=True)
        stack.callback(trainer.stop)
        environment = {
            "DATABASE_URL": dsn,
            "WHATNEXT_DATA_DIR": str(folder),
            "WHATNEXT_SANDBOX_URL": trainer.base_url,
            "WHATNEXT_SANDBOX_API_KEY": trainer.api_key,
            "WHATNEXT_SANDBOX_POLL_INTERVAL_S": "0.1",
        }
        settings = Settings(database_url=Secret(dsn))
        key = asyncio.run(make_key(settings, "ours", NewKey(name="test", scopes=("write",))))
        server, url = serve(folder / "server.log", **environment)
        stack.callback(server.stop)

        def start_worker() -> Process:
            worker = work(folder / "worker.log", **environment)
            stack.callback(worker.stop)
            return worker

        yield System(stack.enter_context(connect(url, key)), trainer, start_worker)


@pytest.fixture(autouse=True)
def no_faults(system: System) -> Iterator[None]:
    yield
    system.clear()


def test_in_the_middle_of_a_submission(system: System) -> None:
    """The paid call was sent and its answer never stored; two workers then find one job, and make no other."""
    before = system.ledger()
    slug, version = system.open_loop()
    system.plan(kind="slow", on="jobs.create", delay_s=0.5)
    victim = system.worker()
    run = system.start_run(slug, version)
    wait_for(lambda: system.called("jobs.create", before), "the submission")
    victim.kill()
    assert ok(system.api.get(f"/v1/runs/{run['id']}"))["status"] == "submitting"
    heirs = [system.worker(), system.worker()]
    done = system.ended(f"/v1/runs/{run['id']}")
    assert heirs[1].stop() == 0
    system.leave(heirs[0])
    assert done["status"] == "succeeded", done["failure"]
    assert system.ledger().jobs_created == before.jobs_created + 1


def test_in_the_middle_of_a_poll(system: System) -> None:
    before = system.ledger()
    slug, version = system.open_loop()
    system.plan(kind="slow", on="jobs.events", delay_s=1.0)
    victim = system.worker()
    run = system.start_run(slug, version)
    wait_for(lambda: system.called("jobs.events", before), "the poll")
    victim.kill()
    heir = system.worker()
    done = system.ended(f"/v1/runs/{run['id']}")
    system.leave(heir)
    assert done["status"] == "succeeded", done["failure"]
    assert done["reading"] is not None
    assert ok(system.api.get(f"/v1/runs/{run['id']}/metrics"))["n_points"] > 0
    assert [each["final"] for each in ok(system.api.get(f"/v1/runs/{run['id']}/checkpoints"))["data"]] == [True]
    assert system.ledger().jobs_created == before.jobs_created + 1


def test_in_the_middle_of_an_evaluation(system: System) -> None:
    """What was answered is kept, what was under way is asked again under its key: every item is paid for once."""
    before = system.ledger()
    slug, _ = system.open_loop()
    held_out = system.upload(f"{slug}-held-out", to_jsonl(make_rows(N_ITEMS, seed=90)))
    suite = {"loop_id": slug, "name": "s", "dataset_version_id": held_out["id"], "graders": [EXACT]}
    suite_id = ok(system.api.post("/v1/eval-suites", json=suite))["id"]
    system.plan(kind="slow", on="chat.completions", delay_s=0.3, times=None)
    victim = system.worker()
    body = {"loop_id": slug, "suite_id": suite_id, "subject": "base_model", "base_model": "sandbox-small"}
    evaluation = ok(system.api.post("/v1/evaluations", json=body))
    wait_for(lambda: system.ledger().paid_completions > before.paid_completions + 4, "some answers")
    victim.kill()
    system.clear()
    assert system.ledger().paid_completions < before.paid_completions + N_ITEMS
    heir = system.worker()
    done = system.ended(f"/v1/evaluations/{evaluation['id']}")
    system.leave(heir)
    assert (done["status"], done["n_done"], done["n_scored"]) == ("succeeded", N_ITEMS, N_ITEMS)
    after = system.ledger()
    assert after.paid_completions - before.paid_completions == N_ITEMS
    assert after.repeated_completions == before.repeated_completions
