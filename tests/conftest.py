"""A real Postgres for every test that asks for one.

By default each test process starts an embedded server without durability, on tmpfs where there is one;
`POSTGRES_BINARIES` names other binaries for it, and `DATABASE_URL` a running server to use instead (databases called
`whatnext_test_*` are made and dropped there). The migrated template is made once, cloned once per process and emptied
before each test; `fresh_dsn` clones it once more for a test that changes the schema or starts processes.
"""

import asyncio
import fcntl
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from whatnext_service.store.db import Conn, Pool, create_pool
from whatnext_service.store.embedded import EmbeddedPostgres
from whatnext_service.store.migrate import migrate
from whatnext_service.store.postgres_cluster import EmbeddedSettings

LEFTOVER_S = 3600


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def test_folder() -> Iterator[Path]:
    """A short path that any account may enter, in memory where possible."""
    shared_memory = Path("/dev/shm")
    roomy = shared_memory.is_dir() and shutil.disk_usage(shared_memory).free > 1 << 30
    parent = shared_memory if roomy and os.access(shared_memory, os.W_OK) else Path(tempfile.gettempdir())
    for leftover in parent.glob("whatnext-test-*/owner.lock"):
        with suppress(OSError), leftover.open("ab") as lock:
            if time.time() - leftover.stat().st_mtime > LEFTOVER_S:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(leftover.parent)
    folder = Path(tempfile.mkdtemp(prefix="whatnext-test-", dir=parent))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def session_runner() -> Iterator[asyncio.Runner]:
    """For what outlives a test: pytest-asyncio's loops live as long as one."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest, session_runner: asyncio.Runner) -> Iterator[str]:
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    binaries = os.environ.get("POSTGRES_BINARIES")
    folder: Path = request.getfixturevalue("test_folder")
    server = EmbeddedPostgres(EmbeddedSettings(root=folder, fast=True, binaries=Path(binaries) if binaries else None))
    yield session_runner.run(server.start())
    session_runner.run(server.stop())


@pytest.fixture(scope="session")
def make_database(server_url: str, session_runner: asyncio.Runner) -> Iterator[Callable[[str | None], str]]:
    """Make a database, empty or as a clone of another, and return its DSN; all are dropped in the end."""
    numbers = itertools.count(1)
    prefix = f"whatnext_test_{os.getpid()}_{int(time.time())}"
    made: list[str] = []

    async def execute(*statements: str) -> None:
        conn = await asyncpg.connect(server_url)
        try:
            for statement in statements:
                await conn.execute(statement)
        finally:
            await conn.close()

    def make(template: str | None = None) -> str:
        name = f"{prefix}_{next(numbers)}"
        source = urlsplit(template).path[1:] if template else "template0"
        session_runner.run(execute(f"create database {name} template {source}"))
        made.append(name)
        return with_database(server_url, name)

    yield make
    session_runner.run(execute(*(f"drop database {name} with (force)" for name in made)))


@pytest.fixture(scope="session")
def template_dsn(make_database: Callable[[str | None], str], session_runner: asyncio.Runner) -> str:
    dsn = make_database(None)
    session_runner.run(migrate(dsn))
    return dsn


@pytest.fixture(scope="session")
def process_dsn(make_database: Callable[[str | None], str], template_dsn: str) -> str:
    return make_database(template_dsn)


@pytest.fixture
async def dsn(process_dsn: str) -> str:
    """A migrated database without a row; this test process's own, used by one test at a time."""
    conn = await asyncpg.connect(process_dsn, server_settings={"lock_timeout": "10s"})
    try:
        tables = await conn.fetch(
            "select format('%I.%I', schemaname, tablename) as name from pg_tables"
            " where schemaname = 'public' and tablename <> 'schema_migration'"
        )
        if await conn.fetchval("select rolsuper from pg_roles where rolname = current_user"):
            deletes = "; ".join(f"delete from {table['name']}" for table in tables)
            await conn.execute(f"set session_replication_role = replica; {deletes}")
        else:
            await conn.execute("truncate " + ", ".join(table["name"] for table in tables))
    finally:
        await conn.close()
    return process_dsn


@pytest.fixture
def fresh_dsn(make_database: Callable[[str | None], str], template_dsn: str) -> str:
    """A migrated database that no other test uses."""
    return make_database(template_dsn)


@pytest.fixture
def empty_dsn(make_database: Callable[[str | None], str]) -> str:
    """A database without any schema."""
    return make_database(None)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with await create_pool(dsn, max_size=5) as opened:
        yield opened


@pytest.fixture
async def conn(pool: Pool) -> AsyncIterator[Conn]:
    async with pool.acquire() as acquired:
        yield acquired
