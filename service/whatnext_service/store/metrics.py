"""The points of training curves: one row for each name and step."""

from collections.abc import Sequence

import asyncpg
import msgspec

from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)


class MetricColumns(msgspec.Struct, kw_only=True, frozen=True):
    """Points as three parallel columns."""

    names: list[str]
    steps: list[int]
    values: list[float]


class Column(msgspec.Struct, kw_only=True, frozen=True):
    """One metric's values in order of step."""

    name: str
    steps: list[int]
    values: list[float]


class Stored(msgspec.Struct, kw_only=True, frozen=True):
    """What became of points."""

    n_new: int
    """How many were not known under their name and step."""
    changed: bool
    """Whether anything is different now."""


async def upsert(conn: Conn, run_id: str, columns: MetricColumns) -> Stored:
    """Store points; one known already under its name and step is replaced."""
    (row,) = await conn.fetch(sql.upsert, run_id, columns.names, columns.steps, columns.values)
    return rows.decode(Stored, row)


async def columns_of(conn: Conn, run_id: str, names: list[str] | None = None) -> tuple[Column, ...]:
    """A run's metrics, in order of name."""
    return _columns(await conn.fetch(sql.columns, run_id, names))


async def columns_ending_at(conn: Conn, run_id: str, names: list[str], last_step: int) -> tuple[Column, ...]:
    """These metrics of a run, if its last step is this one."""
    return _columns(await conn.fetch(sql.columns_ending_at, run_id, names, last_step))


def _columns(found: Sequence[asyncpg.Record]) -> tuple[Column, ...]:
    return tuple(Column(name=row["name"], steps=row["steps"], values=row["values"]) for row in found)


async def clear(conn: Conn, run_id: str) -> None:
    """Forget a run's points, in the transaction that stores the whole file anew."""
    await conn.execute(sql.clear, run_id)
