"""Waiting for what is under way, and driving a loop."""

from typing import Any

import httpx
import pytest
from tests.sdk.kinds import both_kinds, done, fake_client, listed

import whatnext
from whatnext import models
from whatnext._async.waiting import changed as async_changed
from whatnext._literal_call import operation_of
from whatnext._operation import Operation
from whatnext._sync.waiting import changed as sync_changed
from whatnext.testing import FakeService, answer, example, problem

BODY = {"loop_id": "loop_1", "parent_run_id": "run_1", "overrides": {"n_epochs": 1}, "of_tomorrow": [1]}
START = models.Request(method="POST", path="/v1/runs", body=BODY)


def waiting(subject_id: str, state_version: int) -> models.Answer:
    action = example(models.Action, kind="wait", subject_id=subject_id, recommendation_id=f"rec_{state_version}")
    return example(models.Answer, headline="Wait.", action=action, state_version=state_version)


def run(status: str, version: int, **fields: Any) -> models.Run:
    return example(models.Run, status=status, version=version, **fields)


@both_kinds
async def test_a_loop_is_driven_to_its_end_with_progress(kind: str) -> None:
    fake = FakeService()
    fake.on(
        "loops.next",
        answer("start_run", "Train.", request=START, state_version=1),
        waiting("run_1", 2),
        waiting("run_1", 2),
        answer("evaluate", "Evaluate.", request=models.Request(method="POST", path="/v1/evaluations"), state_version=3),
        waiting("eval_1", 4),
        answer("ship", "Ship R2.", request=models.Request(method="POST", path="/v1/deployments"), state_version=5),
    )
    fake.on("runs.get", run("running", 1, last_step=3), run("succeeded", 2, last_step=9))
    series = [{"name": "train_loss", "steps": [1, 9, 10], "values": [2.0, 0.5, None]}]
    fake.on("runs.metrics", example(models.Curves, series=series))
    told: list[tuple[str, int | None, dict[str, float]]] = []
    client = fake_client(fake, kind).client
    steps = await listed(
        client.follow("support-bot", on_progress=lambda at: told.append((at.status, at.done, at.metrics)))
    )
    assert [(step.kind, step.carried_out) for step in steps] == [
        ("start_run", True),
        ("wait", False),
        ("evaluate", True),
        ("wait", False),
        ("ship", False),
    ]
    assert isinstance(steps[0].result, models.Run)
    assert isinstance(steps[2].result, models.Evaluation)
    assert fake.sent("runs.create")[0].json == BODY
    assert fake.sent("deployments.create") == []
    assert told[:2] == [("running", 3, {"train_loss": 0.5}), ("succeeded", 9, {"train_loss": 0.5})]


@both_kinds
async def test_what_is_waited_for_is_one_step_however_often_the_advice_is_renewed(kind: str) -> None:
    fake = FakeService()
    waits = [waiting("run_1", version) for version in (1, 2, 3)]
    fake.on(
        "loops.next",
        *waits,
        answer("start_run", request=START, state_version=4),
        waiting("run_1", 5),
        answer("stop", state_version=6),
    )
    fake.on("runs.get", run("running", 1), run("running", 2), run("succeeded", 3))
    steps = await listed(fake_client(fake, kind).client.follow("support-bot"))
    assert [step.kind for step in steps] == ["wait", "start_run", "wait", "stop"]


@both_kinds
async def test_the_same_answer_is_carried_out_under_the_same_key(kind: str) -> None:
    fake = FakeService()
    client = fake_client(fake, kind).client
    for version in (1, 1, 2):
        await done(client.carry_out(answer(request=START, state_version=version)))
    first, again, later = (each.headers["idempotency-key"] for each in fake.requests)
    assert first == again != later


@both_kinds
@pytest.mark.parametrize("kind_of_action", ["stop", "ship", "review", "do_not_fine_tune", "attach_dataset", "pray"])
async def test_it_ends_where_nothing_is_to_be_sent(kind: str, kind_of_action: str) -> None:
    fake = FakeService()
    fake.on("loops.next", answer(kind_of_action))
    client = fake_client(fake, kind).client
    steps = await listed(client.loops.follow("support-bot"))
    assert [(step.kind, step.carried_out, step.result) for step in steps] == [(kind_of_action, False, None)]
    assert steps[0].needs_person is (kind_of_action in ("review", "attach_dataset", "pray"))
    assert len(fake.requests) == 1


@both_kinds
async def test_an_action_of_tomorrow_with_a_request_is_carried_out(kind: str) -> None:
    fake = FakeService()
    request = models.Request(method="BREW", path="/v1/coffee", body={"beans": 2})
    fake.on("loops.next", answer("brew", request=request), answer("stop", state_version=2))
    client = fake_client(fake, kind).client
    steps = client.loops.follow("support-bot")
    with pytest.raises(whatnext.NotFoundError):
        await listed(steps)
    assert (fake.requests[-1].method, fake.requests[-1].path) == ("BREW", "/v1/coffee")
    assert fake.requests[-1].json == {"beans": 2}


@both_kinds
async def test_a_loop_that_moved_under_it_is_asked_again(kind: str) -> None:
    fake = FakeService()
    fake.on("loops.next", answer(request=START), answer("stop", state_version=2))
    fake.on("runs.create", problem(409, "recommendation_superseded"))
    steps = await listed(fake_client(fake, kind).client.loops.follow("support-bot"))
    assert [step.kind for step in steps] == ["stop"]


@both_kinds
async def test_a_refusal_of_what_is_still_advised_is_an_error(kind: str) -> None:
    fake = FakeService()
    fake.on("loops.next", answer(request=START))
    fake.on("runs.create", problem(409, "budget_exhausted"))
    with pytest.raises(whatnext.ConflictError, match="budget_exhausted"):
        await listed(fake_client(fake, kind).client.loops.follow("support-bot"))


@both_kinds
async def test_an_answer_may_be_refused_before_it_is_carried_out(kind: str) -> None:
    fake = FakeService()
    fake.on("loops.next", answer(request=START))
    steps = await listed(fake_client(fake, kind).client.loops.follow("support-bot", approve=lambda _: False))
    assert [step.carried_out for step in steps] == [False]
    assert fake.sent("runs.create") == []


@both_kinds
async def test_out_of_time_is_an_error_that_names_the_advice(kind: str) -> None:
    fake = FakeService()
    fake.on("loops.next", waiting("run_1", 1))
    with pytest.raises(whatnext.WaitTimeoutError) as caught:
        await listed(fake_client(fake, kind).client.loops.follow("support-bot", timeout_s=0))
    assert caught.value.last.headline == "Wait."


@both_kinds
async def test_a_loop_object_can_be_followed(kind: str) -> None:
    fake = FakeService()
    fake.on("loops.next", answer("stop", "Stop."))
    client = fake_client(fake, kind).client
    loop = await done(client.loops.get("support-bot"))
    assert isinstance(loop, models.Loop)
    assert [step.headline for step in await listed(loop.follow())] == ["Stop."]
    assert (await done(loop.next())).headline == "Stop."
    assert (await done(loop.history())).rows == []
    first = await done(client.loops.list().first_page())
    assert (await done(first.data[0].next())).headline == "Stop."


@both_kinds
async def test_a_wait_asks_with_the_tag_of_what_it_saw(kind: str) -> None:
    fake = FakeService()
    fake.on("runs.get", run("running", 1), run("running", 1), run("of_tomorrow", 2), run("failed", 3))
    made = fake_client(fake, kind)
    found = await done(made.client.runs.wait("support-bot/R1", timeout_s=600))
    assert found.status == "failed"
    assert [each.headers.get("if-none-match") for each in fake.requests] == [None, '"1"', '"1"', '"2"']
    assert [each.query.get("wait") for each in fake.requests] == [None, ["30"], ["30"], ["30"]]
    assert made.pauses == [1.0]


@both_kinds
async def test_a_wait_allows_for_the_time_the_service_holds_it(kind: str) -> None:
    fake = FakeService()
    fake.on("evaluations.get", example(models.Evaluation, status="running", version=1))
    seen: list[Any] = []

    def answered(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"]["read"])
        status = "running" if len(seen) == 1 else "succeeded"
        found = example(models.Evaluation, status=status, version=len(seen))
        return httpx.Response(200, json=found.to_dict(), headers={"etag": f'"{len(seen)}"'})

    transport = httpx.MockTransport(answered)
    http: Any = httpx.Client(transport=transport) if kind == "sync" else httpx.AsyncClient(transport=transport)
    chosen: Any = whatnext.Client if kind == "sync" else whatnext.AsyncClient
    client = chosen("wn_x", http_client=http, timeout=5)
    assert (await done(client.evaluations.wait("eval_1"))).status == "succeeded"
    assert seen == [5, 35]


@both_kinds
async def test_a_wait_that_ends_too_late_has_what_was_seen_last(kind: str) -> None:
    fake = FakeService()
    fake.on("runs.get", run("running", 1))
    fake.on("evaluations.get", example(models.Evaluation, status="running"))
    client = fake_client(fake, kind).client
    with pytest.raises(whatnext.WaitTimeoutError, match="R1 has not ended within 0 s") as caught:
        await done(client.runs.wait("run_1", timeout_s=0))
    assert caught.value.last.status == "running"
    with pytest.raises(whatnext.WaitTimeoutError):
        await done(client.evaluations.wait("eval_1", timeout_s=0))


@both_kinds
async def test_the_next_answer_is_one_that_differs(kind: str) -> None:
    fake = FakeService()
    fake.on(
        "loops.next", waiting("run_1", 1), waiting("run_1", 1), waiting("run_1", 2), answer("stop", state_version=3)
    )
    client = fake_client(fake, kind).client
    seen = await done(client.loops.next("support-bot"))
    after = await done(client.loops.wait_next("support-bot", after=seen, timeout_s=60))
    assert after.state_version == 2
    assert (await done(client.loops.wait_next("support-bot", timeout_s=60))).action.kind == "stop"


@both_kinds
async def test_anything_with_a_tag_can_be_waited_for(kind: str) -> None:
    fake = FakeService()
    fake.on("runs.get", run("running", 1), run("running", 1), run("paused", 2))
    client = fake_client(fake, kind).client
    operation = Operation("runs.get", "GET", "/v1/runs/{run_id}", models.Run)
    wait: Any = sync_changed if kind == "sync" else async_changed
    first = await done(wait(client.transport, operation, "run_1", since=None, timeout_s=60))
    assert (await done(wait(client.transport, operation, "run_1", since=first, timeout_s=60))).status == "paused"
    fake.on("runs.get", run("paused", 2))
    with pytest.raises(whatnext.WaitTimeoutError, match="/v1/runs/run_1 has not changed within 0 s"):
        await done(wait(client.transport, operation, "run_1", since=run_with_tag(fake), timeout_s=0))


def run_with_tag(fake: FakeService) -> models.Run:
    found = fake.client().runs.get("run_1")
    assert whatnext.response_of(found).headers["etag"] == '"2"'
    return found


@both_kinds
async def test_what_names_no_request_cannot_be_carried_out(kind: str) -> None:
    with pytest.raises(whatnext.NothingToCarryOutError, match="attach_dataset names no request"):
        await done(fake_client(FakeService(), kind).client.carry_out(answer("attach_dataset")))


def test_a_literal_call_is_the_operation_with_the_plainest_path() -> None:
    operations = (
        Operation("things.get", "GET", "/v1/things/{id}", models.Run),
        Operation("things.best", "GET", "/v1/things/best", models.Loop),
        Operation("things.list", "GET", "/v1/things", models.Run, paged=True),
    )
    assert operation_of(operations, "GET", "/v1/things/best?a=1") is operations[1]
    assert operation_of(operations, "GET", "/v1/things/other") is operations[0]
    assert operation_of(operations, "GET", "/v1/things") is None
    assert operation_of(operations, "POST", "/v1/things/best") is None


@both_kinds
async def test_a_literal_call_gives_the_resource_it_made(kind: str) -> None:
    fake = FakeService()
    client = fake_client(fake, kind).client
    made = await done(client.execute({"method": "PUT", "path": "/v1/loops/a/baseline", "body": {"evaluation_id": "e"}}))
    assert isinstance(made, models.Loop)
    run = await done(client.execute(START, idempotency_key="k"))
    assert isinstance(run, models.Run)
    assert fake.requests[-1].headers["idempotency-key"] == "k"
