"""The command `whatnext`: ask, follow and steer a fine-tuning loop from the shell.

Exit status of `next` and `follow`: 0 there is something to do, 3 wait, 4 stop, 5 ship, 6 a person must act; of any
command: 1 an error, 2 wrong usage.
"""

import os
import sys
from collections.abc import Sequence

from whatnext._cli.commands import run
from whatnext._cli.parser import parse
from whatnext._cli.terminal import Terminal
from whatnext.errors import APIConnectionError, AuthenticationError, NotFoundError, WhatnextError

ERROR = 1
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    chosen = parse(arguments)
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
    terminal = Terminal.of(sys.stdout, os.environ, json=chosen.json, color=chosen.color)
    try:
        status = run(chosen, terminal, os.environ)
        sys.stdout.flush()
    except (WhatnextError, ValueError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ERROR
        print(f"whatnext: {' '.join(str(error).split())}{_hint(error)}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        if sys.stderr.isatty() and chosen.command != "follow":
            print(file=sys.stderr)
        return INTERRUPTED
    return status


def _hint(error: Exception) -> str:
    """What to try next."""
    match error:
        case APIConnectionError():
            return "; is whatnext running there? --base-url, WHATNEXT_BASE_URL or `whatnext login` say where it is"
        case AuthenticationError():
            return "; `whatnext login` keeps another key"
        case NotFoundError():
            return "; `whatnext loops` lists the loops"
        case _:
            return ""


if __name__ == "__main__":
    sys.exit(main())
