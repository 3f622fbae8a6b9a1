"""A process that works on one evaluation, or one judging of rows, until it is done or killed."""

import asyncio
from multiprocessing.connection import Connection

from whatnext_service.app import open_services
from whatnext_service.config import Secret, Settings
from whatnext_service.flows.evaluate import evaluate
from whatnext_service.flows.judge_rows import judge_rows


def process_settings(base_url: str) -> Settings:
    return Settings(
        sandbox_url=base_url,
        sandbox_api_key=Secret("none"),
        judge_model="judge",
        judge_base_url=base_url,
        evaluation_concurrency=8,
        pool_size=4,
    )


FLOWS = {"evaluate": evaluate, "judge_rows": judge_rows}


def work(dsn: str, base_url: str, subject_id: str, pipe: Connection, flow: str = "evaluate") -> None:
    """Say `started` once the services are open."""

    async def main() -> None:
        async with open_services(process_settings(base_url), dsn) as services:
            pipe.send("started")
            await FLOWS[flow](services, subject_id)

    asyncio.run(main())
