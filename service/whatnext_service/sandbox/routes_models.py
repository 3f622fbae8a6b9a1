"""/v1/models, /v1/chat/completions and /v1/embeddings"""

import base64
import hashlib
import secrets
import time

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath

from whatnext_service.sandbox import wire
from whatnext_service.sandbox.embedding import EMBEDDING_MODEL, MAX_TEXTS, embed
from whatnext_service.sandbox.messages import read_message
from whatnext_service.sandbox.problems import AnyRequest, ApiError
from whatnext_service.sandbox.sandbox import Sandbox, decode, sandbox_of
from whatnext_service.sandbox.shelf import unknown_model
from whatnext_service.sandbox.tokens import count_tokens, tokens

_MAX_TOKENS = 256


@get("/v1/models", name="models.list")
async def list_models(request: AnyRequest) -> wire.Page[wire.Model]:
    return wire.Page(data=list(sandbox_of(request).shelf.models()))


@get("/v1/models/{model:str}", name="models.retrieve")
async def retrieve_model(request: AnyRequest, model: FromPath[str]) -> wire.Model:
    return sandbox_of(request).shelf.find(model)


@delete("/v1/models/{model:str}", name="models.delete", status_code=200)
async def delete_model(request: AnyRequest, model: FromPath[str]) -> wire.Deleted:
    sandbox_of(request).shelf.remove(model)
    return wire.Deleted(id=model, object="model")


@post("/v1/chat/completions", name="chat.completions")
async def create_completion(request: AnyRequest) -> Response[bytes]:
    sandbox = sandbox_of(request)
    body = await request.body()
    asked = decode(body, wire.ChatRequest)
    if asked.stream or (asked.n or 1) != 1:
        raise ApiError(400, "Only one whole answer is offered: no 'stream', 'n' of 1", code="unsupported_value")
    return sandbox.once(request, body, lambda: _complete(sandbox, asked))


@post("/v1/embeddings", name="embeddings")
async def create_embeddings(request: AnyRequest) -> Response[bytes]:
    body = await request.body()
    asked = decode(body, wire.EmbeddingRequest)
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    if asked.model != EMBEDDING_MODEL:
        raise unknown_model(asked.model)
    if len(texts) > MAX_TEXTS or not all(texts):
        raise ApiError(400, f"'input' holds 1 to {MAX_TEXTS} texts, none of them empty", code="invalid_value")
    return sandbox_of(request).once(request, body, lambda: _embed(asked, texts))


def _embed(asked: wire.EmbeddingRequest, texts: list[str]) -> wire.Embeddings:
    n_tokens = sum(len(tokens(text)) for text in texts)
    found: list[wire.Vector] = []
    for place, text in enumerate(texts):
        vector = embed(text)
        packed = base64.b64encode(vector.astype("<f4").tobytes()).decode()
        found.append(
            wire.Vector(index=place, embedding=packed if asked.encoding_format == "base64" else vector.tolist())
        )
    usage = wire.EmbeddingUsage(prompt_tokens=n_tokens, total_tokens=n_tokens)
    return wire.Embeddings(data=found, model=asked.model, usage=usage)


def _complete(sandbox: Sandbox, asked: wire.ChatRequest) -> wire.ChatCompletion:
    messages = tuple(read_message(message) for message in asked.messages)
    limit = asked.max_completion_tokens or asked.max_tokens or _MAX_TOKENS
    text, ended = sandbox.shelf.answer(asked.model, messages, max_tokens=limit)
    sandbox.state.pay(hashlib.sha256(msgspec.json.encode((asked.model, messages))).hexdigest())
    n_prompt, n_answer = count_tokens(messages), len(tokens(text)) + ended
    return wire.ChatCompletion(
        id=f"chatcmpl-{secrets.token_hex(12)}",
        created=int(time.time()),
        model=asked.model,
        choices=(wire.Choice(message=wire.Answer(content=text), finish_reason="stop" if ended else "length"),),
        usage=wire.Usage(prompt_tokens=n_prompt, completion_tokens=n_answer, total_tokens=n_prompt + n_answer),
    )
