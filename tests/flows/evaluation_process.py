"""A process that works on one evaluation until it is done or killed."""

import asyncio
from multiprocessing.connection import Connection

from whatnext_service.app import open_services
from whatnext_service.config import Secret, Settings
from whatnext_service.flows.evaluate import evaluate


def process_settings(base_url: str) -> Settings:
    return Settings(
        sandbox_url=base_url,
        sandbox_api_key=Secret("none"),
        judge_model="judge",
        judge_base_url=base_url,
        evaluation_concurrency=8,
        pool_size=4,
    )


def work(dsn: str, base_url: str, evaluation_id: str, pipe: Connection) -> None:
    """Say `started` once the services are open."""

    async def main() -> None:
        async with open_services(process_settings(base_url), dsn) as services:
            pipe.send("started")
            await evaluate(services, evaluation_id)

    asyncio.run(main())
