"""A sandbox over real HTTP, and OpenAI's own client in front of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob
from tests.sandbox.driving import create_job, wait_for

from whatnext_service.sandbox.faults import Faults
from whatnext_service.sandbox.serving import Served, serve

Connect = Callable[[str, str], openai.AsyncOpenAI]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One sandbox for every test that plans no fault."""
    with serve(tmp_path_factory.mktemp("shared"), result_encoding="plain") as served:
        yield served


@pytest.fixture(scope="session")
def trained(shared: Served) -> FineTuningJob:
    """A job of five epochs of ten steps that has succeeded; not to be changed."""

    async def train() -> FineTuningJob:
        async with openai.AsyncOpenAI(base_url=shared.base_url, api_key=shared.api_key, max_retries=0) as client:
            return await wait_for(client, (await create_job(client, n_examples=80, n_epochs=5)).id)

    return asyncio.run(train())


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def faulty(tmp_path_factory: pytest.TempPathFactory, faults: Faults) -> Iterator[Served]:
    """A sandbox of the test's own, which commits the `faults` it is told."""
    with ExitStack() as stack:
        yield stack.enter_context(serve(tmp_path_factory.mktemp("faulty"), faults=faults))


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Clients that do not retry, closed at the end."""
    clients: list[openai.AsyncOpenAI] = []

    def build(base_url: str, api_key: str) -> openai.AsyncOpenAI:
        # Plain HTTP needs no certificates, and loading them takes longer than most tests.
        transport = openai.DefaultAsyncHttpxClient(verify=False)
        clients.append(openai.AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0, http_client=transport))
        return clients[-1]

    yield build
    for client in clients:
        await client.close()


@pytest.fixture
def client(shared: Served, connect: Connect) -> openai.AsyncOpenAI:
    return connect(shared.base_url, shared.api_key)


@pytest.fixture
def faulty_client(faulty: Served, connect: Connect) -> openai.AsyncOpenAI:
    return connect(faulty.base_url, faulty.api_key)
