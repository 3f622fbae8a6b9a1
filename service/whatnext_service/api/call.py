"""One API call: its workspace, its transaction, its idempotency key, and the answer's headers."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency

from whatnext_service.api.limits import WaitingRoom
from whatnext_service.contract.webhooks import CreatedWebhookEndpoint
from whatnext_service.contract.workspace import CreatedKey
from whatnext_service.errors import DomainError
from whatnext_service.flows import idempotency
from whatnext_service.flows.context import Services, Tx
from whatnext_service.flows.lists import Asked

T = TypeVar("T")
JSON = "application/json"
MAX_KEY_CHARS = 255
REPLAYED = {"Idempotent-Replayed": "true"}


class CallInHand:
    """What a handler is given beside its parameters."""

    def __init__(self, request: Request[Any, Any, Any]) -> None:
        self.request = request
        self.services: Services = request.app.state.services
        self.room: WaitingRoom = request.app.state.room
        self.workspace_id: str = request.user.workspace_id
        self.key_id: str = request.user.id

    async def read(self, intention: Callable[[Tx], Awaitable[T]]) -> T:
        """Run a reading flow."""
        async with self.services.begin(self.workspace_id) as tx:
            return await intention(tx)

    async def write(
        self,
        intention: Callable[[Tx], Awaitable[T]] | Callable[[Tx], Awaitable[tuple[T, bool]]],
        *,
        status: int = 200,
        content: bytes | None = None,
    ) -> Response[T]:
        """Run a changing flow in one transaction, under the request's idempotency key where it has one.

        A flow that may find what it was asked to make returns the thing and whether it is new: if not, it is a 200.

        `content` is the digest of a body that was streamed and is gone.
        """
        key = self.request.headers.get("idempotency-key")
        async with self.services.begin(self.workspace_id) as tx:
            if key is not None:
                stored = await idempotency.claim(tx, _checked(key), await self._digest(content))
                if stored is not None:
                    return _raw(stored.body, stored.status, stored.headers | REPLAYED)
            made = await intention(tx)
            result, created = made if isinstance(made, tuple) else (made, True)
            status = status if created else 200
            body, headers = msgspec.json.encode(result), _headers(result)
            if key is not None:
                await idempotency.keep(tx, key, status, headers, _without_secret(result, body))
        return _raw(body, status, headers)

    async def _digest(self, content: bytes | None) -> bytes:
        digest = hashlib.sha256(f"{self.request.method} {self.request.scope['path']}\n".encode())
        digest.update(self.request.scope["query_string"] + b"\n")
        digest.update(content if content is not None else await self.request.body())
        return digest.digest()

    @property
    def if_match(self) -> int | None:
        """The version that If-Match demands; null when any will do."""
        text = self.request.headers.get("if-match", "*").strip()
        if text == "*":
            return None
        number = text.removeprefix("W/").strip('"')
        if not (number.isascii() and number.isdigit() and len(number) < 18):
            raise DomainError("version_mismatch", "If-Match does not name a version of this resource.")
        return int(number)

    async def watch(self, subject: str, look: Callable[[Tx], Awaitable[T]], wait_s: int) -> Response[T]:
        """Answer a GET with its ETag: 304 while If-None-Match still holds, waiting up to `wait_s` for it to move."""
        known = self.request.headers.get("if-none-match")
        result = await self.read(look)
        if wait_s <= 0 or not _is_known(result, known):
            return self._conditional(result, known)
        deadline = asyncio.get_running_loop().time() + wait_s
        with self.room.place():
            while not self.room.closed:
                moved = self.services.bell.listen(subject)
                try:
                    result = await self.read(look)
                    left = deadline - asyncio.get_running_loop().time()
                    if left <= 0 or not _is_known(result, known):
                        break
                    await asyncio.wait([moved], timeout=left)
                finally:
                    self.services.bell.forget(subject, moved)
        return self._conditional(result, known)

    async def by_content(self, result: T) -> Response[T]:
        """JSON under a tag made of it, for what has no version."""
        body, tag = await asyncio.to_thread(_encoded, result)
        return self.tagged(None if self.knows(tag) else body, tag, JSON)

    def knows(self, tag: str) -> bool:
        """Whether If-None-Match names this tag."""
        return _names(self.request.headers.get("if-none-match"), f'"{tag}"')

    def tagged(self, body: bytes | None, tag: str, media: str) -> Response[Any]:
        """An answer in one of several media types under a tag of its own; 304 without a body."""
        headers = {"ETag": f'"{tag}"', "Vary": "Accept"}
        return Response(content=body or b"", media_type=media, status_code=200 if body else 304, headers=headers)

    def _conditional(self, result: T, known: str | None) -> Response[T]:
        headers = _headers(result)
        if _is_known(result, known):
            return _raw(b"", 304, headers)
        return _raw(msgspec.json.encode(result), 200, headers)


Call: TypeAlias = NamedDependency[CallInHand]
"""How a handler asks for it."""


def _without_secret(result: object, body: bytes) -> bytes:
    """The answer as it may be kept: a secret that is shown once is not."""
    if isinstance(result, CreatedKey | CreatedWebhookEndpoint):
        return msgspec.json.encode(msgspec.structs.replace(result, secret=None))
    return body


def _headers(result: object) -> dict[str, str]:
    tag = _tag(result)
    return {"ETag": tag} if tag else {}


def _is_known(result: object, known: str | None) -> bool:
    """Whether If-None-Match names the result's version."""
    tag = _tag(result)
    return tag is not None and _names(known, tag)


def _names(known: str | None, tag: str) -> bool:
    """Whether If-None-Match names a tag: among several, weak or strong, or any."""
    if known is None:
        return False
    return known.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in known.split(","))


def _tag(result: object) -> str | None:
    if (state := getattr(result, "state_version", None)) is not None and hasattr(result, "action"):
        return f'"{state}.{getattr(result, "rules_version", "")}"'
    version = getattr(result, "version", None)
    return f'"{version}"' if isinstance(version, int) else None


def _encoded(result: object) -> tuple[bytes, str]:
    body = msgspec.json.encode(result)
    return body, hashlib.sha256(body).hexdigest()[:32]


def _raw(body: bytes, status: int, headers: dict[str, str]) -> Response[Any]:
    return Response(content=body, media_type=JSON, status_code=status, headers=headers)


def _checked(key: str) -> str:
    if not 0 < len(key) <= MAX_KEY_CHARS or not key.isprintable():
        raise DomainError("invalid_parameter", f"Idempotency-Key: 1 to {MAX_KEY_CHARS} printable characters.")
    return key


def asked(limit: int, cursor: str | None) -> Asked:
    """A list's paging parameters."""
    return Asked(limit=limit, cursor=cursor)
