"""Every OpenAI-compatible chat-completions endpoint: fine-tuned models, base models and judges."""

import json
import time
from collections.abc import Callable
from typing import cast

from openai import AsyncOpenAI, Omit, omit
from openai.types.chat import ChatCompletionMessageParam
from openai.types.shared_params import ResponseFormatJSONSchema

from whatnext_service.errors import ProviderError
from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai_calls import Calls
from whatnext_service.providers.openai_wire import WireCompletion, WireMessage, WireUsage, mapping, whole
from whatnext_service.providers.port import Completion, CompletionRequest


class OpenAIModels:
    """The models that one platform serves; implements `ServedModels`. A request is sent once."""

    def __init__(
        self,
        client: AsyncOpenAI,
        settings: PlatformSettings,
        now_s: Callable[[], float] = time.time,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client.with_options(max_retries=0)
        self._calls = Calls(settings, now_s)
        self._clock_s = clock_s

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer a prompt within `timeout_s`, everything included.

        What is no answer is a fault, never an empty text that would be graded: a content filter, a refusal where a
        schema was asked for, tool calls without text, no choice at all.
        """
        started_s = self._clock_s()
        call = self._client.chat.completions.with_raw_response.create(
            model=request.model,
            messages=[
                cast(ChatCompletionMessageParam, {"role": turn.role, "content": turn.content})
                for turn in request.messages
            ],
            temperature=omit if request.temperature is None else request.temperature,
            max_completion_tokens=omit if request.max_completion_tokens is None else request.max_completion_tokens,
            seed=omit if request.seed is None else request.seed,
            response_format=_response_format(request.response_schema),
            extra_headers={"Idempotency-Key": request.idempotency_key},
            timeout=request.timeout_s,
        )
        answer = await self._calls.ask(call, WireCompletion, request.timeout_s)
        latency_s = self._clock_s() - started_s
        if not answer.choices:
            message = mapping(answer.error).get("message", "the answer holds no choice")
            raise ProviderError("malformed", str(message)[:300], retryable=True)
        choice = answer.choices[0]
        if choice.finish_reason == "content_filter":
            raise ProviderError("refused", "the platform's content filter held the answer back", retryable=False)
        usage = answer.usage or WireUsage()
        return Completion(
            text=_text(choice.message, structured=request.response_schema is not None),
            finish_reason=choice.finish_reason,
            prompt_tokens=whole(usage.prompt_tokens),
            completion_tokens=whole(usage.completion_tokens),
            latency_s=latency_s,
        )


def _response_format(schema: bytes | None) -> ResponseFormatJSONSchema | Omit:
    if schema is None:
        return omit
    try:
        wanted = json.loads(schema)
    except ValueError as fault:
        detail = f"the response schema is no JSON: {fault}"
        raise ProviderError("refused", detail, retryable=False, sent=False) from None
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": wanted}}


def _text(message: WireMessage, *, structured: bool) -> str:
    content = message.content
    if isinstance(content, list):
        content = "".join(str(mapping(part).get("text") or "") for part in content)
    if isinstance(content, str) and content:
        return content
    if message.refusal:
        if structured:
            raise ProviderError("refused", f"the model refused: {message.refusal}"[:300], retryable=False)
        return message.refusal
    if message.tool_calls:
        raise ProviderError("malformed", "the model called tools and gave no text", retryable=False)
    if content not in (None, ""):
        raise ProviderError("malformed", "the answer's content is no text", retryable=True)
    return ""
