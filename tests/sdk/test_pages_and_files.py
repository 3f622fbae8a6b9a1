"""Lists that are walked, files that are streamed, events that are resumed."""

import io
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.sdk.kinds import both_kinds, done, fake_client, listed

import whatnext
from whatnext import models
from whatnext._async.streams import AsyncEventStream
from whatnext._sync.streams import EventStream
from whatnext.testing import FakeService, SentRequest, example, problem


def three_pages(fake: FakeService) -> None:
    def page(request: SentRequest) -> dict[str, Any]:
        at = int(request.query.get("cursor", ["0"])[0])
        runs = [example(models.Run, id=f"run_{at}{letter}") for letter in "ab"]
        return {"data": runs, "next_cursor": str(at + 1) if at < 2 else None, "of_tomorrow": 1}

    fake.on("runs.list", page)


@both_kinds
async def test_a_list_is_fetched_as_far_as_it_is_walked(kind: str) -> None:
    fake = FakeService()
    three_pages(fake)
    client = fake_client(fake, kind).client
    runs = client.runs.list(loop_id=["a", "b"], status="running")
    assert fake.requests == []
    assert [run.id for run in await listed(runs)] == ["run_0a", "run_0b", "run_1a", "run_1b", "run_2a", "run_2b"]
    assert [request.query.get("cursor") for request in fake.requests] == [None, ["1"], ["2"]]
    assert all(request.query["loop_id"] == ["a", "b"] for request in fake.requests)
    assert fake.requests[0].query["status"] == ["running"]


@both_kinds
async def test_pages_can_be_taken_one_by_one(kind: str) -> None:
    fake = FakeService()
    three_pages(fake)
    client = fake_client(fake, kind).client
    assert [len(page.data) for page in await listed(client.runs.list().pages())] == [2, 2, 2]
    first = await done(client.runs.list().first_page())
    second = await done(first.next_page())
    assert (first.next_cursor, second.next_cursor) == ("1", "2")
    assert [run.id for run in await listed(second)] == ["run_1a", "run_1b", "run_2a", "run_2b"]
    assert first.response.status_code == 200


def test_a_list_that_was_not_walked_says_how() -> None:
    fake = FakeService()
    assert repr(fake.client().runs.list()) == "<runs.list: iterate it for every item, or take its pages()>"
    assert fake.requests == []


async def test_a_first_page_is_at_hand_in_both_clients() -> None:
    fake = FakeService()
    three_pages(fake)
    page = fake.client().runs.list()
    assert (page.data[0].id, page.next_cursor) == ("run_0a", "1")
    assert len(fake.requests) == 1
    awaited = await fake.async_client().runs.list()
    assert (awaited.data[0].id, awaited.next_cursor) == ("run_0a", "1")


def sources(folder: Path) -> dict[str, Any]:
    path = folder / "rows.jsonl"
    path.write_bytes(b"0123456789" * 100_000)
    opened = path.open("rb")
    opened.seek(10)
    return {"path": path, "text": str(path), "bytes": path.read_bytes(), "file": opened, "buffer": io.BytesIO(b"abc")}


@both_kinds
@pytest.mark.parametrize("source", ["path", "text", "bytes", "file", "buffer"])
async def test_a_file_is_sent_with_its_length_and_again_from_its_beginning(
    kind: str, source: str, tmp_path: Path
) -> None:
    fake = FakeService()
    fake.on("datasets.upload_version", problem(503, "unavailable"), example(models.DatasetVersion))
    client = fake_client(fake, kind, max_retries=1).client
    told: list[tuple[int, int | None]] = []
    await done(
        client.datasets.upload_version(
            "ds_1",
            file=sources(tmp_path)[source],
            parent_version_id="dsv_1",
            on_progress=lambda sent, size: told.append((sent, size)),
        )
    )
    first, second = fake.sent("datasets.upload_version")
    size = {"file": 999_990, "buffer": 3}.get(source, 1_000_000)
    assert len(first.content) == len(second.content) == size
    assert first.content == second.content
    assert first.headers["content-length"] == str(size)
    assert first.headers["content-type"] == "application/jsonl"
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert second.query == {"parent_version_id": ["dsv_1"]}
    steps = len(told) // 2
    assert told[:steps] == told[steps:]
    assert told[-1] == (size, size)


@both_kinds
async def test_chunks_that_are_gone_are_not_sent_twice(kind: str) -> None:
    fake = FakeService()
    fake.on("datasets.upload_version", problem(503, "unavailable"))
    client = fake_client(fake, kind, max_retries=2).client
    with pytest.raises(whatnext.ServerError):
        await done(client.datasets.upload_version("ds_1", file=iter([b"a\n", b"b\n"])))
    assert [each.content for each in fake.requests] == [b"a\nb\n"]
    assert "content-length" not in fake.requests[0].headers


def test_an_upload_is_never_whole_in_memory() -> None:
    ahead: list[int] = []
    made = 0

    def rows() -> Iterator[bytes]:
        nonlocal made
        for _ in range(100):
            made += 1
            yield b"x" * 1000

    class Counting(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            assert isinstance(request.stream, httpx.SyncByteStream)
            for taken, _ in enumerate(request.stream, start=1):
                ahead.append(made - taken)
            return httpx.Response(201, content=msgspec.json.encode(example(models.DatasetVersion)))

    client = whatnext.Client("wn_x", http_client=httpx.Client(transport=Counting()))
    client.datasets.upload_version("ds_1", file=rows())
    assert ahead == [0] * 100


@both_kinds
async def test_a_download_is_streamed_saved_or_read(kind: str, tmp_path: Path) -> None:
    fake = FakeService()
    fake.on("dataset_versions.content", b"one\ntwo\n")
    client = fake_client(fake, kind).client
    content = client.dataset_versions.content("dsv_1")
    assert fake.requests == []
    assert b"".join(await listed(content)) == b"one\ntwo\n"
    assert await done(content.read()) == b"one\ntwo\n"
    saved = await done(content.save(tmp_path / "rows.jsonl"))
    assert saved.read_bytes() == b"one\ntwo\n"
    assert os.listdir(tmp_path) == [saved.name]


@both_kinds
async def test_a_download_that_is_refused_or_breaks_off_is_an_error(kind: str, tmp_path: Path) -> None:
    def cut() -> Iterator[bytes]:
        yield b"one\n"
        raise httpx.ReadError("cut")

    async def cut_async() -> AsyncIterator[bytes]:
        for each in cut():
            yield each

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=cut() if kind == "sync" else cut_async())

    transport = httpx.MockTransport(answer)
    http: Any = httpx.Client(transport=transport) if kind == "sync" else httpx.AsyncClient(transport=transport)
    chosen: Any = whatnext.Client if kind == "sync" else whatnext.AsyncClient
    client = chosen("wn_x", http_client=http)
    with pytest.raises(whatnext.APIConnectionError, match="broke off"):
        await done(client.dataset_versions.content("dsv_1").save(tmp_path / "rows.jsonl"))
    assert os.listdir(tmp_path) == []

    fake = FakeService()
    fake.on("dataset_versions.content", problem(404, "not_found"))
    with pytest.raises(whatnext.NotFoundError):
        await done(fake_client(fake, kind).client.dataset_versions.content("dsv_1").read())


def test_a_fake_service_streams_events() -> None:
    fake = FakeService()
    assert next(iter(fake.client().events.stream())).id == "evt_1"
    made = fake_client(fake, "sync")
    fake.on("events.stream", [example(models.Event, id=f"evt_{n}") for n in (7, 8)], example(models.Event, id="evt_9"))
    stream = made.client.events.stream(after="evt_6")
    seen = [event.id for _, event in zip(range(3), stream, strict=False)]
    assert seen == ["evt_7", "evt_8", "evt_9"]
    assert fake.requests[-1].headers["last-event-id"] == "evt_8"
    assert made.pauses == [1.0]


SEPARATED = 'data: {"note": "a\u2028b\x0bc"}\r\n\r\n'.encode()


class Note(msgspec.Struct):
    note: str


def test_an_event_may_hold_any_letter() -> None:
    stream = EventStream(
        lambda _: httpx.Response(200, content=SEPARATED.replace(b"\x0b", b"\\u000b")),
        msgspec.json.Decoder(Note),
        lambda _: None,
    )
    assert next(iter(stream)).note == "a\u2028b\x0bc"


EVENTS = b': hello\n\nid: 1\ndata: {"seq":\ndata: 1}\n\nid: 2\nevent: x\ndata: {"seq": 2}\n\ndata: {"seq": 3'


class Seq(msgspec.Struct):
    seq: int


async def test_events_are_resumed_after_the_last_one_that_came() -> None:
    asked: list[str | None] = []

    def opened(last: str | None) -> httpx.Response:
        asked.append(last)
        return httpx.Response(200, content=EVENTS)

    async def opened_async(last: str | None) -> httpx.Response:
        return opened(last)

    async def no_pause(_: float) -> None:
        return None

    decoder = msgspec.json.Decoder(Seq)
    events = iter(EventStream(opened, decoder, lambda _: None))
    assert [next(events).seq for _ in range(3)] == [1, 2, 1]
    assert asked == [None, "2"]
    found = AsyncEventStream(opened_async, decoder, no_pause).__aiter__()
    assert [(await anext(found)).seq for _ in range(3)] == [1, 2, 1]
    assert asked == [None, "2", None, "2"]
