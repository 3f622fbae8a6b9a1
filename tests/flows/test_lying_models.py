"""Evaluations over models and judges that lie: what can be scored is, the rest has a typed reason, nothing is lost."""

import dataclasses
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest
from tests.flows.preparing import answer, make_suite
from tests.flows.test_evaluate import items_of, judged, number_of, run
from tests.flows.wiring import Wire
from tests.providers.loopback import Loopback, Received, Reply
from tests.providers.payloads import completion

from whatnext_service.flows.context import Judge, Provider, Services
from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai_models import OpenAIModels

CHAT = "POST /v1/chat/completions"
Lie = Callable[[str], Reply]
MODEL_LIES: dict[str, tuple[Lie, str | None, int]] = {
    "html": (lambda text: Reply(b"<html>Please log in</html>"), "malformed", 2),
    "cut json": (lambda text: Reply(json.dumps(completion(text)).encode()[:-9]), "malformed", 2),
    "no choices": (lambda text: Reply(completion(text) | {"choices": []}), "malformed", 2),
    "streamed": (lambda text: Reply(b'data: {"choices": [{"delta": {"content": "1"}}]}\n\n'), "malformed", 1),
    "tool call": (lambda text: Reply(completion(None, tool_calls=[{"id": "c"}])), "malformed", 1),
    "filtered": (lambda text: Reply(completion(text, "content_filter")), "refused", 1),
    "bad request": (lambda text: Reply({"error": {"message": "no\0no"}}, 400), "refused", 1),
    "lost": (lambda text: Reply({"error": None}, 404), "not_found", 1),
    "wrong usage": (lambda text: Reply(completion(text) | {"usage": {"prompt_tokens": -9e300}}), None, 1),
    "usage of a billion": (lambda text: Reply(completion(text) | {"usage": {"completion_tokens": 10**12}}), None, 1),
    "odd reason": (lambda text: Reply(completion(text, {"why": "\0"})), None, 1),  # type: ignore[arg-type]
    "nul": (lambda text: Reply(completion(f"{text}\0")), None, 1),
    "half a pair": (lambda text: Reply(completion(f"{text}\ud800")), None, 1),
    "nothing": (lambda text: Reply(completion(None)), None, 1),
    "refusal": (lambda text: Reply(completion(None, refusal="I will not.")), None, 1),
}
SAID = {"reasoning": "read", "instructs_judge": False}
JUDGE_LIES: dict[str, tuple[Reply, str | None]] = {
    "honest": (Reply(completion(json.dumps(SAID | {"score": 7}))), None),
    "fenced": (Reply(completion("```json\n" + json.dumps(SAID | {"score": 7}) + "\n```")), None),
    "nul": (Reply(completion(json.dumps(SAID | {"reasoning": "re\0ad", "score": 7}))), None),
    "endless": (Reply(completion(json.dumps(SAID | {"reasoning": "read " * 9999, "score": 7}))), None),
    "a word": (Reply(completion("seven")), "model_grader_parse_error"),
    "a number": (Reply(completion("7")), "model_grader_parse_error"),
    "a text": (Reply(completion(json.dumps(SAID | {"score": "7"}))), "model_grader_parse_error"),
    "too much": (Reply(completion(json.dumps(SAID | {"score": 11}))), "model_grader_parse_error"),
    "no number": (Reply(completion('{"reasoning": "", "score": NaN}')), "model_grader_parse_error"),
    "no score": (Reply(completion(json.dumps(SAID))), "model_grader_parse_error"),
    "cut off": (Reply(completion('{"reasoning": "because it', "length")), "model_grader_parse_error"),
    "nothing": (Reply(completion(None)), "model_grader_refusal_error"),
    "refusal": (Reply(completion(None, refusal="I will not.")), "model_grader_server_error"),
    "filtered": (Reply(completion("{}", "content_filter")), "model_grader_server_error"),
    "html": (Reply(b"<html>Please log in</html>"), "model_grader_server_error"),
}


@pytest.fixture
async def liar() -> AsyncIterator[Loopback]:
    async with Loopback() as server:
        yield server


@pytest.fixture
async def models(liar: Loopback) -> AsyncIterator[OpenAIModels]:
    opened = OpenAIModels(PlatformSettings(base_url=f"http://127.0.0.1:{liar.port}/v1", api_key="none"))
    yield opened
    await opened.close()


def of_models(services: Services, models: OpenAIModels) -> Services:
    known = services.providers["sandbox"]
    provider = Provider(platform=known.platform, models=models, poll_interval_s=1.0)
    return dataclasses.replace(services, providers={"sandbox": provider})


async def test_every_lie_of_a_model_is_a_typed_reason_and_spoils_nothing_else(
    services: Services, workspace: str, liar: Loopback, models: OpenAIModels
) -> None:
    lies = list(MODEL_LIES.values())

    def say(received: Received) -> Reply:
        n = number_of(received.json)
        return lies[n][0](answer(n)) if n < len(lies) else Reply(completion(answer(n)))

    liar.on(CHAT, say)
    lying = of_models(services, models)
    suite = await make_suite(services, workspace, len(lies) + 20)
    done = await run(lying, workspace, suite)
    items = await items_of(lying, workspace, done)
    assert done.status == "succeeded"
    assert [item.error.code if item.error else None for item in items] == [code for _, code, _ in lies] + [None] * 20
    assert all(item.combined is None for item in items if item.error)
    assert {item.combined for item in items[len(lies) :]} == {10.0}
    assert done.n_scored == sum(code is None for _, code, _ in lies) + 20
    assert (done.prompt_tokens or 0) >= 0
    sent = Counter(number_of(received.json) for received in liar.requests)
    assert [sent[n] for n in range(len(lies))] == [tries for _, _, tries in lies]


async def test_every_lie_of_a_judge_is_a_typed_reason_and_no_score(
    wire: Wire, workspace: str, liar: Loopback, models: OpenAIModels
) -> None:
    lies = list(JUDGE_LIES.values())
    wired, _ = wire(lambda asked: f"Answer {number_of(asked)}.")

    def judge(received: Received) -> Reply:
        text = received.json["messages"][-1]["content"]
        place = next((n for n in range(len(lies)) if f"\nAnswer {n}.\n" in text), 0)
        return lies[place][0]

    liar.on(CHAT, judge)
    services = dataclasses.replace(wired, judge=Judge(models=models, model="judge"))
    suite = await make_suite(services, workspace, len(lies), graders=(judged(),))
    done = await run(services, workspace, suite)
    items = await items_of(services, workspace, done)
    assert done.status == "succeeded"
    assert [item.error.code if item.error else None for item in items] == [code for _, code in lies]
    assert [item.combined for item in items] == [7.0 if code is None else None for _, code in lies]
    assert all(item.output == f"Answer {item.index}." for item in items)
    assert all(len(each.reasoning or "") <= 4000 for item in items for each in item.judgements)
    assert done.combined == 7.0
