import asyncio
import json
from typing import Literal

import pytest
from tests.providers.loopback import Loopback, Reply
from tests.providers.payloads import completion

from whatnext_service.errors import ProviderError
from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai_models import OpenAIModels
from whatnext_service.providers.port import CompletionRequest, EmbeddingRequest, Message

CHAT = "POST /v1/chat/completions"
EMBED = "POST /v1/embeddings"
TWO = EmbeddingRequest(model="vectors", texts=("a", "b"), idempotency_key="key-1")


def request(**members: object) -> CompletionRequest:
    turns = (Message(role="system", content="Be brief."), Message(role="user", content="Capital of France?"))
    return CompletionRequest(model="ft:m:o::1", messages=turns, idempotency_key="key-1", **members)  # type: ignore[arg-type]


async def test_a_prompt_is_answered_and_measured(server: Loopback, models: OpenAIModels) -> None:
    server.on(CHAT, completion("Paris"))
    answer = await models.complete(request())
    assert (answer.text, answer.finish_reason) == ("Paris", "stop")
    assert (answer.prompt_tokens, answer.completion_tokens) == (19, 10)
    assert answer.latency_s >= 0
    sent = server.requests[0]
    assert sent.json == {
        "model": "ft:m:o::1",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Capital of France?"}],
    }
    assert sent.headers["idempotency-key"] == "key-1"
    assert sent.headers["authorization"] == "Bearer secret-key-1234"


async def test_latency_is_read_from_the_given_clock(server: Loopback, settings: PlatformSettings) -> None:
    ticks = iter([100.0, 101.5])
    models = OpenAIModels(settings, clock_s=lambda: next(ticks))
    server.on(CHAT, completion("Paris"))
    assert (await models.complete(request())).latency_s == 1.5
    await models.close()


async def test_a_turn_that_is_more_than_a_text_is_sent_whole_and_tools_may_be_called(
    server: Loopback, models: OpenAIModels
) -> None:
    parts = {"role": "user", "content": [{"type": "text", "text": "Weather in Oslo?"}]}
    tools = [{"type": "function", "function": {"name": "weather"}}]
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    server.on(CHAT, completion(None, "tool_calls", tool_calls=[call]))
    turns = (Message(role="user", content="", raw=json.dumps(parts).encode()),)
    asked = CompletionRequest(model="m", messages=turns, idempotency_key="key-1", tools=json.dumps(tools).encode())
    answer = await models.complete(asked)
    assert (server.requests[0].json["messages"], server.requests[0].json["tools"]) == ([parts], tools)
    assert answer.text == ""
    assert json.loads(answer.tool_calls or b"") == [call]


async def test_sampling_parameters_and_a_schema_are_sent(server: Loopback, models: OpenAIModels) -> None:
    schema = {"type": "object", "properties": {"score": {"type": "number"}}, "required": ["score"]}
    server.on(CHAT, completion('{"score": 7}'))
    await models.complete(
        request(
            temperature=0.0,
            max_completion_tokens=20,
            seed=3,
            top_p=0.5,
            reasoning_effort="low",
            response_schema=json.dumps(schema).encode(),
        )
    )
    sent = server.requests[0].json
    assert (sent["top_p"], sent["reasoning_effort"]) == (0.5, "low")
    assert (sent["temperature"], sent["max_completion_tokens"], sent["seed"]) == (0.0, 20, 3)
    assert sent["response_format"]["type"] == "json_schema"
    assert sent["response_format"]["json_schema"]["schema"] == schema


async def test_a_schema_that_is_no_json_is_never_sent(server: Loopback, models: OpenAIModels) -> None:
    with pytest.raises(ProviderError) as caught:
        await models.complete(request(response_schema=b"{"))
    assert (caught.value.fault, caught.value.sent, server.requests) == ("refused", False, [])


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (completion(""), ""),
        (completion(None), ""),
        (completion("cut off he", "length"), "cut off he"),
        (completion([{"type": "text", "text": "Par"}, {"type": "text", "text": "is"}]), "Paris"),
        (completion(None, refusal="I will not."), "I will not."),
        (completion("Paris") | {"usage": None}, "Paris"),
    ],
)
async def test_odd_but_honest_answers_are_answers(
    server: Loopback, models: OpenAIModels, body: dict[str, object], text: str
) -> None:
    server.on(CHAT, body)
    assert (await models.complete(request())).text == text


async def test_a_prompt_is_never_repeated_by_itself(server: Loopback, models: OpenAIModels) -> None:
    server.on(CHAT, Reply({}, 429, {"retry-after-ms": "1"}), completion("Paris"))
    with pytest.raises(ProviderError):
        await models.complete(request())
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reply", "fault", "retryable"),
    [
        (completion("half of", "content_filter"), "refused", False),
        (Reply({"error": {"code": "content_filter", "message": "filtered"}}, 400), "refused", False),
        (completion() | {"choices": []}, "malformed", True),
        ({"error": {"message": "upstream overloaded"}}, "malformed", True),
        (completion(None, "tool_calls", tool_calls=[{"id": "call_1"}]), "malformed", False),
        (completion({"odd": 1}), "malformed", True),
        (completion() | {"choices": [{"finish_reason": "stop"}]}, "malformed", True),
        (Reply(b'{"choices": [{"mess'), "malformed", True),
        (Reply({}, 429, {"retry-after-ms": "250"}), "rate_limited", True),
        (Reply({"error": {"message": "The model `x` does not exist"}}, 404), "not_found", False),
        (Reply(status=500), "unavailable", True),
        (Reply(fault="cut"), "unreachable", True),
        (Reply(completion(), fault="half"), "unreachable", True),
    ],
)
async def test_what_is_no_answer_is_a_fault_and_asked_once(
    server: Loopback, models: OpenAIModels, reply: object, fault: str, retryable: bool
) -> None:
    server.on(CHAT, reply)
    with pytest.raises(ProviderError) as caught:
        await models.complete(request())
    assert (caught.value.fault, caught.value.retryable, len(server.requests)) == (fault, retryable, 1)


async def test_a_judge_that_refuses_gives_no_verdict(server: Loopback, models: OpenAIModels) -> None:
    server.on(CHAT, completion(None, refusal="I will not."))
    with pytest.raises(ProviderError, match="I will not") as caught:
        await models.complete(request(response_schema=b"{}"))
    assert caught.value.fault == "refused"


@pytest.mark.parametrize("fault", ["silence", "drip"])
async def test_a_prompt_has_its_own_deadline(
    server: Loopback, models: OpenAIModels, fault: Literal["silence", "drip"]
) -> None:
    server.on(CHAT, Reply(fault=fault))
    with pytest.raises(ProviderError) as caught:
        await models.complete(request(timeout_s=0.1))
    assert (caught.value.fault, caught.value.sent, caught.value.retryable) == ("timeout", True, True)


async def test_a_prompt_that_cannot_be_encoded_is_refused_and_not_sent(server: Loopback, models: OpenAIModels) -> None:
    prompt = (Message(role="user", content="\ud800"),)
    server.on(CHAT, completion("Paris"))
    with pytest.raises(ProviderError) as caught:
        await models.complete(CompletionRequest(model="m", messages=prompt, idempotency_key="key-1"))
    assert (caught.value.fault, caught.value.retryable, server.requests) == ("refused", False, [])


async def test_many_prompts_at_once_each_get_their_own_answer(server: Loopback, models: OpenAIModels) -> None:
    server.on(CHAT, lambda received: Reply(completion(received.json["messages"][0]["content"])))
    asked = [
        CompletionRequest(model="m", messages=(Message(role="user", content=f"{n}"),), idempotency_key=f"{n}")
        for n in range(30)
    ]
    answers = await asyncio.gather(*(models.complete(each) for each in asked))
    assert [answer.text for answer in answers] == [str(n) for n in range(30)]


async def test_texts_are_embedded_in_their_order_whatever_the_answers(server: Loopback, models: OpenAIModels) -> None:
    vectors = [{"index": 1, "embedding": [0, 2.0]}, {"index": 0, "embedding": [1.0, 0.5]}]
    server.on(EMBED, {"data": vectors, "usage": {"prompt_tokens": 2, "total_tokens": 2}})
    found = await models.embed(TWO)
    assert (found.vectors, found.prompt_tokens) == (((1.0, 0.5), (0.0, 2.0)), 2)
    assert server.requests[0].json == {"model": "vectors", "input": ["a", "b"], "encoding_format": "float"}
    assert server.requests[0].headers["idempotency-key"] == "key-1"


@pytest.mark.parametrize(
    "body",
    [
        {"data": []},
        {"data": [{"index": 0, "embedding": [1.0]}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": []}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": "AACAPw=="}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}]},
        b'{"data": [{"embedding": [NaN]}, {"embedding": [1.0]}]}',
        b"<html>busy</html>",
        b"",
    ],
)
async def test_texts_without_a_vector_each_are_a_fault(server: Loopback, models: OpenAIModels, body: object) -> None:
    server.on(EMBED, Reply(body))
    with pytest.raises(ProviderError) as caught:
        await models.embed(TWO)
    assert (caught.value.fault, caught.value.retryable) == ("malformed", True)
