"""A trainer that says 200 and lies about a job: what no job can be is left out, the rest is kept, and the run ends."""

import dataclasses
import json
import string
from collections.abc import AsyncIterator, Iterable
from itertools import product
from typing import Any

import httpx
import pytest
from tests.api.driving import HEALTHY, Json, ok
from tests.flows.running import get, start
from tests.providers.loopback import Loopback, Reply, connect
from tests.providers.payloads import event, job, page

from whatnext_service.flows.context import Provider, Services
from whatnext_service.flows.move_run import move_run
from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai import OpenAIPlatform
from whatnext_service.store.db import Pool

JOB = "/v1/fine_tuning/jobs/ftjob-1"
LONG = "".join(map("".join, product(string.ascii_letters, repeat=3)))[:9_000]
NOT_COUNTS: tuple[Any, ...] = (0, -1, 2**63, 2**80, 10**400, 1e300, -1e300, 1.5, "inf", "1e999", True, "x\0", [1], {})


@pytest.fixture
async def liar() -> AsyncIterator[Loopback]:
    async with Loopback() as server:
        yield server


@pytest.fixture
async def lying(services: Services, liar: Loopback) -> AsyncIterator[Services]:
    settings = PlatformSettings(base_url=f"http://127.0.0.1:{liar.port}/v1", api_key="none")
    async with connect(settings) as client:
        platform = OpenAIPlatform(client, settings)
        provider = Provider(platform=platform, models=services.providers["sandbox"].models, poll_interval_s=1.0)
        yield dataclasses.replace(services, providers={"sandbox": provider})


@pytest.fixture
async def run(api: httpx.AsyncClient, pool: Pool, version: Json) -> Json:
    """A run that the trainer has taken."""
    run = await start(api, version, n_epochs=None, seed=None)
    await pool.execute("update run set status = 'running', provider_job_id = 'ftjob-1'")
    return run


def tell(
    liar: Loopback, events: Iterable[Json] = (), checkpoints: Iterable[Json] = (), file: bytes = b"", **members: Any
) -> None:
    members = {"status": "succeeded", "fine_tuned_model": "ft:m", "result_files": ["file-r"] if file else []} | members
    liar.on(f"GET {JOB}", Reply(json.dumps(job(**members)).encode()))
    liar.on(f"GET {JOB}/events", page(*events))
    liar.on(f"GET {JOB}/checkpoints", page(*checkpoints))
    liar.on("GET /v1/files/file-r/content", Reply(file))


def checkpoint(step: object, **metrics: object) -> Json:
    name = f"ft:m:ckpt-{step}"[:99]
    return {"id": name, "step_number": step, "fine_tuned_model_checkpoint": name, "metrics": metrics}


@pytest.mark.parametrize("lie", NOT_COUNTS, ids=lambda lie: repr(lie)[:12])
async def test_a_number_that_no_job_can_have_is_not_known(
    api: httpx.AsyncClient, lying: Services, liar: Loopback, run: Json, lie: object
) -> None:
    values = {"n_epochs": lie, "batch_size": lie, "learning_rate_multiplier": -1e300 if lie in (1.5, True) else lie}
    if lie == 2**63:
        values["learning_rate_multiplier"] = 1e300
    tell(
        liar, hyperparameters=values, method=None, trained_tokens=-1 if lie == 0 else lie, seed=-1 if lie == 0 else lie
    )
    await move_run(lying, run["id"])
    done = await get(api, run)
    assert (done["status"], done["model"], done["trained_tokens"], done["cost"]) == ("succeeded", "ft:m", None, None)
    known = done["effective"]
    resolved = ("n_epochs", "batch_size", "learning_rate_multiplier", "seed", "n_steps")
    assert [known[name] for name in resolved] == [None] * 5


async def test_checkpoints_and_points_at_no_step_are_left_out(
    api: httpx.AsyncClient, lying: Services, liar: Loopback, run: Json
) -> None:
    steps = [*NOT_COUNTS[1:6], "many"]
    tell(
        liar,
        events=[event("a", {"step": step, "train_loss": 1.0}) for step in (*steps, 1e300, "inf", 3)],
        checkpoints=[checkpoint(step) for step in (-1, 2**63, 2**80, 1e300)] + [checkpoint(3, valid_loss=1e300)],
    )
    await move_run(lying, run["id"])
    assert (await get(api, run))["status"] == "succeeded"
    (kept,) = ok(await api.get(f"/v1/runs/{run['id']}/checkpoints"))["data"]
    assert (kept["step"], kept["valid_loss"]) == (3, 1e300)
    assert [each["steps"] for each in ok(await api.get(f"/v1/runs/{run['id']}/metrics"))["series"]] == [[3]]


async def test_no_epoch_lies_beyond_those_that_were_trained(
    api: httpx.AsyncClient, lying: Services, liar: Loopback, run: Json
) -> None:
    sizes = {"n_epochs": 1, "batch_size": 10**12}
    tell(liar, checkpoints=[checkpoint(1), checkpoint(10**12)], hyperparameters=sizes, method=None)
    await move_run(lying, run["id"])
    kept = ok(await api.get(f"/v1/runs/{run['id']}/checkpoints"))["data"]
    assert {each["step"]: each["epoch"] for each in kept} == {1: 1, 10**12: None}


async def test_texts_that_no_database_holds_become_such_that_one_does(
    api: httpx.AsyncClient, lying: Services, liar: Loopback, run: Json
) -> None:
    tell(
        liar,
        events=[event("a\0", {"step": 1, "train\0_loss": 1.0, LONG: 2.0, "train_loss": 1.0, "\ud800": 1.0})],
        checkpoints=[checkpoint(1) | {"fine_tuned_model_checkpoint": "ft:\0"}],
        status="rest\0ing",
        fine_tuned_model="ft:\ud800",
        model="m\0",
    )
    await move_run(lying, run["id"])
    resting = await get(api, run)
    assert (resting["status"], resting["model"]) == ("running", "ft:\N{REPLACEMENT CHARACTER}")
    names = {each["name"] for each in ok(await api.get(f"/v1/runs/{run['id']}/metrics"))["series"]}
    assert names == {"train_loss", "train\N{REPLACEMENT CHARACTER}_loss", "\N{REPLACEMENT CHARACTER}"}


@pytest.mark.parametrize(
    "file",
    [
        b"step,train_loss\n1,1.0\n1e300,2.0\n",
        b"step,train_loss\n1,1.0\n-1,2.0\n",
        b'[{"step": 1' + b"0" * 99 + b', "loss": 1}]',
    ],
)
async def test_a_result_file_of_impossible_steps_is_not_taken(
    api: httpx.AsyncClient, lying: Services, liar: Loopback, run: Json, file: bytes
) -> None:
    tell(liar, file=file, events=[event("a", {"step": 1, "train_loss": 1.0})])
    await move_run(lying, run["id"])
    done = await get(api, run)
    assert (done["status"], done["last_step"]) == ("succeeded", 1)
    assert done["failure"].startswith("result file file-r: ")


async def test_a_column_with_an_endless_name_is_left_out(
    api: httpx.AsyncClient, lying: Services, liar: Loopback, run: Json
) -> None:
    tell(liar, file=HEALTHY.replace("full_valid_loss", f"full_valid_loss,{LONG}").replace("\n", ",1\n")[:-3].encode())
    await move_run(lying, run["id"])
    names = {each["name"] for each in ok(await api.get(f"/v1/runs/{run['id']}/metrics"))["series"]}
    assert names == {"train_loss", "full_valid_loss"}
