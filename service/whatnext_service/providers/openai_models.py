"""Every OpenAI-compatible endpoint for chat completions (fine-tuned models, base models, judges) and embeddings.

Sent with aiohttp and not with the `openai` client, whose CPU for each call (1.7 ms against 0.2) would hold an
evaluation of quick answers back; faults keep the meanings of `openai_errors`.
"""

import math
import time
import urllib.request
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from whatnext_service.errors import ProviderError
from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai_errors import status_error, translated, without_secrets
from whatnext_service.providers.openai_wire import (
    WireCompletion,
    WireEmbeddings,
    WireMessage,
    decoded,
    mapping,
    storable,
    storable_value,
    tokens,
)
from whatnext_service.providers.port import Completion, CompletionRequest, Embedding, EmbeddingRequest, Message

_MAX_CONNECTIONS = 1000
MAX_ANSWER_BYTES = 16 * 2**20
MAX_REASON_CHARS = 64
Request = TypeVar("Request", CompletionRequest, EmbeddingRequest)


class _Turn(msgspec.Struct, kw_only=True):
    role: str
    content: str


class _Schema(msgspec.Struct, kw_only=True):
    schema: msgspec.Raw
    name: str = "answer"
    strict: bool = True


class _Format(msgspec.Struct, kw_only=True):
    json_schema: _Schema
    type: str = "json_schema"


class _Asked(msgspec.Struct, kw_only=True, omit_defaults=True):
    model: str
    messages: list[_Turn | msgspec.Raw]
    temperature: float | None = None
    max_completion_tokens: int | None = None
    seed: int | None = None
    top_p: float | None = None
    reasoning_effort: str | None = None
    response_format: _Format | None = None
    tools: msgspec.Raw | None = None


class OpenAIModels:
    """The models that one platform serves; implements `ServedModels` and `EmbeddingModels`. A request is sent once."""

    def __init__(
        self,
        settings: PlatformSettings,
        now_s: Callable[[], float] = time.time,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._now_s = now_s
        self._clock_s = clock_s
        self._url = settings.base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer a prompt within `timeout_s`, everything included.

        What is no answer is a fault, never an empty text that would be graded: a content filter, a refusal where a
        schema was asked for, tool calls without text where no tool was offered, no choice at all.
        """
        started_s = self._clock_s()
        answer = decoded(await self._post("/chat/completions", request, _encoded), WireCompletion)
        latency_s = self._clock_s() - started_s
        if not answer.choices:
            said = mapping(answer.error).get("message")
            detail = said if isinstance(said, str) and said else "the answer holds no choice"
            raise ProviderError("malformed", without_secrets(detail, self._settings.api_key), retryable=True)
        choice = answer.choices[0]
        if choice.finish_reason == "content_filter":
            raise ProviderError("refused", "the platform's content filter held the answer back", retryable=False)
        called = request.tools is not None and choice.message.tool_calls
        reason = choice.finish_reason
        return Completion(
            text=storable(_text(choice.message, structured=request.response_schema is not None, tools=bool(called))),
            finish_reason=storable(reason)[:MAX_REASON_CHARS] if isinstance(reason, str) else None,
            prompt_tokens=tokens(answer.usage, "prompt_tokens"),
            completion_tokens=tokens(answer.usage, "completion_tokens"),
            latency_s=latency_s,
            tool_calls=_calls(choice.message.tool_calls) if called else None,
        )

    async def embed(self, request: EmbeddingRequest) -> Embedding:
        """Give the vectors of texts within `timeout_s`, everything included."""
        answer = decoded(await self._post("/embeddings", request, _encoded_texts), WireEmbeddings)
        found = {place if each.index is None else each.index: each.embedding for place, each in enumerate(answer.data)}
        vectors = tuple(tuple(found.get(place, ())) for place in range(len(request.texts)))
        if not all(vector and all(map(math.isfinite, vector)) for vector in vectors):
            raise ProviderError("malformed", "a text has no vector of finite numbers", retryable=True)
        return Embedding(vectors=vectors, prompt_tokens=tokens(answer.usage, "prompt_tokens"))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, path: str, request: Request, encode: Callable[[Request], bytes]) -> bytes:
        settings, url = self._settings, self._url + path
        async with translated(deadline_s=request.timeout_s, secret=settings.api_key, now_s=self._now_s):
            body = encode(request)
            headers = {
                "Content-Type": "application/json",
                "Idempotency-Key": request.idempotency_key,
                "Accept-Encoding": "identity",
            }
            if settings.api_key_header:
                headers["api-key"] = settings.api_key
            elif settings.api_key:
                headers["Authorization"] = f"Bearer {settings.api_key}"
            query = {"api-version": settings.api_version} if settings.api_version else None
            # A redirected POST could be carried out twice, and the key would go along to the other host.
            async with self._opened().post(
                url, data=body, headers=headers, params=query, allow_redirects=False
            ) as response:
                answer = await _whole(response)
                if not 200 <= response.status < 300:
                    raise status_error(response.status, response.headers, answer, url)
                return answer

    def _opened(self) -> aiohttp.ClientSession:
        """The session; it belongs to the running loop and is therefore opened by the first request."""
        if self._session is None:
            settings = self._settings
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_MAX_CONNECTIONS),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=settings.connect_timeout_s, sock_read=settings.timeout_s
                ),
                proxy=_proxy(self._url),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """The body, unpacked where it is packed, unless it is too large."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise ProviderError("malformed", f"the answer is larger than {MAX_ANSWER_BYTES} bytes", retryable=False)
    return bytes(body)


def _proxy(url: str) -> str | None:
    """The environment's proxy for a URL, looked up once: aiohttp itself would ask a thread for it at every request."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    return urllib.request.getproxies().get(parts.scheme)


def _encoded(request: CompletionRequest) -> bytes:
    return msgspec.json.encode(
        _Asked(
            model=request.model,
            messages=[_turn(message) for message in request.messages],
            temperature=request.temperature,
            max_completion_tokens=request.max_completion_tokens,
            seed=request.seed,
            top_p=request.top_p,
            reasoning_effort=request.reasoning_effort,
            response_format=_response_format(request.response_schema),
            tools=msgspec.Raw(request.tools) if request.tools is not None else None,
        )
    )


def _encoded_texts(request: EmbeddingRequest) -> bytes:
    return msgspec.json.encode({"model": request.model, "input": request.texts, "encoding_format": "float"})


def _turn(message: Message) -> _Turn | msgspec.Raw:
    return _Turn(role=message.role, content=message.content) if message.raw is None else msgspec.Raw(message.raw)


def _response_format(schema: bytes | None) -> _Format | None:
    if schema is None:
        return None
    try:
        msgspec.json.decode(schema)
    except (msgspec.DecodeError, RecursionError) as fault:
        detail = f"the response schema is no JSON: {fault}"
        raise ProviderError("refused", detail, retryable=False, sent=False) from None
    return _Format(json_schema=_Schema(schema=msgspec.Raw(schema)))


def _calls(calls: object) -> bytes:
    try:
        return msgspec.json.encode(storable_value(calls))
    except RecursionError:
        raise ProviderError("malformed", "the tool calls are nested too deeply", retryable=False) from None


def _text(message: WireMessage, *, structured: bool, tools: bool) -> str:
    content = message.content
    if isinstance(content, list):
        texts = [mapping(part).get("text") for part in content]
        content = "".join(text for text in texts if isinstance(text, str))
    if isinstance(content, str) and content:
        return content
    if tools:
        return ""
    if isinstance(message.refusal, str) and message.refusal:
        if structured:
            refusal = storable(f"the model refused: {message.refusal}"[:300])
            raise ProviderError("refused", refusal, retryable=False)
        return message.refusal
    if message.tool_calls or message.function_call:
        raise ProviderError("malformed", "the model called tools and gave no text", retryable=False)
    if content not in (None, ""):
        raise ProviderError("malformed", "the answer's content is no text", retryable=True)
    return ""
