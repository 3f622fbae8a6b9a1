"""What is in the database, table by table: rows and a digest of their content."""

from collections.abc import Awaitable, Callable

from whatnext_service.store.db import Pool

Counts = Callable[[], Awaitable[dict[str, str]]]

_TABLES = "select tablename from pg_tables where schemaname = 'public' order by tablename"


async def count_rows(pool: Pool) -> dict[str, str]:
    """The number of rows of each table with a digest of all of them, whatever their order."""
    found = {}
    for row in await pool.fetch(_TABLES):
        table = row["tablename"]
        query = f"select count(*) || ':' || coalesce(sum(hashtext(t::text)::bigint), 0) from \"{table}\" t"
        found[table] = await pool.fetchval(query)
    return found
