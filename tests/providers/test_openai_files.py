import tracemalloc
from collections.abc import AsyncIterator

import pytest
from tests.providers.loopback import Loopback, Received, Reply, connect
from tests.providers.payloads import file, page

from whatnext_service.errors import ProviderError
from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai import OpenAIPlatform

FILES = "/v1/files"


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def small(server: Loopback, **members: object) -> PlatformSettings:
    base_url = f"http://127.0.0.1:{server.port}/v1"
    return PlatformSettings(base_url=base_url, api_key="k", **members)  # type: ignore[arg-type]


async def test_a_file_is_found_by_name_on_a_later_page(server: Loopback, platform: OpenAIPlatform) -> None:
    pages = {
        "": page(file("file-3", filename="b.jsonl"), file("file-2", purpose="batch"), has_more=True),
        "file-2": page(file("file-1"), file("file-0")),
    }
    server.on(f"GET {FILES}", lambda request: Reply(pages[request.query.get("after", "")]))
    assert await platform.find_file("a.jsonl") == "file-1"
    assert server.requests[0].query["purpose"] == "fine-tune"


@pytest.mark.parametrize("status", ["error", "deleted", "deleting"])
async def test_a_file_that_cannot_be_used_is_not_found(server: Loopback, platform: OpenAIPlatform, status: str) -> None:
    server.on(f"GET {FILES}", page(file(status=status)))
    assert await platform.find_file("a.jsonl") is None


async def test_an_upload_sends_every_chunk_under_its_name(server: Loopback, platform: OpenAIPlatform) -> None:
    server.on(f"POST {FILES}", file("file-7", status="uploaded"))
    assert await platform.upload_file("ab12.jsonl", 9, chunks(b'{"a":', b"", b"1}\n\n")) == "file-7"
    body = server.requests[0].body
    assert b'name="purpose"\r\n\r\nfine-tune' in body
    assert b'filename="ab12.jsonl"' in body
    assert b'\r\n\r\n{"a":1}\n\n\r\n--' in body


async def test_an_upload_never_holds_the_file_in_memory() -> None:
    n_chunks, chunk = 48, b"x" * 500_000

    async def produced() -> AsyncIterator[bytes]:
        for _ in range(n_chunks):
            yield chunk

    async with Loopback(keep_bodies=False) as server:
        server.on(f"POST {FILES}", file("file-7"))
        settings = small(server)
        async with connect(settings) as client:
            platform = OpenAIPlatform(client, settings)
            await platform.upload_file("warm.jsonl", 1, chunks(b"x"))
            tracemalloc.start()
            await platform.upload_file("big.jsonl", n_chunks * len(chunk), produced())
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert server.requests[-1].n_bytes > n_chunks * len(chunk)
    assert peak < 4_000_000


async def test_a_large_file_goes_up_in_parts_that_are_put_together_in_order(server: Loopback) -> None:
    settings = small(server, plain_upload_max_bytes=10, upload_part_bytes=8)
    server.on("POST /v1/uploads", {"id": "upload_1", "status": "pending"})
    server.on("POST /v1/uploads/upload_1/parts", *({"id": f"part_{n}"} for n in range(3)))
    server.on("POST /v1/uploads/upload_1/complete", {"id": "upload_1", "status": "completed", "file": file("file-9")})
    async with connect(settings) as client:
        platform = OpenAIPlatform(client, settings)
        assert await platform.upload_file("ab.jsonl", 20, chunks(b"0123456789", b"abcdefghij")) == "file-9"
    assert server.requests[0].json["bytes"] == 20
    assert server.requests[0].json["purpose"] == "fine-tune"
    parts = server.seen("POST /v1/uploads/upload_1/parts")
    for part, content in zip(parts, (b"01234567", b"89abcdef", b"ghij"), strict=True):
        assert b"\r\n\r\n" + content + b"\r\n--" in part.body
    assert server.requests[-1].json["part_ids"] == ["part_0", "part_1", "part_2"]


async def test_a_large_file_is_refused_where_there_are_no_uploads_in_parts(server: Loopback) -> None:
    settings = small(server, plain_upload_max_bytes=3)
    async with connect(settings) as client:
        with pytest.raises(ProviderError, match="no uploads in parts") as caught:
            await OpenAIPlatform(client, settings).upload_file("a.jsonl", 4, chunks(b"1234"))
    assert (caught.value.fault, caught.value.retryable) == ("refused", False)


@pytest.mark.parametrize(("n_bytes", "limit"), [(5, 100), (3, 100), (4, 3)])
async def test_a_file_of_the_wrong_or_an_impossible_size_is_never_sent(
    server: Loopback, n_bytes: int, limit: int
) -> None:
    settings = small(server, upload_max_bytes=limit)
    async with connect(settings) as client:
        with pytest.raises(ProviderError) as caught:
            await OpenAIPlatform(client, settings).upload_file("a.jsonl", n_bytes, chunks(b"12", b"34"))
    assert (caught.value.fault, caught.value.sent, server.requests) == ("refused", False, [])


async def test_what_the_source_of_the_chunks_raises_passes_through(server: Loopback, platform: OpenAIPlatform) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"12"
        raise KeyError("the row is gone")

    with pytest.raises(KeyError):
        await platform.upload_file("a.jsonl", 4, broken())
    assert server.requests == []


async def test_an_upload_cut_off_is_not_repeated_by_itself(server: Loopback, platform: OpenAIPlatform) -> None:
    server.on(f"POST {FILES}", Reply(fault="cut"))
    with pytest.raises(ProviderError) as caught:
        await platform.upload_file("a.jsonl", 4, chunks(b"1234"))
    assert (caught.value.fault, caught.value.sent, len(server.requests)) == ("unreachable", True, 1)


@pytest.mark.parametrize(
    ("status", "ready"),
    [("processed", True), (None, True), ("uploaded", False), ("pending", False), ("running", False), ("new", False)],
)
async def test_a_file_is_ready_once_processed(
    server: Loopback, platform: OpenAIPlatform, status: str | None, ready: bool
) -> None:
    server.on(f"GET {FILES}/file-1", file(status=status))
    assert await platform.file_ready("file-1") is ready


async def test_a_rejected_file_says_why(server: Loopback, platform: OpenAIPlatform) -> None:
    server.on(f"GET {FILES}/file-1", file(status="error", status_details="line 3 is no JSON"))
    with pytest.raises(ProviderError, match="line 3 is no JSON") as caught:
        await platform.file_ready("file-1")
    assert (caught.value.fault, caught.value.retryable) == ("refused", False)


@pytest.mark.parametrize(
    "content", [b"step,train_loss\r\n1,0.5", b"c3RlcCx0cmFpbl9sb3NzCjEsMC41Cg==", b"", b"\xff\x00{", b"NaN"]
)
async def test_a_result_file_comes_as_it_is(server: Loopback, platform: OpenAIPlatform, content: bytes) -> None:
    server.on(f"GET {FILES}/file-r/content", Reply(content, headers={"content-type": "application/octet-stream"}))
    assert await platform.result_file("file-r") == content


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (Reply(b"step,train_loss\n1,0.5\n", fault="half"), "unreachable"),
        (Reply(fault="cut"), "unreachable"),
        (Reply(status=500), "unavailable"),
        (Reply(b"garbage", headers={"content-encoding": "gzip"}), "unreachable"),
        (Reply(b"x" * 101), "malformed"),
        (Reply({"error": {"message": "No such File"}}, 404), "not_found"),
    ],
)
async def test_a_result_file_that_does_not_arrive_whole_is_a_fault(server: Loopback, reply: Reply, fault: str) -> None:
    settings = small(server, result_max_bytes=100)
    server.on(f"GET {FILES}/file-r/content", reply)
    async with connect(settings) as client:
        with pytest.raises(ProviderError) as caught:
            await OpenAIPlatform(client, settings).result_file("file-r")
    assert caught.value.fault == fault


async def test_a_list_of_files_from_a_platform_that_pages_for_ever_ends(
    server: Loopback, platform: OpenAIPlatform
) -> None:
    def again(request: Received) -> Reply:
        return Reply(page(file("file-2", filename="b.jsonl"), has_more=True))

    server.on(f"GET {FILES}", again)
    with pytest.raises(ProviderError) as caught:
        await platform.find_file("a.jsonl")
    assert caught.value.fault == "malformed"
    assert len(server.requests) == 2
