"""Named SQL: `store/<noun>.sql` beside `store/<noun>.py`, each query under a line `-- name: get_run`."""

import re
from collections.abc import Iterator
from pathlib import Path

_NAME = re.compile(r"^--[ \t]*name:[ \t]*(\S*)[ \t]*$", re.MULTILINE)


class Queries:
    """The queries of one file, as attributes: `sql.get_run` is its text."""

    def __init__(self, path: Path) -> None:
        head, *parts = _NAME.split(path.read_text(encoding="utf-8"))
        if any(line.strip() and not line.startswith("--") for line in head.splitlines()):
            raise ValueError(f"{path.name}: SQL before the first `-- name:`")
        self._path = path
        self._texts: dict[str, str] = {}
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            if not name.isidentifier() or name.startswith("_"):
                raise ValueError(f"{path.name}: not a query's name: {name!r}")
            if name in self._texts:
                raise ValueError(f"{path.name}: two queries are called {name}")
            if not text.strip():
                raise ValueError(f"{path.name}: {name} is empty")
            self._texts[name] = text.strip()

    def __getattr__(self, name: str) -> str:
        try:
            return self._texts[name]
        except KeyError:
            raise AttributeError(f"{self._path.name} has no query called {name}") from None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._texts.items())


def load(module_file: str) -> Queries:
    """Read the queries that belong to a store module: `sql = load(__file__)`; a faulty file raises ValueError."""
    return Queries(Path(module_file).with_suffix(".sql"))
