import asyncio

import pytest
from tests.providers.loopback import Loopback, Received, Reply, connect
from tests.providers.payloads import job, page

from whatnext_service.core.runs import RunConfig
from whatnext_service.errors import ProviderError
from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai import OpenAIPlatform
from whatnext_service.providers.openai_jobs import suffix_of
from whatnext_service.providers.port import JobSpec

JOBS = "/v1/fine_tuning/jobs"
MARKER = "run_01k9zq8w3h4c5d6e7f8g9h0j1k"
SUFFIX = "run-01k9zq8w3h4c5d6e7f8g9h0j1k"


def spec(**config: object) -> JobSpec:
    chosen = RunConfig(base_model="gpt-4.1-mini", dataset_version_id="dsv_1", **config)  # type: ignore[arg-type]
    return JobSpec(marker=MARKER, config=chosen, training_file="file-t", validation_file="file-v")


async def test_hyperparameters_go_under_the_method_and_auto_is_left_out(
    server: Loopback, platform: OpenAIPlatform
) -> None:
    server.on(f"POST {JOBS}", job())
    await platform.create_job(spec(n_epochs=2, learning_rate_multiplier=0.5, seed=7))
    assert server.requests[0].json == {
        "model": "gpt-4.1-mini",
        "training_file": "file-t",
        "validation_file": "file-v",
        "method": {
            "type": "supervised",
            "supervised": {"hyperparameters": {"n_epochs": 2, "learning_rate_multiplier": 0.5}},
        },
        "seed": 7,
        "suffix": SUFFIX,
        "metadata": {"whatnext_run": MARKER},
    }
    assert server.requests[0].headers["idempotency-key"] == MARKER


async def test_preference_and_reinforcement_jobs_carry_their_own_hyperparameters(
    server: Loopback, platform: OpenAIPlatform
) -> None:
    server.on(f"POST {JOBS}", job())
    await platform.create_job(spec(method="dpo", beta=0.1, l2_multiplier=0.2))
    await platform.create_job(
        spec(method="rft", reasoning_effort="low", eval_samples=10, grader='{"type":"python","source":"x"}')
    )
    dpo, rft = (request.json["method"] for request in server.requests)
    assert dpo == {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1, "l2_multiplier": 0.2}}}
    assert rft == {
        "type": "reinforcement",
        "reinforcement": {
            "hyperparameters": {"reasoning_effort": "low", "eval_samples": 10},
            "grader": {"type": "python", "source": "x"},
        },
    }


async def test_a_reinforcement_job_without_a_grader_is_never_sent(server: Loopback, platform: OpenAIPlatform) -> None:
    with pytest.raises(ProviderError) as caught:
        await platform.create_job(spec(method="rft"))
    assert (caught.value.fault, caught.value.sent, server.requests) == ("refused", False, [])


async def test_azure_gets_its_training_type_version_key_header_and_short_suffix(server: Loopback) -> None:
    settings = PlatformSettings(
        base_url=f"http://127.0.0.1:{server.port}/openai/v1/",
        api_key="azure-key",
        api_key_header=True,
        api_version="preview",
        training_type="globalStandard",
        keeps_metadata=False,
        suffix_max_chars=18,
    )
    server.on("POST /openai/v1/fine_tuning/jobs", job())
    async with connect(settings) as client:
        await OpenAIPlatform(client, settings).create_job(spec())
    request = server.requests[0]
    assert request.json["trainingType"] == "globalStandard"
    assert request.json["suffix"] == "w3h4c5d6e7f8g9h0j1k"[-18:]
    assert "metadata" not in request.json
    assert request.query == {"api-version": "preview"}
    assert request.headers["api-key"] == "azure-key"
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    "fault", [Reply(status=500), Reply({}, 429, {"retry-after": "0"}), Reply(fault="cut"), Reply(b"{", fault="half")]
)
async def test_a_paid_request_is_sent_once_whatever_happens(server: Loopback, fault: Reply) -> None:
    settings = PlatformSettings(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="k")
    server.on(f"POST {JOBS}", fault)
    async with connect(settings) as client:
        with pytest.raises(ProviderError) as caught:
            await OpenAIPlatform(client, settings).create_job(spec())
    assert len(server.requests) == 1
    assert caught.value.sent


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_an_unknown_base_model_is_a_refusal(server: Loopback, platform: OpenAIPlatform, status: int) -> None:
    error = {"message": "The model does not exist or you do not have access to it", "code": "model_not_found"}
    server.on(f"POST {JOBS}", Reply({"error": error}, status))
    with pytest.raises(ProviderError) as caught:
        await platform.create_job(spec())
    assert (caught.value.fault, caught.value.retryable, caught.value.code) == ("refused", False, "model_not_found")


@pytest.mark.parametrize("wait", ["120", "0.001"])
async def test_a_wait_that_the_platform_asks_for_is_left_to_the_caller(
    server: Loopback, platform: OpenAIPlatform, wait: str
) -> None:
    """Nothing is repeated in here, where it would hold up a worker."""
    server.on(f"GET {JOBS}/ftjob-1", Reply(status=503, headers={"retry-after": wait}), job())
    async with asyncio.timeout(10):
        with pytest.raises(ProviderError) as caught:
            await platform.job("ftjob-1")
    assert (caught.value.retryable, caught.value.retry_after_s) == (True, float(wait))
    assert len(server.requests) == 1


async def test_auto_is_unknown_until_the_platform_resolves_it(server: Loopback, platform: OpenAIPlatform) -> None:
    resolved = {"batch_size": 4, "learning_rate_multiplier": 1.8, "n_epochs": 3}
    azure = {"batch_size": -1, "learning_rate_multiplier": 1, "n_epochs": -1}
    server.on(
        f"GET {JOBS}/ftjob-1",
        job(),
        job(hyperparameters=resolved),
        job(hyperparameters=azure, method=None, error=None, seed=None),
        job(hyperparameters=None, method={"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 2}}}),
    )
    found = [await platform.job("ftjob-1") for _ in range(4)]
    assert [(j.n_epochs, j.learning_rate_multiplier, j.batch_size) for j in found] == [
        (None, None, None),
        (3, 1.8, 4),
        (None, 1.0, None),
        (2, None, None),
    ]


async def test_a_job_is_read_as_the_platform_words_it(server: Loopback, platform: OpenAIPlatform) -> None:
    server.on(
        f"GET {JOBS}/ftjob-1",
        job(status="pausing_for_reasons"),
        job(status="failed", error={"code": "invalid_file", "message": "Line 3 is no JSON", "param": "training_file"}),
        job(status="succeeded", fine_tuned_model="ft:m:o::1", trained_tokens=5768, result_files=["file-r"]),
    )
    odd, failed, done = [await platform.job("ftjob-1") for _ in range(3)]
    assert (odd.status, odd.error) == ("pausing_for_reasons", None)
    assert (failed.status, failed.error) == ("failed", "invalid_file: Line 3 is no JSON")
    assert (done.model, done.trained_tokens, done.result_files) == ("ft:m:o::1", 5768, ("file-r",))
    assert (done.base_model, done.seed) == ("gpt-4.1-mini-2025-04-14", 683058546)


async def test_a_job_is_found_by_the_metadata_filter(server: Loopback, platform: OpenAIPlatform) -> None:
    server.on(f"GET {JOBS}", page(job("ftjob-9", metadata={"whatnext_run": MARKER})))
    found = await platform.find_job(MARKER)
    assert found is not None
    assert found.id == "ftjob-9"
    assert server.requests[0].query["metadata[whatnext_run]"] == MARKER


@pytest.mark.parametrize(
    "trace",
    [
        {"metadata": {"whatnext_run": MARKER}},
        {"user_provided_suffix": SUFFIX},
        {"suffix": SUFFIX},
        {"fine_tuned_model": f"ft:gpt-4.1-mini:org:{SUFFIX}:ab12"},
    ],
)
async def test_a_job_is_found_among_others_where_the_filter_is_refused(
    server: Loopback, platform: OpenAIPlatform, trace: dict[str, object]
) -> None:
    pages = {"": page(job("ftjob-3"), job("ftjob-2"), has_more=True), "ftjob-2": page(job("ftjob-1", **trace))}

    def listed(request: Received) -> Reply:
        if "metadata[whatnext_run]" in request.query:
            return Reply({"error": {"message": "Unknown parameter: 'metadata'"}}, 400)
        return Reply(pages[request.query.get("after", "")])

    server.on(f"GET {JOBS}", listed)
    found = await platform.find_job(MARKER)
    assert found is not None
    assert found.id == "ftjob-1"


async def test_a_job_of_another_marker_is_not_taken_when_the_filter_is_ignored(
    server: Loopback, platform: OpenAIPlatform
) -> None:
    server.on(f"GET {JOBS}", page(job(metadata={"whatnext_run": "run_other"}, user_provided_suffix="run-other")))
    assert await platform.find_job(MARKER) is None


async def test_a_list_that_turns_in_a_circle_is_no_proof_of_absence(server: Loopback, platform: OpenAIPlatform) -> None:
    server.on(f"GET {JOBS}", page(job("ftjob-3"), has_more=True))
    with pytest.raises(ProviderError) as caught:
        await platform.find_job(MARKER)
    assert caught.value.fault == "malformed"


async def test_a_list_that_fails_is_no_proof_of_absence(server: Loopback, platform: OpenAIPlatform) -> None:
    server.on(f"GET {JOBS}", Reply(status=500))
    with pytest.raises(ProviderError) as caught:
        await platform.find_job(MARKER)
    assert caught.value.fault == "unavailable"


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
async def test_cancelling_an_ended_job_returns_it(server: Loopback, platform: OpenAIPlatform, status: str) -> None:
    server.on(f"POST {JOBS}/ftjob-1/cancel", Reply({"error": {"message": "Job has already completed"}}, 400))
    server.on(f"GET {JOBS}/ftjob-1", job(status=status))
    assert (await platform.cancel_job("ftjob-1")).status == status


@pytest.mark.parametrize("refusal", [400, 404, 409])
async def test_a_job_whose_cancellation_is_refused_is_returned_as_it_is(
    server: Loopback, platform: OpenAIPlatform, refusal: int
) -> None:
    server.on(f"POST {JOBS}/ftjob-1/cancel", Reply({"error": {"message": "not now"}}, refusal))
    server.on(f"GET {JOBS}/ftjob-1", job(status="running"))
    assert (await platform.cancel_job("ftjob-1")).status == "running"


async def test_a_cancellation_that_went_unanswered_is_a_fault(server: Loopback, platform: OpenAIPlatform) -> None:
    server.on(f"POST {JOBS}/ftjob-1/cancel", Reply(status=500))
    with pytest.raises(ProviderError):
        await platform.cancel_job("ftjob-1")


async def test_cancelling_a_running_job_asks_once(server: Loopback, platform: OpenAIPlatform) -> None:
    server.on(f"POST {JOBS}/ftjob-1/cancel", job(status="cancelled"))
    assert (await platform.cancel_job("ftjob-1")).status == "cancelled"
    assert len(server.requests) == 1


LOSSES: dict[str, object] = {"step": 10.0, "train_loss": 0.1, "full_valid_loss": 0.5, "valid_loss": None}


async def test_checkpoints_come_in_order_of_step_without_those_that_cannot_be_served(
    server: Loopback, platform: OpenAIPlatform
) -> None:
    def checkpoint(number: int, **members: object) -> dict[str, object]:
        return {
            "id": f"ftckpt-{number}",
            "step_number": number,
            "fine_tuned_model_checkpoint": f"ft:m:ckpt-step-{number}",
            "metrics": LOSSES,
        } | members

    def right(share: float) -> dict[str, object]:
        return {"full_valid_mean_token_accuracy": share}

    path = f"GET {JOBS}/ftjob-1/checkpoints"
    first = page(checkpoint(30, metrics={"train_loss": "NaN", **right(7.0)}), checkpoint(20), has_more=True)
    server.on(
        path, first, page(checkpoint(10, metrics=LOSSES | right(0.8)), checkpoint(5, fine_tuned_model_checkpoint=None))
    )
    found = await platform.checkpoints("ftjob-1")
    assert [(c.step, c.model) for c in found] == [(n, f"ft:m:ckpt-step-{n}") for n in (10, 20, 30)]
    assert (found[0].train_loss, found[0].valid_loss, found[0].full_valid_loss) == (0.1, None, 0.5)
    assert [each.full_valid_mean_token_accuracy for each in found] == [0.8, None, None]
    assert found[2].train_loss != found[2].train_loss
    assert server.requests[1].query["after"] == "ftckpt-20"


async def test_deleting_a_model_that_is_gone_is_no_error(server: Loopback, platform: OpenAIPlatform) -> None:
    server.on("DELETE /v1/models/ft:m:o::1", {"id": "ft:m:o::1", "deleted": True})
    await platform.delete_model("ft:m:o::1")
    await platform.delete_model("ft:m:o::2")
    assert [request.path for request in server.requests] == ["/v1/models/ft:m:o::1", "/v1/models/ft:m:o::2"]


async def test_an_id_that_would_leave_its_path_is_refused(server: Loopback, platform: OpenAIPlatform) -> None:
    for job_id in ("", ".."):
        with pytest.raises(ProviderError) as caught:
            await platform.job(job_id)
        assert caught.value.fault == "refused"
    assert server.requests == []


@pytest.mark.parametrize("marker", [MARKER, "a" * 100, "über_läufe", "___"])
@pytest.mark.parametrize("max_chars", [18, 40, 64])
def test_a_suffix_keeps_to_what_platforms_accept(marker: str, max_chars: int) -> None:
    suffix = suffix_of(marker, max_chars)
    assert len(suffix) <= max_chars
    assert all(char.isascii() and (char.isalnum() or char == "-") for char in suffix)
