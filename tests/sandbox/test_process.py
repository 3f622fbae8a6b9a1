"""The sandbox as a process: killed without warning, it loses nothing it said."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import openai
import pytest
from tests.sandbox.conftest import Connect
from tests.sandbox.driving import count_right, create_job, wait_for
from tests.sandbox.synthetic import make_rows

from whatnext_service.sandbox.serving import Launched, launch
from whatnext_service.sandbox.state import read_ledger

API_KEY = "key-of-the-test"
Start = Callable[[], Launched]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a sandbox on the test's folder, as often as it is asked to."""
    started: list[Launched] = []

    def begin() -> Launched:
        started.append(launch(tmp_path, api_key=API_KEY, faults=True, plain_results=True))
        return started[-1]

    yield begin
    for launched in started:
        launched.kill()


async def slow_down(launched: Launched, delay_s: float) -> None:
    root = launched.base_url.removesuffix("/v1")
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {API_KEY}"}) as http:
        await http.post(f"{root}/sandbox/faults", json={"kind": "slow_training", "delay_s": delay_s})


async def read_results(client: openai.AsyncOpenAI, file_id: str) -> str:
    return (await client.files.content(file_id)).text


async def test_what_was_finished_survives_a_kill(start: Start, connect: Connect, tmp_path: Path) -> None:
    first = start()
    client = connect(first.base_url, API_KEY)
    job = await wait_for(client, (await create_job(client)).id)
    assert job.fine_tuned_model
    asked = {
        "model": job.fine_tuned_model,
        "messages": [{"role": "user", "content": "x"}],
        "extra_headers": {"Idempotency-Key": "k"},
    }
    answer = await client.chat.completions.create(**asked)
    right = await count_right(client, job.fine_tuned_model, make_rows(10, seed=3))
    events = [event async for event in client.fine_tuning.jobs.list_events(job.id)]
    results = await read_results(client, job.result_files[0])
    ledger = read_ledger(tmp_path)
    first.kill()

    client = connect(start().base_url, API_KEY)
    assert await client.fine_tuning.jobs.retrieve(job.id) == job
    assert [event async for event in client.fine_tuning.jobs.list_events(job.id)] == events
    assert len((await client.fine_tuning.jobs.checkpoints.list(job.id)).data) == 2
    assert await read_results(client, job.result_files[0]) == results
    assert await client.chat.completions.create(**asked) == answer
    assert read_ledger(tmp_path).paid_completions == ledger.paid_completions
    assert await count_right(client, job.fine_tuned_model, make_rows(10, seed=3)) == right


async def test_an_interrupted_job_starts_anew_and_gives_the_same_model(
    start: Start, connect: Connect, tmp_path: Path
) -> None:
    first = start()
    client = connect(first.base_url, API_KEY)
    whole = await wait_for(client, (await create_job(client, seed=3)).id)
    await slow_down(first, 0.05)
    job = await create_job(client, seed=3)
    await wait_for(client, job.id, "running")
    first.kill()

    client = connect(start().base_url, API_KEY)
    done = await wait_for(client, job.id)
    assert done.status == "succeeded"
    messages = [event.message async for event in client.fine_tuning.jobs.list_events(job.id)]
    assert "The service was restarted; the job starts anew" in messages
    assert await read_results(client, done.result_files[0]) == await read_results(client, whole.result_files[0])
    assert read_ledger(tmp_path).jobs_created == 2


async def test_a_paused_job_stays_paused_over_a_kill_and_can_be_resumed(start: Start, connect: Connect) -> None:
    first = start()
    client = connect(first.base_url, API_KEY)
    await slow_down(first, 0.05)
    job = await create_job(client)
    await wait_for(client, job.id, "running")
    await client.fine_tuning.jobs.pause(job.id)
    first.kill()

    client = connect(start().base_url, API_KEY)
    assert (await client.fine_tuning.jobs.retrieve(job.id)).status == "paused"
    await client.fine_tuning.jobs.resume(job.id)
    assert (await wait_for(client, job.id)).status == "succeeded"


async def test_the_training_process_dies_with_its_server(start: Start, connect: Connect) -> None:
    first = start()
    client = connect(first.base_url, API_KEY)
    await slow_down(first, 0.2)
    job = await create_job(client)
    await wait_for(client, job.id, "running")
    (trainer,) = list_children(first.process.pid)
    first.kill()
    until(lambda: not is_running(trainer))


def test_a_sandbox_started_with_its_parent_ends_with_it(tmp_path: Path) -> None:
    program = (
        "import os, sys, pathlib; from whatnext_service.sandbox.serving import launch;"
        "print(launch(pathlib.Path(sys.argv[1])).base_url, flush=True); os._exit(0)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, check=True, timeout=20
    )
    url = ran.stdout.strip()

    def refused() -> bool:
        try:
            httpx.get(f"{url}/models", timeout=1)
        except httpx.TransportError:
            return True
        return False

    until(refused)


def test_a_sandbox_needs_a_key(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "whatnext_service.sandbox", "--folder", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert ran.returncode != 0
    assert "SANDBOX_API_KEY" in ran.stderr


def list_children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if not listed.exists():
        pytest.skip("this system does not list the children of a process")
    return [int(child) for child in listed.read_text().split()]


def is_running(pid: int) -> bool:
    """Whether the process exists and is more than a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.05)
