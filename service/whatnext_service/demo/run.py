"""The demo: a whole fine-tuning loop on real training, driven through the HTTP API by asking "what next?"."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
from rich.console import Console

from whatnext import Client
from whatnext_service.config import Settings
from whatnext_service.demo.corpus import build_corpus
from whatnext_service.demo.drive import drive
from whatnext_service.demo.outcome import Outcome
from whatnext_service.demo.prepare import prepare
from whatnext_service.demo.show import show_goal, show_result
from whatnext_service.serving import serving

PLAIN_WIDTH = 120
"""Columns of the output when it is no terminal's."""


async def run_demo(settings: Settings, stop: asyncio.Event) -> int:
    """Serve on an embedded database with a worker and a sandbox trainer, and drive one loop; 0 if it was worth it."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PLAIN_WIDTH)
    settings = msgspec.structs.replace(settings, port=0, log_level="error")
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        with console.status("Starting Postgres, the service, a worker and a sandbox trainer"):
            served = await stack.enter_async_context(serving(settings, standalone=True))
        client = stack.enter_context(Client(base_url=served.url, api_key=served.key or "", timeout=60))
        watched = asyncio.create_task(asyncio.to_thread(_loop, client, console))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((watched, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not watched.done():
            console.print("Stopped. What was learned is kept; `make serve` goes on with it.")
            client.close()
            return 130
        stopped.cancel()
        outcome = watched.result()
        took_s = time.monotonic() - started
        good = await asyncio.to_thread(show_result, client, console, outcome, took_s, Path(settings.data_dir))
    return 0 if good else 1


def _loop(client: Client, console: Console) -> Outcome:
    corpus = build_corpus()
    goal = prepare(client, corpus)
    show_goal(console, corpus, goal)
    return drive(client, console, goal)
