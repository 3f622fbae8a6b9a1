"""Write `openapi.json` from the application: `python openapi/export.py`, or `--check` that it is up to date."""

import json
import sys
from pathlib import Path

from whatnext_service.api.openapi import document
from whatnext_service.app import create_app
from whatnext_service.config import Settings

TARGET = Path(__file__).with_name("openapi.json")


def render() -> str:
    """The document as it is committed."""
    app = create_app(Settings(), "postgresql://nowhere", with_worker=False)
    return json.dumps(document(app), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    text = render()
    if arguments == ["--check"]:
        fresh = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
        print("openapi.json is up to date" if fresh else "openapi.json is stale: run `make generate`")
        return 0 if fresh else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
