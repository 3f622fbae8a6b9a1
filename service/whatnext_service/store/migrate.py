"""Bring a database's schema up to date: our plain SQL files and the job queue's own, under one lock."""

import asyncio
import hashlib
import re
from pathlib import Path

import asyncpg
import msgspec
from procrastinate.schema import SchemaManager

from whatnext_service.store.db import CANNOT_CONNECT, Conn

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_KEY = 0x77686174_6E657874
LOCK_TIMEOUT = "10s"
_POLL_S = 0.05
_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+")
_NO_TRANSACTION = "-- no transaction"
_QUEUE = "procrastinate/"


class MigrationError(Exception):
    """The schema cannot be brought up to date; the message says why and nothing half-done was recorded."""


class Migration(msgspec.Struct, kw_only=True, frozen=True):
    name: str
    sql: str
    digest: str


async def migrate(dsn: str, *, directory: Path = MIGRATIONS, wait_s: float = 300) -> list[str]:
    """Apply what is missing, in order, and return its names; any number of processes may call this at once.

    Files are forward-only and each runs in its own transaction; one that starts with `-- no transaction` holds a
    single statement, such as `create index concurrently if not exists`. Migrations recorded by a newer version of the
    service are left alone. Needs a direct connection, not a pooler's: the lock belongs to the session.
    """
    ours = read_directory(directory)
    conn = await _connect(dsn)
    try:
        await _lock(conn, wait_s)
        await conn.execute(
            "create table if not exists schema_migration"
            " (name text primary key, digest text not null, applied_at timestamptz not null default now())"
        )
        done = {row["name"]: row["digest"] for row in await conn.fetch("select name, digest from schema_migration")}
        applied = await _migrate_queue(conn, done)
        for migration in ours:
            if migration.name not in done:
                await _apply(conn, migration)
                applied.append(migration.name)
            elif done[migration.name] != migration.digest:
                raise MigrationError(f"{migration.name} was edited after it was applied; write a new migration instead")
        return applied
    finally:
        await conn.close()


async def unapplied(conn: Conn) -> list[str]:
    """The names of migrations that this version of the service needs and the database lacks."""
    try:
        done = {row["name"] for row in await conn.fetch("select name from schema_migration")}
    except asyncpg.UndefinedTableError:
        done = set()
    needed = (*_read_queue_directory(), *read_directory(MIGRATIONS))
    return [migration.name for migration in needed if migration.name not in done]


async def _connect(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    settings = {"application_name": "whatnext-migrate", "timezone": "UTC"}
    try:
        return await asyncpg.connect(dsn, server_settings=settings)
    except CANNOT_CONNECT as error:
        raise MigrationError(f"cannot use the database: {error}") from error


def read_directory(directory: Path) -> list[Migration]:
    """Read `NNNN_name.sql` files, numbered 0001, 0002, ... without gaps or repeats."""
    paths = sorted(directory.glob("*.sql"))
    for number, path in enumerate(paths, start=1):
        match = _FILE_NAME.fullmatch(path.stem)
        if match is None:
            raise MigrationError(f"{path.name} is not named like 0001_what_it_does.sql")
        if int(match[1]) != number:
            raise MigrationError(f"{path.name} should be number {number:04}: no gaps, no repeats")
    return [_read(path, path.stem) for path in paths]


def _read(path: Path, name: str) -> Migration:
    sql = path.read_text(encoding="utf-8")
    return Migration(name=name, sql=sql, digest=hashlib.sha256(sql.encode()).hexdigest())


async def _lock(conn: Conn, wait_s: float) -> None:
    # Polled: a session that blocks in pg_advisory_lock holds a snapshot, for which the lock's holder waits for ever
    # inside `create index concurrently`.
    try:
        async with asyncio.timeout(wait_s):
            while not await conn.fetchval("select pg_try_advisory_lock($1)", LOCK_KEY):  # noqa: ASYNC110
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise MigrationError(f"another process has been migrating this database for {wait_s:g} s") from None


async def _apply(conn: Conn, migration: Migration) -> None:
    try:
        if migration.sql.startswith(_NO_TRANSACTION):
            await conn.execute(migration.sql)
            await _record(conn, migration)
            return
        async with conn.transaction():
            await conn.execute("select set_config('lock_timeout', $1, true)", LOCK_TIMEOUT)
            await conn.execute(migration.sql)
            await _record(conn, migration)
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{migration.name}: {error}") from error


async def _record(conn: Conn, migration: Migration) -> None:
    await conn.execute("insert into schema_migration values ($1, $2)", migration.name, migration.digest)


def _read_queue_directory() -> list[Migration]:
    directory = Path(SchemaManager.get_migrations_path())
    return [_read(path, _QUEUE + path.stem) for path in sorted(directory.glob("*.sql"))]


async def _migrate_queue(conn: Conn, done: dict[str, str]) -> list[str]:
    """Install procrastinate's schema, or apply those of its own migration files that came after the installed one.

    It keeps no version table, so the names of its files are recorded here; its `schema.sql` stands for all of them.
    """
    files = _read_queue_directory()
    missing = [file for file in files if file.name not in done]
    if any(name.startswith(_QUEUE) for name in done):
        for file in missing:
            await _apply(conn, file)
        return [file.name for file in missing]
    schema = Migration(name=_QUEUE + "schema", sql=SchemaManager.get_schema(), digest="")
    async with conn.transaction():
        await _apply(conn, schema)
        for file in files:
            await _record(conn, file)
    return [schema.name]
