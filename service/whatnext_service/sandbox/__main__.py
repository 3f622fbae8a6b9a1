"""`python -m whatnext_service.sandbox --folder DIR --api-key KEY`: serves on 127.0.0.1, prints the base URL first."""

import argparse
import asyncio
import os
import threading
import time
from pathlib import Path

from whatnext_service.sandbox.app import create_app
from whatnext_service.sandbox.faults import Faults
from whatnext_service.sandbox.serving import Server, base_url, listen

_PARENT_POLL_S = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m whatnext_service.sandbox", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where everything is kept")
    parser.add_argument("--api-key", default=os.environ.get("SANDBOX_API_KEY"), help="or SANDBOX_API_KEY")
    parser.add_argument("--port", type=int, default=0, help="0 for any free one")
    parser.add_argument("--faults", action="store_true", help="open the routes that plan faults")
    parser.add_argument("--plain-results", action="store_true", help="result files as CSV, not as base64 of it")
    parser.add_argument("--with-parent", action="store_true", help="exit when the parent process does")
    options = parser.parse_args()
    if not options.api_key:
        parser.error("--api-key or SANDBOX_API_KEY is needed")
    app = create_app(
        options.folder,
        api_key=options.api_key,
        faults=Faults() if options.faults else None,
        result_encoding="plain" if options.plain_results else "base64",
    )
    with listen(options.port) as sock:
        server = Server(app, lambda: print(base_url(sock), flush=True))
        if options.with_parent:
            threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
        asyncio.run(server.serve(sockets=[sock]))
    if not server.started:
        raise SystemExit("the sandbox did not start")


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_POLL_S)
    os._exit(0)


if __name__ == "__main__":
    main()
