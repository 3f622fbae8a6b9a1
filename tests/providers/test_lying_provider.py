"""A platform that says 200 and lies: every answer is an honest one or a typed fault, and can be stored."""

import gzip
import json
from typing import Any

import pytest
from tests.providers.loopback import Loopback, Reply
from tests.providers.payloads import completion

from whatnext_service.errors import ProviderError
from whatnext_service.providers.openai_models import MAX_ANSWER_BYTES, OpenAIModels
from whatnext_service.providers.port import CompletionRequest, Message

CHAT = "POST /v1/chat/completions"
REQUEST = CompletionRequest(model="m", messages=(Message(role="user", content="How?"),), idempotency_key="key-1")
DEEP: Any = json.loads("[" * 900 + "]" * 900)
HTML = b"<!doctype html><html><body>Please log in</body></html>"
STREAMED = b'data: {"choices": [{"delta": {"content": "Par"}}]}\n\ndata: [DONE]\n\n'


def message(**members: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **members}}]}


def used(**usage: object) -> dict[str, Any]:
    return completion("Paris") | {"usage": usage}


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [],
        "many",
        {},
        {"prompt_tokens": -5, "completion_tokens": -1},
        {"prompt_tokens": "x", "completion_tokens": None},
        {"prompt_tokens": 1e300, "completion_tokens": 2**63},
        {"prompt_tokens": 1.5, "completion_tokens": True},
        {"prompt_tokens": [1], "completion_tokens": {"n": 1}},
    ],
)
async def test_a_wrong_count_of_tokens_is_no_count(server: Loopback, models: OpenAIModels, usage: object) -> None:
    server.on(CHAT, completion("Paris") | {"usage": usage})
    answer = await models.complete(REQUEST)
    assert (answer.text, answer.prompt_tokens, answer.completion_tokens) == ("Paris", None, None)


@pytest.mark.parametrize(
    ("body", "retryable"),
    [
        (HTML, True),
        (b"", True),
        (b"null", True),
        (b"[]", True),
        (b'"Paris"', True),
        (b"\xff\xfe", True),
        (b"[" * 100_000, True),
        (json.dumps(completion("Paris")).encode()[:-20], True),
        (STREAMED, False),
        (b": ping\n\n" + STREAMED, False),
        (b'event: message\ndata: {"choices": []}\n\n', False),
        ({"choices": None}, True),
        ({"choices": [None]}, True),
        ({"choices": {}}, True),
        ({"choices": [{}]}, True),
        ({"choices": [{"message": None}]}, True),
        ({"choices": [{"delta": {"content": "Paris"}}]}, True),
        (message(content=7), True),
        (message(content={"text": "Paris"}), True),
        (message(content=None, tool_calls=[{"id": "c"}]), False),
        (message(content=None, tool_calls={"id": "c"}), False),
        (message(content=None, function_call={"name": "f", "arguments": "{}"}), False),
        ({"error": "overloaded"}, True),
        ({"error": {"message": "over\0loaded"}}, True),
        ({"detail": "not here"}, True),
        ({"error": {"message": DEEP}}, True),
    ],
)
async def test_what_is_no_answer_is_a_typed_fault_that_can_be_stored(
    server: Loopback, models: OpenAIModels, body: object, retryable: bool
) -> None:
    server.on(CHAT, Reply(body))
    with pytest.raises(ProviderError) as caught:
        await models.complete(REQUEST)
    assert (caught.value.fault, caught.value.retryable) == ("malformed", retryable)
    assert len(caught.value.detail) <= 300
    assert "\0" not in caught.value.detail
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Par\0is", "Par\N{REPLACEMENT CHARACTER}is"),
        ("Par\ud800is", "Par\N{REPLACEMENT CHARACTER}is"),
        ("\ud83d\ude00", "\N{GRINNING FACE}"),
        (
            [{"type": "text", "text": "Par\0is"}, None, 7, {"type": "image"}, {"text": DEEP}],
            "Par\N{REPLACEMENT CHARACTER}is",
        ),
    ],
)
async def test_text_that_no_database_holds_becomes_text_that_one_does(
    server: Loopback, models: OpenAIModels, content: object, text: str
) -> None:
    server.on(CHAT, message(content=content))
    assert (await models.complete(REQUEST)).text == text


async def test_calls_nested_beyond_reason_are_a_fault(server: Loopback, models: OpenAIModels) -> None:
    server.on(CHAT, message(content=None, tool_calls=DEEP))
    offered = CompletionRequest(model="m", messages=REQUEST.messages, idempotency_key="k", tools=b"[]")
    with pytest.raises(ProviderError) as caught:
        await models.complete(offered)
    assert caught.value.fault == "malformed"


async def test_tool_calls_that_no_database_holds_become_such_that_one_does(
    server: Loopback, models: OpenAIModels
) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f\0", "arguments": "\ud800"}}
    server.on(CHAT, message(content=None, tool_calls=[call]))
    offered = CompletionRequest(model="m", messages=REQUEST.messages, idempotency_key="k", tools=b"[]")
    made = (await models.complete(offered)).tool_calls
    assert made is not None
    assert json.loads(made)[0]["function"] == {
        "name": "f\N{REPLACEMENT CHARACTER}",
        "arguments": "\N{REPLACEMENT CHARACTER}",
    }


@pytest.mark.parametrize(
    ("reason", "read"),
    [(7, None), (None, None), ({}, None), ("stop\0", "stop\N{REPLACEMENT CHARACTER}"), ("x" * 999, "x" * 64)],
)
async def test_an_odd_finish_reason_spoils_no_answer(
    server: Loopback, models: OpenAIModels, reason: object, read: str | None
) -> None:
    body = message(content="Paris")
    body["choices"][0]["finish_reason"] = reason
    server.on(CHAT, body)
    answer = await models.complete(REQUEST)
    assert (answer.text, answer.finish_reason) == ("Paris", read)


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_without_an_end_is_not_read_to_its_end(
    server: Loopback, models: OpenAIModels, packed: bool
) -> None:
    """Nor unpacked to it."""
    body = json.dumps(completion("x" * MAX_ANSWER_BYTES)).encode()
    server.on(CHAT, Reply(gzip.compress(body), headers={"content-encoding": "gzip"}) if packed else Reply(body))
    with pytest.raises(ProviderError, match="larger than") as caught:
        await models.complete(REQUEST)
    assert (caught.value.fault, caught.value.retryable) == ("malformed", False)


async def test_no_packed_answer_is_asked_for_and_one_is_read_all_the_same(
    server: Loopback, models: OpenAIModels
) -> None:
    packed = gzip.compress(json.dumps(completion("Paris")).encode())
    server.on(CHAT, Reply(packed, headers={"content-encoding": "gzip"}))
    assert (await models.complete(REQUEST)).text == "Paris"
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("status", [204, 301, 307, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 529])
@pytest.mark.parametrize(
    "body", [b"", HTML, b"null", b"[1]", b'"no"', b'{"error": null}', b'{"error": {"message": "a\\u0000b"}}']
)
async def test_whatever_body_a_refusal_has_it_is_typed_and_can_be_stored(
    server: Loopback, models: OpenAIModels, status: int, body: bytes
) -> None:
    server.on(CHAT, Reply(body, status, {"location": "/elsewhere"}))
    with pytest.raises(ProviderError) as caught:
        await models.complete(REQUEST)
    assert "\0" not in caught.value.detail
    assert caught.value.retryable == (status in (204, 429) or status >= 500)
    assert len(server.requests) == 1
