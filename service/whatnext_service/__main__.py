"""`whatnext-service`: serve | worker | migrate | keys | demo."""

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Sequence

from whatnext_service import app, serving
from whatnext_service.config import Settings, SettingsError, read_settings
from whatnext_service.contract.workspace import NewKey
from whatnext_service.errors import StartError
from whatnext_service.store.migrate import MigrationError, migrate
from whatnext_service.store.postgres_host import EmbeddedPostgresError

WAYS_TO_ASK = """\
whatnext answers at {url}

  key        {key_file}
  ask        curl -H "Authorization: Bearer $(cat {key_file})" {url}/v1/loops
  next       WHATNEXT_BASE_URL={url} WHATNEXT_API_KEY=$(cat {key_file}) {cli} next LOOP
  document   {url}/openapi.json

Ctrl-C stops it; the data stays in {data_dir}.
"""


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(prog="whatnext-service", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer HTTP; with the embedded database also work, and start a sandbox trainer")
    commands.add_parser("worker", help="run jobs")
    commands.add_parser("migrate", help="bring the database up to date")
    keys = commands.add_parser("keys", help="make an API key, and print it")
    keys.add_argument("--workspace", default="default")
    keys.add_argument("--name", default="made on the command line")
    keys.add_argument("--scopes", default="read,write", help="of read, write, admin")
    commands.add_parser("demo", help="watch a whole fine-tuning loop on real training")
    options = parser.parse_args()
    try:
        settings = read_settings(os.environ)
        # A full collection that walks through the loaded libraries stops everything for 0.1 s.
        gc.freeze()
        sys.exit(asyncio.run(_run(options, settings)))
    except (SettingsError, StartError, MigrationError, EmbeddedPostgresError) as error:
        sys.exit(f"whatnext-service: {error}")


async def _run(options: argparse.Namespace, settings: Settings) -> int:
    stop = asyncio.Event()
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
    if options.command in ("serve", "worker"):
        app.create_log(settings.log_level)
    match options.command:
        case "serve":
            return await _serve(settings, stop)
        case "worker":
            async with app.database(settings) as dsn, app.open_services(settings, dsn) as services:
                await app.work(settings, dsn, services, stop)
        case "migrate":
            async with app.database(settings) as dsn:
                for name in await migrate(app.direct(settings, dsn)):
                    print(f"applied {name}")
        case "keys":
            scopes: Sequence[str] = options.scopes.split(",")
            new = NewKey(name=options.name, scopes=tuple(scopes))  # type: ignore[arg-type]
            print(await serving.make_key(settings, options.workspace, new))
        case "demo":
            from whatnext_service.demo.run import run_demo

            return await run_demo(settings, stop)
    return 0


async def _serve(settings: Settings, stop: asyncio.Event) -> int:
    standalone = settings.database_url is None
    async with serving.serving(settings, standalone=standalone) as served:
        if served.key is None:
            print(f"whatnext answers at {served.url}; `whatnext-service keys` makes a key", flush=True)
            await stop.wait()
            return 0
        print(
            WAYS_TO_ASK.format(
                url=served.url,
                key_file=served.key_file,
                cli=os.path.join(os.path.dirname(sys.executable), "whatnext"),
                data_dir=settings.data_dir.resolve(),
            ),
            flush=True,
        )
        await stop.wait()
    return 0


if __name__ == "__main__":
    main()
