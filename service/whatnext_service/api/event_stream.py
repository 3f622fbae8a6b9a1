"""The ordered log as server-sent events: it goes on until the reader leaves or the service stops."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial

import msgspec
from litestar.response import Stream

from whatnext_service.api.call import Call
from whatnext_service.contract.workspace import Event
from whatnext_service.errors import DomainError
from whatnext_service.flows import look_up
from whatnext_service.flows.follow_events import events_after, place_of

EVENT_STREAM = "text/event-stream"
RETRY_MS = 2_000
HEARTBEAT = b": still here\n\n"


async def stream_events(
    call: Call, after: str | None, loops: Sequence[str] | None, types: Sequence[str] | None
) -> Stream:
    """Stream what comes after an event; `Last-Event-ID`, which a reader sends when it takes a stream up again, wins."""
    call.room.check()
    place = await call.read(lambda tx: place_of(tx, call.request.headers.get("last-event-id") or after))
    loop_ids = await call.read(lambda tx: look_up.find_loop_ids(tx, loops))
    headers = {"X-Accel-Buffering": "no", "Vary": "Accept"}
    return Stream(_follow(call, place, loop_ids, types), media_type=EVENT_STREAM, headers=headers)


async def _follow(
    call: Call, place: int, loop_ids: Sequence[str] | None, types: Sequence[str] | None
) -> AsyncIterator[bytes]:
    """Nothing is held while waiting: no connection, no transaction. A database that is gone, or a key that was
    revoked, ends the stream; the reader comes back and is told why."""
    bell, heartbeat_s = call.services.bell, call.request.app.state.settings.heartbeat_s
    yield b"retry: %d\n\n" % RETRY_MS
    try:
        with call.room.place():
            while not call.room.closed:
                moved = bell.listen(call.workspace_id)
                try:
                    more = partial(events_after, place=place, key_id=call.key_id, loop_ids=loop_ids, types=types)
                    page = await call.read(more)
                    for event in page.data:
                        place = event.seq
                        yield encode(event)
                    if page.next_cursor is None and not (await asyncio.wait([moved], timeout=heartbeat_s))[0]:
                        yield HEARTBEAT
                finally:
                    bell.forget(call.workspace_id, moved)
    except DomainError:
        return


def encode(event: Event) -> bytes:
    """One event as it is streamed."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event.id.encode(), event.type.encode(), msgspec.json.encode(event))
