"""One sandbox: its memory, its files, its models and its training, as the handlers see it."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar, cast

import msgspec
from litestar import Response

from whatnext_service.sandbox import wire
from whatnext_service.sandbox.faults import Faults
from whatnext_service.sandbox.files import Files, ResultEncoding
from whatnext_service.sandbox.problems import AnyRequest, ApiError
from whatnext_service.sandbox.runner import Runner
from whatnext_service.sandbox.shelf import Shelf
from whatnext_service.sandbox.state import State, Stored

T = TypeVar("T", bound=msgspec.Struct)
Body = TypeVar("Body", bound=msgspec.Struct)


class Sandbox:
    """Wires the parts together; lives as long as the server runs."""

    def __init__(self, folder: Path, faults: Faults, result_encoding: ResultEncoding) -> None:
        self.faults = faults
        self.state = State(folder)
        self.shelf = Shelf(self.state)
        self.files = Files(self.state, result_encoding)
        self.runner = Runner(self.state, self.shelf, self.files, faults)

    def start(self) -> None:
        self.files.start()
        self.runner.start()

    async def stop(self) -> None:
        await self.runner.stop()
        await self.files.stop()
        self.state.close()

    def once(self, request: AnyRequest, content: bytes, work: Callable[[], msgspec.Struct]) -> Response[bytes]:
        """Does the work and answers with its result; for an `Idempotency-Key` seen before, gives the stored answer.

        `content` is what the call asks for: the same key with another content is refused. The work and the memory
        of its answer are one transaction. A failed call is not remembered.
        """
        key = request.headers.get("idempotency-key")
        fingerprint = hashlib.sha256(
            b" ".join((request.method.encode(), request.url.path.encode(), content))
        ).hexdigest()
        stored = self.state.answered(key) if key else None
        if stored and stored.fingerprint != fingerprint:
            raise ApiError(400, "The Idempotency-Key was used for another request", code="idempotency_key_reused")
        if stored:
            self.state.count("replays")
            return _answer(stored.body, replayed=True)
        with self.state.transaction():
            body = msgspec.json.encode(work())
            if key:
                self.state.remember(key, Stored(fingerprint=fingerprint, body=body))
        return _answer(body, replayed=False)


def sandbox_of(request: AnyRequest) -> Sandbox:
    return cast(Sandbox, request.app.state.sandbox)


def decode(body: bytes, type: type[Body]) -> Body:
    """A request's body; raises ApiError where it is not what the operation takes."""
    try:
        return msgspec.json.decode(body, type=type)
    except msgspec.ValidationError as error:
        raise ApiError(400, str(error), code="invalid_value") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiError(400, f"We could not parse the JSON body of your request. ({error})") from None


def page(items: Iterable[T], limit: int, id_of: Callable[[T], str]) -> wire.Page[T]:
    """The first `limit` items, and whether there are more."""
    found: list[T] = []
    for item in items:
        if len(found) == limit:
            return _page(found, id_of, has_more=True)
        found.append(item)
    return _page(found, id_of, has_more=False)


def _page(found: list[T], id_of: Callable[[T], str], *, has_more: bool) -> wire.Page[T]:
    ids = [id_of(item) for item in found]
    return wire.Page(data=found, has_more=has_more, first_id=ids[0] if ids else None, last_id=ids[-1] if ids else None)


def _answer(body: bytes, *, replayed: bool) -> Response[bytes]:
    headers = {"idempotent-replayed": "true"} if replayed else {}
    return Response(body, media_type="application/json", status_code=200, headers=headers)
