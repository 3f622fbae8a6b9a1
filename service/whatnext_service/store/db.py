"""The pool of connections every store function draws from."""

from typing import TypeAlias

import asyncpg

Conn: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

CANNOT_CONNECT = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What opening a connection raises: a server that is away or refuses, or a DSN that makes no sense."""


async def create_pool(
    dsn: str,
    *,
    min_size: int = 1,
    max_size: int = 10,
    application_name: str = "whatnext",
    pgbouncer: bool = False,
) -> Pool:
    """Open a pool whose connections speak UTC and give and take `json` and `jsonb` as UTF-8 bytes.

    A connection goes back to the pool without a reset, so nothing may rely on session state: no session advisory
    locks, no LISTEN, no plain SET (`set local` and `pg_advisory_xact_lock` are fine). `pgbouncer` turns off prepared
    statements, which a pooler in transaction mode does not keep.

    Every statement is planned for its own parameters: a plan for all of them cannot know that a filter is absent, and
    would read a list from its beginning to find a page deep in it.
    """
    session = {"application_name": application_name, "timezone": "UTC"}
    if not pgbouncer:
        session["plan_cache_mode"] = "force_custom_plan"
    return await asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        init=prepare_connection,
        reset=_keep,
        statement_cache_size=0 if pgbouncer else 200,
        server_settings=session,
    )


async def prepare_connection(conn: Conn) -> None:
    """Make `json` and `jsonb` travel as bytes, so that msgspec reads and writes them without a detour."""
    await conn.set_type_codec("json", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")
    await conn.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda document: b"\x01" + document,
        decoder=lambda wire: bytes(wire[1:]),
        format="binary",
    )


async def _keep(conn: Conn) -> None:
    """No reset query: it would cost a round trip at every release."""
