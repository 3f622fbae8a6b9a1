import httpx2
import pytest
from rich.pretty import pretty_repr
from tests.providers.payloads import job

from whatnext_service.providers.client import PlatformSettings, create_client
from whatnext_service.providers.openai import OpenAIPlatform


def test_settings_never_show_the_key() -> None:
    settings = PlatformSettings(base_url="https://api.openai.com/v1", api_key="sk-very-secret")
    for shown in (repr(settings), str(settings), pretty_repr(settings), f"{[settings]}"):
        assert "very-secret" not in shown
        assert "https://api.openai.com/v1" in shown


async def test_production_requests_are_seen_by_an_injected_transport() -> None:
    """Fails when the client stops sending through the transport it is given, and so would reach the real network."""
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json=job())

    settings = PlatformSettings(base_url="https://platform.invalid/v1", api_key="k")
    async with create_client(settings, httpx2.MockTransport(answer)) as client:
        assert (await OpenAIPlatform(client, settings).job("ftjob-1")).id == "ftjob-1"
    assert [str(request.url) for request in seen] == ["https://platform.invalid/v1/fine_tuning/jobs/ftjob-1"]


async def test_the_environment_does_not_reach_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "from-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://elsewhere.invalid/v1")
    headers: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        headers.append(f"{request.url} {request.headers.multi_items()}")
        return httpx2.Response(200, json=job())

    settings = PlatformSettings(base_url="https://platform.invalid/v1", api_key="")
    async with create_client(settings, httpx2.MockTransport(answer)) as client:
        platform = OpenAIPlatform(client, settings)
        await platform.job("ftjob-1")
        await platform.cancel_job("ftjob-1")
    assert len(headers) == 2
    for shown in headers:
        assert "from-the-environment" not in shown
        assert "authorization" not in shown
        assert shown.startswith("https://platform.invalid/v1/")
