"""Both clients against the real application, in one process."""

import asyncio
import contextlib
import json
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
import uvicorn
from litestar.testing import TestClient
from tests.sdk.conftest import make_key

import whatnext
from whatnext import Overrides, models, params
from whatnext_service.api.application import Application
from whatnext_service.app import create_app
from whatnext_service.config import Settings

EXACT = {
    "type": "string_check",
    "name": "exact",
    "input": "{{sample.output_text}}",
    "reference": "{{item.reference_answer}}",
    "operation": "eq",
}


def rows(n: int, *, seed: int = 0) -> bytes:
    lines = (
        {
            "messages": [
                {"role": "user", "content": f"Sort {seed} {i}"},
                {"role": "assistant", "content": f"label {i % 3}"},
            ]
        }
        for i in range(n)
    )
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


async def test_a_loop_from_its_creation_to_its_history(client: whatnext.AsyncClient) -> None:
    loop = await client.loops.create(
        slug="support-bot", task="Answer.", budget={"max_cost": Decimal("50.00"), "max_runs": 3}
    )
    assert loop.budget.max_cost == Decimal("50.00")
    assert (await client.loops.next("support-bot")).action.kind == "attach_dataset"

    dataset = await client.datasets.create(name="tickets", loop_id=loop.id)
    sent: list[tuple[int, int | None]] = []
    content = rows(60)
    version = await client.datasets.upload_version(
        dataset.id, file=content, on_progress=lambda done, total: sent.append((done, total))
    )
    assert sent == [(len(content), len(content))]
    assert version.n_examples == 60
    assert await client.dataset_versions.content(version.id).read() == content
    with pytest.raises(whatnext.VersionMismatchError):
        await client.loops.update(loop, autopilot="off", if_match=loop.version)

    held_out = await client.datasets.upload_version(
        await client.datasets.create(name="held-out"), file=iter([rows(30, seed=9)])
    )
    suite = await client.eval_suites.create(
        loop_id=loop.id, name="selection", dataset_version_id=held_out.id, graders=[{"name": "exact", "grader": EXACT}]
    )
    baseline = await client.evaluations.create(
        loop_id=loop.id,
        suite_id=suite.id,
        subject="base_model",
        base_model="gpt-4.1-mini",
        items=[{"index": i, "score": 4.0 + i % 2} for i in range(30)],
    )
    assert (await client.evaluations.wait(baseline, timeout_s=0)).combined == pytest.approx(4.5)
    answer = await client.loops.next("support-bot")
    assert answer.action.kind == "record_baseline"
    changed = await client.carry_out(answer)
    assert changed.baseline_evaluation_id == baseline.id

    config = whatnext.RunConfig(base_model="gpt-4.1-mini", dataset_version_id=version.id, n_epochs=2)
    first = await client.runs.create(loop_id=loop.id, provider="external", config=config)
    second = await client.runs.create(
        loop_id=loop.id, parent_run_id=first.id, overrides=Overrides(learning_rate_multiplier=0.5)
    )
    third = await client.runs.create(loop_id=loop.id, parent_run_id=first.id, overrides={"n_epochs": 1})
    assert (second.changed, third.changed) == (["learning_rate_multiplier"], ["n_epochs"])
    assert (await client.runs.get("support-bot/R2")).id == second.id

    await client.runs.log_metrics(first, points=[{"step": 1, "values": {"train_loss": 0.5}}])
    assert (await client.runs.metrics(first.id)).series[0].values == [0.5]
    assert [run.name async for run in client.runs.list(loop_id="support-bot", limit=2)] == ["R3", "R2", "R1"]
    assert (await client.runs.list(limit=2)).next_cursor is not None
    assert (await client.loops.history_markdown(loop)).startswith("| Run |")
    assert (await client.loops.history(loop)).rows[0].run == "R1"
    assert (await client.loops.next_markdown(loop)).startswith("**")


class Cut(httpx.AsyncBaseTransport):
    """Loses the first answer to a POST on its way back."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.n_posts = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if request.method == "POST":
            self.n_posts += 1
            if self.n_posts == 1:
                await response.aclose()
                raise httpx.ReadError("cut")
        return response


async def external_run(client: whatnext.AsyncClient) -> models.Run:
    loop = await client.loops.create(slug="support-bot", task="Answer.")
    dataset = await client.datasets.create(name="tickets", loop_id=loop.id)
    version = await client.datasets.upload_version(dataset, file=rows(60))
    config = whatnext.RunConfig(base_model="gpt-4.1-mini", dataset_version_id=version.id, n_epochs=2)
    return await client.runs.create(loop_id=loop.id, provider="external", config=config)


async def test_a_post_whose_answer_was_lost_makes_one_row(app: Application, api_key: str) -> None:
    transport = Cut(httpx.ASGITransport(app=app))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport) as http:
        client = whatnext.AsyncClient(api_key, base_url="http://service", http_client=http)
        client.transport.sleep = without_pause
        loop = await client.loops.create(slug="support-bot", task="Answer.")
        assert transport.n_posts == 2
        assert whatnext.response_of(loop).headers["idempotent-replayed"] == "true"
        assert [each.id async for each in client.loops.list()] == [loop.id]


async def without_pause(seconds: float) -> None:
    await asyncio.sleep(0)


async def test_a_wait_ends_when_the_run_does(client: whatnext.AsyncClient) -> None:
    run = await external_run(client)
    waiting = asyncio.create_task(client.runs.wait("support-bot/R1", timeout_s=20))
    await client.runs.log(run, step=1, train_loss=2.0)
    await client.runs.log(run, step=2, train_loss=1.0)
    await client.runs.flush(timeout_s=20)
    await client.runs.update(run, status="succeeded")
    assert (await waiting).status == "succeeded"
    (series,) = (await client.runs.metrics(run)).series
    assert (series.steps, series.values) == ([1, 2], [2.0, 1.0])


async def test_a_loss_that_becomes_nan_is_logged_and_found(client: whatnext.AsyncClient) -> None:
    run = await external_run(client)
    for step, loss in enumerate([2.0, 1.4, 1.1, float("inf"), float("nan"), float("nan")], start=1):
        await client.runs.log(run, step=step, train_loss=loss)
    await client.runs.flush(timeout_s=20)
    reading = (await client.runs.get(run)).reading
    assert reading is not None
    found = reading.findings[0]
    assert (found.code, found.severity, found.value) == ("not_finite", "critical", 4.0)
    assert (await client.runs.metrics(run)).series[0].values == [2.0, 1.4, 1.1, None, None, None]


async def test_a_loss_logged_under_a_trainers_name_is_read(client: whatnext.AsyncClient) -> None:
    run = await external_run(client)
    for step in range(1, 6):
        await client.runs.log(run, {"eval/loss": 0.9 + 0.1 * step}, step=10 * step, loss=1.0 / step)
    await client.runs.flush(timeout_s=20)
    assert [series.name for series in (await client.runs.metrics(run)).series] == ["full_valid_loss", "train_loss"]
    reading = (await client.runs.get(run)).reading
    assert reading is not None
    assert (reading.trend, reading.first_valid_loss, reading.last_valid_loss) == ("above_first", 1.0, 1.4)


async def test_a_loop_has_thresholds_of_its_own(client: whatnext.AsyncClient) -> None:
    loop = await client.loops.create(slug="support-bot", task="Answer.", thresholds={"ratio_severe": 3.0})
    assert (loop.thresholds.ratio_mild, loop.thresholds.ratio_severe) == (1.2, 3.0)
    changed = await client.loops.update("support-bot", thresholds={"ratio_severe": None, "noise_factor": 3.0})
    assert (changed.thresholds.ratio_severe, changed.thresholds.noise_factor) == (2.0, 3.0)
    assert (await client.loops.next("support-bot")).thresholds_version.startswith("2026.11+")
    assert (await client.loops.update("support-bot", thresholds=None)).thresholds.noise_factor == 2.5


async def test_a_problem_arrives_as_its_error(client: whatnext.AsyncClient) -> None:
    run = await external_run(client)
    overrides: params.Overrides = {"n_epochs": 1, "learning_rate_multiplier": 0.5}
    with pytest.raises(whatnext.ConflictError) as caught:
        await client.runs.create(loop_id=run.loop_id, parent_run_id=run.id, overrides=overrides)
    assert caught.value.code == "confounded_change"
    assert caught.value.request_id
    with pytest.raises(whatnext.NotFoundError):
        await client.runs.get("support-bot/R9")
    with pytest.raises(whatnext.BadRequestError):
        await client.loops.create(slug="No Slug", task="x")


async def test_following_ends_where_a_person_must_act(client: whatnext.AsyncClient) -> None:
    loop = await client.loops.create(slug="support-bot", task="Answer.")
    steps = [step async for step in loop.follow(timeout_s=20)]
    assert [(step.kind, step.needs_person) for step in steps] == [("attach_dataset", True)]


def test_the_synchronous_client_in_one_process(process_dsn: str, dsn: str, tmp_path: Path) -> None:
    application = create_app(Settings(data_dir=tmp_path, log_level="error"), process_dsn, with_worker=False)
    with TestClient(app=application) as http, http.portal() as portal:
        key = portal.call(make_key, application)
        with whatnext.Client(key, base_url="http://service", http_client=http, spool_dir=tmp_path) as client:
            loop = client.loops.create(slug="support-bot", task="Answer.")
            dataset = client.datasets.create(name="tickets", loop_id=loop.id)
            version = client.datasets.upload_version(dataset, file=rows(60))
            assert client.dataset_versions.content(version).read() == rows(60)
            config = whatnext.RunConfig(base_model="gpt-4.1-mini", dataset_version_id=version.id)
            run = client.runs.create(loop_id=loop.id, provider="external", config=config)
            client.runs.log(run, step=1, train_loss=2.0)
            client.runs.flush(timeout_s=20)
            assert client.runs.metrics("support-bot/R1").series[0].values == [2.0]
            assert client.runs.metrics_png("support-bot/R1").startswith(b"\x89PNG")
            assert b"support-bot R1" in client.runs.metrics_svg(run, name="train_loss")
            assert [each.name for each in client.runs.list(loop_id="support-bot")] == ["R1"]
            assert [step.kind for step in client.follow("support-bot", timeout_s=20)][-1] != "wait"


async def test_over_a_socket_events_are_streamed_and_resumed(app: Application, api_key: str) -> None:
    config = uvicorn.Config(app, port=0, lifespan="off", log_level="error")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with whatnext.AsyncClient(api_key, base_url=f"http://127.0.0.1:{port}") as client:
        await client.loops.create(slug="one", task="Answer.")
        events = client.events.stream()
        async with contextlib.aclosing(aiter(events)) as first, asyncio.timeout(20):
            seen = await anext(first)
            await client.loops.create(slug="two", task="Answer.")
            later = await anext(first)
        assert seen.type == later.type
        assert seen.seq < later.seq
        resumed = client.events.stream(after=seen.id)
        async with contextlib.aclosing(aiter(resumed)) as second, asyncio.timeout(20):
            assert (await anext(second)).id == later.id
    server.should_exit = True
    await serving
