from collections.abc import AsyncIterator

import pytest
from openai import AsyncOpenAI
from tests.providers.loopback import Loopback, connect

from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai import OpenAIPlatform
from whatnext_service.providers.openai_models import OpenAIModels


@pytest.fixture
async def server() -> AsyncIterator[Loopback]:
    async with Loopback() as loopback:
        yield loopback


@pytest.fixture
def settings(server: Loopback) -> PlatformSettings:
    return PlatformSettings(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="secret-key-1234")


@pytest.fixture
async def client(settings: PlatformSettings) -> AsyncIterator[AsyncOpenAI]:
    async with connect(settings) as opened:
        yield opened


@pytest.fixture
def platform(client: AsyncOpenAI, settings: PlatformSettings) -> OpenAIPlatform:
    return OpenAIPlatform(client, settings)


@pytest.fixture
async def models(settings: PlatformSettings) -> AsyncIterator[OpenAIModels]:
    opened = OpenAIModels(settings)
    yield opened
    await opened.close()
