"""Services whose model and judge answer as a test decides."""

import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import pytest
from tests.flows.endpoint import Answer, Endpoint, Json, serving

from whatnext_service.flows.context import Judge, Provider, Services
from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai_models import OpenAIModels

Wire = Callable[..., tuple[Services, Endpoint]]


@pytest.fixture
def endpoints() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
async def wire(services: Services, endpoints: ExitStack) -> AsyncIterator[Wire]:
    """The services with a model, and a judge, whose answers the test decides."""
    opened: list[OpenAIModels] = []

    def connect(model: Answer, judge: Answer | None = None, **fields: object) -> tuple[Services, Endpoint]:
        def either(asked: Json) -> str | tuple[int, dict[str, str]]:
            return judge(asked) if judge is not None and asked["model"] == "judge" else model(asked)

        endpoint = endpoints.enter_context(serving(Endpoint(answer=either, **fields)))  # type: ignore[arg-type]
        models = OpenAIModels(PlatformSettings(base_url=endpoint.base_url, api_key="none"))
        opened.append(models)
        known = services.providers["sandbox"]
        provider = Provider(platform=known.platform, models=models, poll_interval_s=1.0)
        wired = dataclasses.replace(
            services,
            providers={"sandbox": provider},
            judge=Judge(models=models, model="judge") if judge else None,
            evaluation_concurrency=8,
        )
        return wired, endpoint

    yield connect
    for models in opened:
        await models.close()
