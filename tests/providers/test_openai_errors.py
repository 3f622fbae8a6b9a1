import asyncio
import socket
from collections.abc import Iterator

import httpx2
import openai
import pytest
from tests.providers.loopback import Loopback, Reply, connect

from whatnext_service.errors import ProviderError
from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai import OpenAIPlatform
from whatnext_service.providers.openai_errors import LONGEST_WAIT_S, MEANINGS, provider_error, retry_after_s

ROUTE = "GET /v1/fine_tuning/jobs/ftjob-1"
NOW_S = 1_700_000_000.0


def descendants(kind: type[Exception]) -> Iterator[type[Exception]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


def test_every_exception_of_the_client_library_has_a_meaning() -> None:
    public = [getattr(openai, name) for name in openai.__all__]
    own = {kind for kind in public if isinstance(kind, type) and issubclass(kind, Exception)}
    own |= set(descendants(openai.OpenAIError))
    assert len(own) > 15
    for kind in own:
        assert any(issubclass(kind, known) for known, _, _ in MEANINGS), kind


def test_no_meaning_is_hidden_by_an_earlier_one() -> None:
    kinds = [kind for kind, _, _ in MEANINGS]
    for place, kind in enumerate(kinds):
        assert not any(issubclass(kind, earlier) for earlier in kinds[:place]), kind


@pytest.mark.parametrize(
    ("reply", "fault", "retryable"),
    [
        (Reply({"error": {"message": "bad"}}, 400), "refused", False),
        (Reply({"error": {"message": "key"}}, 401), "unauthorized", False),
        (Reply({"error": {"message": "no"}}, 403), "unauthorized", False),
        (Reply({"error": {"message": "gone"}}, 404), "not_found", False),
        (Reply({}, 408), "timeout", True),
        (Reply({}, 409), "refused", False),
        (Reply({}, 409, {"retry-after": "1"}), "refused", True),
        (Reply({}, 413), "refused", False),
        (Reply({}, 422), "refused", False),
        (Reply({}, 429), "rate_limited", True),
        (Reply({"error": {"message": "pay", "code": "insufficient_quota"}}, 429), "unauthorized", False),
        (Reply({"error": {"message": "pay", "type": "insufficient_quota"}}, 429), "unauthorized", False),
        (Reply({}, 500), "unavailable", True),
        (Reply(b"<html>Bad gateway</html>", 502), "unavailable", True),
        (Reply(b"", 503), "unavailable", True),
        (Reply(b"", 307, {"location": "/elsewhere"}), "refused", False),
        (Reply(b"{not json"), "malformed", True),
        (Reply(b""), "malformed", True),
        (Reply(b"\xff\xfe\x00"), "malformed", True),
        (Reply(b"[" * 100_000), "malformed", True),
        (Reply([1, 2]), "malformed", True),
        (Reply({"id": 7, "status": "queued"}), "malformed", True),
        (Reply({"id": "ftjob-1"}), "malformed", True),
        (Reply(b"<html>Welcome</html>", headers={"content-type": "text/html"}), "malformed", True),
        (Reply(b"garbage", headers={"content-encoding": "gzip"}), "unreachable", True),
        (Reply(fault="cut"), "unreachable", True),
        (Reply({"id": "ftjob-1", "status": "queued"}, fault="half"), "unreachable", True),
    ],
)
async def test_what_went_wrong_is_named(
    server: Loopback, platform: OpenAIPlatform, reply: Reply, fault: str, retryable: bool
) -> None:
    server.on(ROUTE, reply)
    with pytest.raises(ProviderError) as caught:
        await platform.job("ftjob-1")
    assert (caught.value.fault, caught.value.retryable, caught.value.sent) == (fault, retryable, True)
    assert len(server.requests) == 1


async def test_the_platforms_own_words_are_passed_on(server: Loopback, platform: OpenAIPlatform) -> None:
    error = {"message": "No such\n  model: x", "code": "model_not_found", "type": "invalid_request_error"}
    server.on(ROUTE, Reply({"error": error}, 400, {"x-request-id": "req_9"}))
    with pytest.raises(ProviderError) as caught:
        await platform.job("ftjob-1")
    assert caught.value.detail == "400 model_not_found No such model: x [req_9]"


@pytest.mark.parametrize("shown", ["secret-key-1234", "sk-proj-abc***wxyz", "Bearer abcdefghij"])
async def test_no_key_is_passed_on(server: Loopback, platform: OpenAIPlatform, shown: str) -> None:
    server.on(ROUTE, Reply({"error": {"message": f"Incorrect API key provided: {shown}."}}, 401))
    with pytest.raises(ProviderError) as caught:
        await platform.job("ftjob-1")
    assert "Incorrect API key provided: ***" in caught.value.detail
    assert shown not in caught.value.detail
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_a_page_of_html_is_not_passed_on_whole(server: Loopback, platform: OpenAIPlatform) -> None:
    server.on(ROUTE, Reply(b"<html>" + b"x" * 50_000, 500))
    with pytest.raises(ProviderError) as caught:
        await platform.job("ftjob-1")
    assert len(caught.value.detail) <= 300


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT", "date": "Tue, 14 Nov 2023 22:13:40 GMT"}, 10.0),
        ({"retry-after": "Tue, 14 Nov 2000 22:13:50 GMT"}, 0.0),
        ({"retry-after": "1e300"}, LONGEST_WAIT_S),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
    ],
)
def test_the_wait_a_platform_asks_for(headers: dict[str, str], wait_s: float | None) -> None:
    assert retry_after_s(httpx2.Headers(headers), NOW_S) == wait_s


async def test_a_rate_limit_says_how_long_to_wait(server: Loopback, platform: OpenAIPlatform) -> None:
    server.on(ROUTE, Reply({}, 429, {"retry-after": "12"}))
    with pytest.raises(ProviderError) as caught:
        await platform.job("ftjob-1")
    assert (caught.value.fault, caught.value.retry_after_s) == ("rate_limited", 12.0)


async def test_only_a_connection_that_never_stood_counts_as_unsent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings = PlatformSettings(base_url=f"http://127.0.0.1:{unused.getsockname()[1]}/v1", api_key="k")
        async with connect(settings) as client:
            with pytest.raises(ProviderError) as caught:
                await OpenAIPlatform(client, settings).job("ftjob-1")
    assert (caught.value.fault, caught.value.sent, caught.value.retryable) == ("unreachable", False, True)


@pytest.mark.parametrize(
    ("cause", "sent"),
    [
        (httpx2.ConnectError("refused"), False),
        (httpx2.ConnectTimeout("slow"), False),
        (httpx2.PoolTimeout("busy"), False),
        (httpx2.WriteTimeout("slow"), True),
        (httpx2.ReadTimeout("slow"), True),
        (httpx2.WriteError("reset"), True),
        (httpx2.RemoteProtocolError("cut"), True),
        (httpx2.ProxyError("who knows"), True),
        (None, True),
    ],
)
def test_doubt_counts_as_sent(cause: Exception | None, sent: bool) -> None:
    fault = openai.APIConnectionError(request=httpx2.Request("POST", "https://platform.invalid"))
    fault.__cause__ = cause
    assert provider_error(fault, secret="", now_s=NOW_S).sent is sent


async def test_a_silent_platform_times_out(server: Loopback) -> None:
    settings = PlatformSettings(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="k", timeout_s=0.05)
    server.on(ROUTE, Reply(fault="silence"))
    async with connect(settings) as client:
        with pytest.raises(ProviderError) as caught:
            await OpenAIPlatform(client, settings).job("ftjob-1")
    assert (caught.value.fault, caught.value.retryable, caught.value.sent) == ("timeout", True, True)


async def test_the_deadline_ends_a_call_that_is_slow_but_never_silent(server: Loopback) -> None:
    settings = PlatformSettings(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="k", deadline_s=0.1)
    server.on(ROUTE, Reply(fault="drip"))
    async with connect(settings) as client:
        with pytest.raises(ProviderError) as caught:
            await OpenAIPlatform(client, settings).job("ftjob-1")
    assert (caught.value.fault, caught.value.sent) == ("timeout", True)


async def test_cancelling_the_caller_is_not_turned_into_a_fault(server: Loopback, platform: OpenAIPlatform) -> None:
    server.on(ROUTE, Reply(fault="silence"))
    task = asyncio.create_task(platform.job("ftjob-1"))
    await server.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
