"""Faults on purpose, and that the ledger shows what they cost."""

import httpx
import openai
import pytest
from openai.types.fine_tuning import FineTuningJob
from tests.sandbox.driving import create_job, upload, wait_for
from tests.sandbox.synthetic import make_rows, to_jsonl

from whatnext_service.sandbox.faults import Fault, Faults
from whatnext_service.sandbox.serving import Served
from whatnext_service.sandbox.state import read_ledger

MESSAGES = [{"role": "user", "content": "Where is my delivery?"}]
KEY = {"Idempotency-Key": "k-1"}


async def submit(client: openai.AsyncOpenAI, file_id: str, headers: dict[str, str] | None = None) -> FineTuningJob:
    return await client.fine_tuning.jobs.create(
        model="sandbox-small", training_file=file_id, hyperparameters={"n_epochs": 1}, extra_headers=headers
    )


async def test_a_rate_limit_names_the_wait(faults: Faults, faulty_client: openai.AsyncOpenAI) -> None:
    faults.add(Fault(kind="rate_limited", on="chat.completions", retry_after_s=2.5))
    await faulty_client.models.list()
    with pytest.raises(openai.RateLimitError) as limited:
        await faulty_client.chat.completions.create(model="sandbox-base", messages=MESSAGES)
    assert limited.value.response.headers["retry-after"] == "2.5"
    assert limited.value.code == "rate_limit_exceeded"
    await faulty_client.chat.completions.create(model="sandbox-base", messages=MESSAGES)


async def test_a_fault_waits_for_its_occasion_and_ends_after_its_times(
    faults: Faults, faulty_client: openai.AsyncOpenAI
) -> None:
    faults.add(Fault(kind="server_error", on="models.list", after=2, times=2))
    outcomes = []
    for _ in range(5):
        try:
            await faulty_client.models.list()
            outcomes.append("ok")
        except openai.InternalServerError:
            outcomes.append("500")
    assert outcomes == ["ok", "ok", "500", "500", "ok"]


async def test_the_clients_own_retries_get_through(faults: Faults, faulty: Served, connect) -> None:
    faults.add(Fault(kind="server_error"))
    client = connect(faulty.base_url, faulty.api_key).with_options(max_retries=1)
    assert (await client.models.list()).data
    assert read_ledger(faulty.folder).calls == {"models.list": 2}


async def test_a_key_may_be_refused_and_a_thing_denied(faults: Faults, faulty_client: openai.AsyncOpenAI) -> None:
    faults.add(Fault(kind="unauthorized", on="models.list"))
    with pytest.raises(openai.AuthenticationError):
        await faulty_client.models.list()
    faults.add(Fault(kind="not_found", on="models.list"))
    with pytest.raises(openai.NotFoundError):
        await faulty_client.models.list()
    assert (await faulty_client.models.list()).data


async def test_a_list_may_lag_behind(faults: Faults, faulty_client: openai.AsyncOpenAI) -> None:
    faults.add(Fault(kind="empty", on="models.list"))
    assert (await faulty_client.models.list()).data == []
    assert (await faulty_client.models.list()).data


async def test_a_slow_answer_runs_into_the_clients_timeout(faults: Faults, faulty_client: openai.AsyncOpenAI) -> None:
    faults.add(Fault(kind="slow", delay_s=0.5))
    with pytest.raises(openai.APITimeoutError):
        await faulty_client.with_options(timeout=0.1).models.list()
    assert (await faulty_client.models.list()).data


async def test_a_connection_cut_before_the_work_leaves_nothing(
    faults: Faults, faulty: Served, faulty_client: openai.AsyncOpenAI
) -> None:
    file = await upload(faulty_client, to_jsonl(make_rows(10, seed=1)))
    faults.add(Fault(kind="cut", on="jobs.create"))
    with pytest.raises(openai.APIConnectionError):
        await submit(faulty_client, file.id)
    assert (await faulty_client.fine_tuning.jobs.list()).data == []
    assert read_ledger(faulty.folder).jobs_created == 0


async def test_a_job_made_before_the_cut_is_not_made_again_under_its_key(
    faults: Faults, faulty: Served, faulty_client: openai.AsyncOpenAI
) -> None:
    file = await upload(faulty_client, to_jsonl(make_rows(10, seed=1)))
    faults.add(Fault(kind="cut_after", on="jobs.create", times=2))
    for _ in range(2):
        with pytest.raises(openai.APIConnectionError):
            await submit(faulty_client, file.id, KEY)
    job = await submit(faulty_client, file.id, KEY)
    assert [listed.id for listed in (await faulty_client.fine_tuning.jobs.list()).data] == [job.id]
    ledger = read_ledger(faulty.folder)
    assert (ledger.calls["jobs.create"], ledger.jobs_created, ledger.replays) == (3, 1, 2)


async def test_without_a_key_a_repeated_job_is_a_second_job(
    faults: Faults, faulty: Served, faulty_client: openai.AsyncOpenAI
) -> None:
    file = await upload(faulty_client, to_jsonl(make_rows(10, seed=1)))
    faults.add(Fault(kind="cut_after", on="jobs.create"))
    with pytest.raises(openai.APIConnectionError):
        await submit(faulty_client, file.id)
    await submit(faulty_client, file.id)
    assert len((await faulty_client.fine_tuning.jobs.list()).data) == 2
    assert read_ledger(faulty.folder).jobs_created == 2


async def test_a_completion_is_paid_once_under_its_key_and_again_without(
    faults: Faults, faulty: Served, faulty_client: openai.AsyncOpenAI
) -> None:
    create = faulty_client.chat.completions.create
    faults.add(Fault(kind="cut_after", on="chat.completions"))
    with pytest.raises(openai.APIConnectionError):
        await create(model="sandbox-base", messages=MESSAGES, extra_headers=KEY)
    replayed = await create(model="sandbox-base", messages=MESSAGES, extra_headers=KEY)
    again = await create(model="sandbox-base", messages=MESSAGES, extra_headers=KEY)
    assert again == replayed
    ledger = read_ledger(faulty.folder)
    assert (ledger.paid_completions, ledger.repeated_completions, ledger.replays) == (1, 0, 2)
    await create(model="sandbox-base", messages=MESSAGES)
    await create(model="sandbox-small", messages=MESSAGES)
    ledger = read_ledger(faulty.folder)
    assert (ledger.paid_completions, ledger.repeated_completions) == (3, 1)


async def test_an_upload_is_kept_once_under_its_key(faulty: Served, faulty_client: openai.AsyncOpenAI) -> None:
    made = [
        await faulty_client.files.create(file=("a.txt", b"x"), purpose="user_data", extra_headers=KEY) for _ in range(2)
    ]
    assert made[0] == made[1]
    assert read_ledger(faulty.folder).files_created == 1
    assert [path.name for path in (faulty.folder / "files").iterdir()] == [made[0].id]


async def test_a_key_used_for_another_request_is_refused_and_a_refusal_is_not_remembered(
    faulty_client: openai.AsyncOpenAI,
) -> None:
    create = faulty_client.chat.completions.create
    with pytest.raises(openai.NotFoundError):
        await create(model="none", messages=MESSAGES, extra_headers=KEY)
    await create(model="sandbox-base", messages=MESSAGES, extra_headers=KEY)
    with pytest.raises(openai.BadRequestError) as refused:
        await create(model="sandbox-small", messages=MESSAGES, extra_headers=KEY)
    assert refused.value.code == "idempotency_key_reused"


async def test_a_malformed_result_file_is_served_once(faults: Faults, faulty_client: openai.AsyncOpenAI) -> None:
    job = await wait_for(faulty_client, (await create_job(faulty_client, n_epochs=1)).id)
    faults.add(Fault(kind="malformed_result_file", body="<html>"))
    assert (await faulty_client.files.content(job.training_file)).content.startswith(b'{"messages"')
    assert (await faulty_client.files.content(job.result_files[0])).text == "<html>"
    assert (await faulty_client.files.content(job.result_files[0])).text.startswith("c3RlcCx0")


async def test_a_job_fails_on_order_and_the_next_one_does_not(
    faults: Faults, faulty_client: openai.AsyncOpenAI
) -> None:
    faults.add(Fault(kind="job_fails"))
    failed = await wait_for(faulty_client, (await create_job(faulty_client, n_epochs=1)).id)
    assert failed.status == "failed"
    assert failed.error
    assert failed.error.code == "server_error"
    assert len(failed.result_files) == 1
    good = await wait_for(faulty_client, (await create_job(faulty_client, n_epochs=1)).id)
    assert good.status == "succeeded"


async def test_a_job_may_say_a_status_no_client_knows(faults: Faults, faulty_client: openai.AsyncOpenAI) -> None:
    job = await wait_for(faulty_client, (await create_job(faulty_client, n_epochs=1)).id)
    faults.add(Fault(kind="job_status", status="paused"))
    faults.add(Fault(kind="job_status", status="some_new_status", times=2))
    assert (await faulty_client.fine_tuning.jobs.retrieve(job.id)).status == "paused"
    assert (await faulty_client.fine_tuning.jobs.retrieve(job.id)).status == "some_new_status"
    assert (await faulty_client.fine_tuning.jobs.list()).data[0].status == "some_new_status"
    assert (await faulty_client.fine_tuning.jobs.retrieve(job.id)).status == "succeeded"


async def test_a_job_is_cancelled_in_the_middle_and_the_next_one_trains(
    faults: Faults, faulty_client: openai.AsyncOpenAI
) -> None:
    faults.add(Fault(kind="slow_training", delay_s=0.2))
    job = await create_job(faulty_client)
    following = await create_job(faulty_client, n_epochs=1)
    await wait_for(faulty_client, job.id, "running")
    assert (await faulty_client.fine_tuning.jobs.retrieve(following.id)).status == "queued"
    cancelled = await faulty_client.fine_tuning.jobs.cancel(job.id)
    assert cancelled.status == "cancelled"
    assert (await wait_for(faulty_client, following.id)).status == "succeeded"
    after = await faulty_client.fine_tuning.jobs.retrieve(job.id)
    assert (after.status, after.fine_tuned_model, after.result_files) == ("cancelled", None, [])


async def test_a_queued_job_is_cancelled_before_it_starts(faults: Faults, faulty_client: openai.AsyncOpenAI) -> None:
    faults.add(Fault(kind="slow_training", delay_s=0.2))
    first, second = await create_job(faulty_client), await create_job(faulty_client)
    await faulty_client.fine_tuning.jobs.cancel(second.id)
    await faulty_client.fine_tuning.jobs.cancel(first.id)
    third = await wait_for(faulty_client, (await create_job(faulty_client, n_epochs=1)).id)
    assert third.status == "succeeded"
    assert (await faulty_client.fine_tuning.jobs.retrieve(second.id)).status == "cancelled"


async def test_a_paused_job_goes_on_where_it_stood(faults: Faults, faulty_client: openai.AsyncOpenAI) -> None:
    jobs = faulty_client.fine_tuning.jobs
    faults.add(Fault(kind="slow_training", delay_s=0.03))
    job = await create_job(faulty_client)
    await wait_for(faulty_client, job.id, "running")
    assert (await jobs.pause(job.id)).status == "paused"
    assert (await jobs.resume(job.id)).status == "running"
    assert (await wait_for(faulty_client, job.id)).status == "succeeded"
    steps = [event.data["step"] async for event in jobs.list_events(job.id) if event.type == "metrics"]  # type: ignore[index]
    assert steps == list(range(20, 0, -1))


async def test_faults_are_planned_and_the_ledger_read_over_http(faulty: Served) -> None:
    root = faulty.base_url.removesuffix("/v1")
    async with httpx.AsyncClient(base_url=root, headers={"Authorization": f"Bearer {faulty.api_key}"}) as http:
        planned = await http.post("/sandbox/faults", json={"kind": "server_error", "on": "models.list", "times": None})
        assert planned.status_code == 201
        assert [fault["kind"] for fault in (await http.get("/sandbox/faults")).json()] == ["server_error"]
        assert (await http.get("/v1/models")).status_code == 500
        assert (await http.delete("/sandbox/faults")).status_code == 204
        assert (await http.get("/v1/models")).status_code == 200
        assert (await http.get("/sandbox/ledger")).json()["calls"] == {"models.list": 2}
        assert (await http.post("/sandbox/faults", json={"kind": "unheard"})).status_code == 400
        wrong = await http.get("/sandbox/ledger", headers={"Authorization": "Bearer wrong"})
        assert wrong.status_code == 401


async def test_a_sandbox_without_faults_has_no_such_routes(shared: Served) -> None:
    root = shared.base_url.removesuffix("/v1")
    async with httpx.AsyncClient(base_url=root, headers={"Authorization": f"Bearer {shared.api_key}"}) as http:
        for path in ("/sandbox/faults", "/sandbox/ledger"):
            assert (await http.get(path)).status_code == 404
