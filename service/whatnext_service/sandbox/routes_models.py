"""/v1/models and /v1/chat/completions"""

import hashlib
import secrets
import time

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath

from whatnext_service.sandbox import wire
from whatnext_service.sandbox.messages import read_message
from whatnext_service.sandbox.problems import AnyRequest, ApiError
from whatnext_service.sandbox.sandbox import Sandbox, decode, sandbox_of
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
