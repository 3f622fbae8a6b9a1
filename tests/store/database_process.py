"""A process that uses an embedded database: says `owner DSN` or `attached DSN`, then answers `who` until input ends.

Arguments: the folder, and optionally a user id to become first.
"""

import asyncio
import concurrent.futures.thread  # noqa: F401  (a lesser user may be unable to import it later)
import os
import sys
from pathlib import Path

from whatnext_service.store.embedded import EmbeddedPostgres
from whatnext_service.store.postgres_cluster import EmbeddedSettings


async def main(root: Path) -> None:
    server = EmbeddedPostgres(EmbeddedSettings(root=root, fast=True))
    async with server as dsn:
        while True:
            print("owner" if server.owner else "attached", dsn, flush=True)
            if not await asyncio.to_thread(sys.stdin.readline):
                return


if __name__ == "__main__":
    if len(sys.argv) > 2:
        os.setgroups([])
        os.setgid(int(sys.argv[2]))
        os.setuid(int(sys.argv[2]))
    asyncio.run(main(Path(sys.argv[1])))
