"""The whole cycle over real HTTP on the service's own platform, in fair weather and with its faults."""

import asyncio
import base64
import csv
import io
import json
import time
from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest
from openai import AsyncOpenAI

from whatnext_service.core.runs import RunConfig
from whatnext_service.errors import ProviderError
from whatnext_service.providers.client import PlatformSettings, create_client
from whatnext_service.providers.openai import OpenAIPlatform
from whatnext_service.providers.openai_models import OpenAIModels
from whatnext_service.providers.port import CompletionRequest, Job, JobSpec, Message
from whatnext_service.sandbox.faults import Fault, Faults
from whatnext_service.sandbox.serving import serve
from whatnext_service.sandbox.state import Ledger

MARKER = "run_01k9zq8w3h4c5d6e7f8g9h0j1k"
KINDS = {"apple": "fruit", "carrot": "root", "salmon": "fish", "sparrow": "bird"}
DEADLINE_S = 20.0
POLL_S = 0.02


def rows(n_rows: int) -> bytes:
    names = [name for _, name in zip(range(n_rows), list(KINDS) * n_rows, strict=False)]
    return b"".join(
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": f"number {place} is {name}"},
                    {"role": "assistant", "content": KINDS[name]},
                ]
            }
        ).encode()
        + b"\n"
        for place, name in enumerate(names)
    )


async def pieces(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory, faults: Faults) -> Iterator[PlatformSettings]:
    with serve(tmp_path_factory.mktemp("sandbox"), faults=faults) as served:
        yield PlatformSettings(base_url=served.base_url, api_key=served.api_key)


async def ready_file(platform: OpenAIPlatform, name: str, content: bytes) -> str:
    file_id = await platform.find_file(name) or await platform.upload_file(name, len(content), pieces(content))
    give_up_s = time.monotonic() + DEADLINE_S
    while not await platform.file_ready(file_id):
        assert time.monotonic() < give_up_s
        await asyncio.sleep(POLL_S)
    return file_id


async def spec(platform: OpenAIPlatform, n_epochs: int = 3) -> JobSpec:
    config = RunConfig(base_model="sandbox-base", dataset_version_id="dsv_1", n_epochs=n_epochs, batch_size=4, seed=11)
    return JobSpec(
        marker=MARKER,
        config=config,
        training_file=await ready_file(platform, "train.jsonl", rows(40)),
        validation_file=await ready_file(platform, "valid.jsonl", rows(12)),
    )


async def ended(platform: OpenAIPlatform, job_id: str) -> Job:
    give_up_s = time.monotonic() + DEADLINE_S
    while True:
        job = await platform.job(job_id)
        if job.status in ("succeeded", "failed", "cancelled"):
            return job
        assert time.monotonic() < give_up_s, job
        await asyncio.sleep(POLL_S)


async def ledger(client: AsyncOpenAI) -> Ledger:
    """What the sandbox was really asked, and what it billed."""
    found: object = await client.get(str(client.base_url).replace("/v1/", "/sandbox/ledger"), cast_to=object)
    return msgspec.convert(found, Ledger)


async def test_a_run_from_upload_to_answer(
    client: AsyncOpenAI, settings: PlatformSettings, models: OpenAIModels
) -> None:
    platform = OpenAIPlatform(client, settings)
    assert await platform.find_file("train.jsonl") is None
    assert await platform.find_job(MARKER) is None
    order = await spec(platform)
    assert await platform.find_file("train.jsonl") == order.training_file

    created = await platform.create_job(order)
    found = await platform.find_job(MARKER)
    assert found is not None
    assert found.id == created.id
    done = await ended(platform, created.id)
    assert (done.status, done.error) == ("succeeded", None)
    assert (done.n_epochs, done.batch_size, done.seed) == (3, 4, 11)
    assert done.learning_rate_multiplier is not None
    assert done.trained_tokens
    assert done.trained_tokens > 0

    checkpoints = await platform.checkpoints(created.id)
    assert [checkpoint.step for checkpoint in checkpoints] == [10, 20, 30]
    assert all(checkpoint.full_valid_loss is not None for checkpoint in checkpoints)
    assert all(checkpoint.full_valid_mean_token_accuracy is not None for checkpoint in checkpoints)
    assert done.model
    assert all(checkpoint.model.startswith(done.model) for checkpoint in checkpoints)

    points = await platform.metrics(created.id)
    train = {point.step: point.value for point in points if point.name == "train_loss"}
    assert sorted(train) == list(range(1, 31))
    table = base64.b64decode(await platform.result_file(done.result_files[0])).decode()
    logged = {int(float(row["step"])): float(row["train_loss"]) for row in csv.DictReader(io.StringIO(table))}
    assert logged == pytest.approx(train, abs=1e-4)

    answer = await models.complete(
        CompletionRequest(
            model=done.model,
            messages=(Message(role="user", content="number 77 is salmon"),),
            idempotency_key="item-1",
            temperature=0.0,
        )
    )
    assert (answer.text, answer.finish_reason) == ("fish", "stop")
    assert answer.completion_tokens

    await platform.delete_model(done.model)
    await platform.delete_model(done.model)
    with pytest.raises(ProviderError) as caught:
        await models.complete(
            CompletionRequest(model=done.model, messages=(Message(role="user", content="x"),), idempotency_key="2")
        )
    assert caught.value.fault == "not_found"


async def test_a_job_whose_creation_went_unanswered_is_found_and_was_paid_once(
    client: AsyncOpenAI, settings: PlatformSettings, faults: Faults
) -> None:
    platform = OpenAIPlatform(client, settings)
    order = await spec(platform)
    faults.add(Fault(kind="cut_after", on="jobs.create"))
    with pytest.raises(ProviderError) as caught:
        await platform.create_job(order)
    assert (caught.value.fault, caught.value.sent) == ("unreachable", True)
    found = await platform.find_job(MARKER)
    assert found is not None
    again = await platform.create_job(order)
    assert again.id == found.id
    assert (await ledger(client)).jobs_created == 1


async def test_a_job_whose_creation_never_arrived_is_not_found(
    client: AsyncOpenAI, settings: PlatformSettings, faults: Faults
) -> None:
    platform = OpenAIPlatform(client, settings)
    order = await spec(platform)
    faults.add(Fault(kind="cut", on="jobs.create"))
    with pytest.raises(ProviderError):
        await platform.create_job(order)
    assert await platform.find_job(MARKER) is None
    assert (await ledger(client)).jobs_created == 0


async def test_without_metadata_the_suffix_alone_finds_the_job(client: AsyncOpenAI, settings: PlatformSettings) -> None:
    forgetful = msgspec.structs.replace(settings, keeps_metadata=False, suffix_max_chars=18)
    platform = OpenAIPlatform(client, forgetful)
    created = await platform.create_job(await spec(platform))
    found = await platform.find_job(MARKER)
    assert found is not None
    assert found.id == created.id
    assert await platform.find_job("run_01k9zq8w3h4c5d6e7f8g9h0j1m") is None


@pytest.mark.parametrize(
    ("fault", "meaning", "wait_s"),
    [
        (Fault(kind="rate_limited", retry_after_s=3.0), "rate_limited", 3.0),
        (Fault(kind="server_error"), "unavailable", None),
        (Fault(kind="cut"), "unreachable", None),
        (Fault(kind="slow", delay_s=1.0), "timeout", None),
    ],
)
async def test_a_fault_of_the_moment_is_named_and_the_next_call_succeeds(
    settings: PlatformSettings, faults: Faults, fault: Fault, meaning: str, wait_s: float | None
) -> None:
    impatient = msgspec.structs.replace(settings, timeout_s=0.3)
    async with create_client(impatient) as client:
        platform = OpenAIPlatform(client, impatient)
        assert await platform.find_file("train.jsonl") is None
        faults.add(fault)
        with pytest.raises(ProviderError) as caught:
            await platform.find_file("train.jsonl")
        assert (caught.value.fault, caught.value.retry_after_s) == (meaning, wait_s)
        assert caught.value.retryable
        assert await platform.find_file("train.jsonl") is None


async def test_an_answer_lost_on_the_way_is_not_charged_again(
    client: AsyncOpenAI, models: OpenAIModels, faults: Faults
) -> None:
    request = CompletionRequest(
        model="sandbox-base", messages=(Message(role="user", content="number 1 is apple"),), idempotency_key="item-1"
    )
    faults.add(Fault(kind="cut_after", on="chat.completions"))
    with pytest.raises(ProviderError) as caught:
        await models.complete(request)
    assert caught.value.retryable
    await models.complete(request)
    billed = await ledger(client)
    assert (billed.calls["chat.completions"], billed.paid_completions, billed.replays) == (2, 1, 1)


async def test_a_job_that_fails_says_why(client: AsyncOpenAI, settings: PlatformSettings, faults: Faults) -> None:
    platform = OpenAIPlatform(client, settings)
    faults.add(Fault(kind="job_fails"))
    job = await ended(platform, (await platform.create_job(await spec(platform))).id)
    assert job.status == "failed"
    assert job.error
    assert job.model is None
    assert (await platform.cancel_job(job.id)).status == "failed"


async def test_an_unknown_status_is_passed_on(client: AsyncOpenAI, settings: PlatformSettings, faults: Faults) -> None:
    platform = OpenAIPlatform(client, settings)
    job = await platform.create_job(await spec(platform))
    faults.add(Fault(kind="job_status", status="awaiting_moonrise"))
    assert (await platform.job(job.id)).status == "awaiting_moonrise"


async def test_a_malformed_result_file_comes_as_it_is(
    client: AsyncOpenAI, settings: PlatformSettings, faults: Faults
) -> None:
    platform = OpenAIPlatform(client, settings)
    job = await ended(platform, (await platform.create_job(await spec(platform, n_epochs=1))).id)
    faults.add(Fault(kind="malformed_result_file", body="step;train_loss\n1;oops\n<html>"))
    assert await platform.result_file(job.result_files[0]) == b"step;train_loss\n1;oops\n<html>"


async def test_a_running_job_can_be_cancelled(client: AsyncOpenAI, settings: PlatformSettings, faults: Faults) -> None:
    platform = OpenAIPlatform(client, settings)
    faults.add(Fault(kind="slow_training", delay_s=0.2))
    job = await platform.create_job(await spec(platform))
    await platform.cancel_job(job.id)
    assert (await ended(platform, job.id)).status == "cancelled"


async def test_a_file_the_platform_cannot_read_is_rejected(client: AsyncOpenAI, settings: PlatformSettings) -> None:
    platform = OpenAIPlatform(client, settings)
    with pytest.raises(ProviderError) as caught:
        await ready_file(platform, "bad.jsonl", b"no json\n")
    assert (caught.value.fault, caught.value.retryable) == ("refused", False)
    assert await platform.find_file("bad.jsonl") is None


async def test_a_wrong_key_is_refused_without_showing_it(settings: PlatformSettings) -> None:
    stranger = msgspec.structs.replace(settings, api_key="wrong-key-987")
    async with create_client(stranger) as client:
        with pytest.raises(ProviderError) as caught:
            await OpenAIPlatform(client, stranger).find_file("train.jsonl")
    assert (caught.value.fault, caught.value.retryable) == ("unauthorized", False)
    assert "wrong-key-987" not in str(caught.value)
