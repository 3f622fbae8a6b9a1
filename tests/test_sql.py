"""Every query in every SQL file is valid against the migrated schema, and every query a module names exists."""

import ast
from pathlib import Path

import asyncpg
import pytest

import whatnext_service
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import Queries

SERVICE = Path(whatnext_service.__file__).parent
FILES = sorted(path for path in SERVICE.rglob("*.sql") if path.parent.name != "migrations")


async def unprepared(queries: Queries, conn: Conn) -> list[str]:
    """The queries that Postgres cannot plan, each with its reason."""
    faults = []
    for name, text in queries:
        try:
            await conn.prepare(text)
        except asyncpg.PostgresError as error:
            faults.append(f"{name}: {error}")
    return faults


def unknown(module: Path, queries: Queries) -> list[str]:
    """The attributes of `sql` that a module uses and its file does not define."""
    known = {name for name, _ in queries}
    return [
        node.attr
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {"sql", "SQL"}
        if node.attr not in known
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_every_query_prepares(path: Path, conn: Conn) -> None:
    queries = Queries(path)
    assert list(queries), "a file of queries without a query"
    assert await unprepared(queries, conn) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_module_names_only_queries_that_exist(path: Path) -> None:
    assert unknown(path.with_suffix(".py"), Queries(path)) == []


async def test_a_query_with_a_fault_is_reported(tmp_path: Path, conn: Conn) -> None:
    (tmp_path / "noun.sql").write_text("-- name: good\nselect 1\n-- name: bad\nselect nothing from nowhere\n")
    queries = Queries(tmp_path / "noun.sql")
    assert await unprepared(queries, conn) == ['bad: relation "nowhere" does not exist']
    (tmp_path / "noun.py").write_text("sql.good\nsql.gone\n")
    assert unknown(tmp_path / "noun.py", queries) == ["gone"]
