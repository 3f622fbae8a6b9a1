"""A transaction, and what a database that refuses, waits or is gone means to a caller."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from whatnext_service.errors import DomainError
from whatnext_service.store.db import Conn, Pool
from whatnext_service.store.queries import load

sql = load(__file__)

LOCK_TIMEOUT = "5s"
"""How long a transaction waits for another's lock."""

_GONE = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError)
_FULL = (asyncpg.InsufficientResourcesError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Conn]:
    """One transaction on one connection.

    Raises `busy` when a lock could not be had in time, `unavailable` when the database cannot be reached, and
    `invalid_text` for text that Postgres cannot hold (a NUL character). In each case nothing was changed.
    """
    async with connection(pool) as conn, conn.transaction():
        await conn.fetchval(sql.limit_waiting, LOCK_TIMEOUT)
        yield conn


@asynccontextmanager
async def connection(pool: Pool) -> AsyncIterator[Conn]:
    """One connection without a transaction, for a single statement; raises what `transaction` raises."""
    try:
        async with pool.acquire() as conn:
            yield conn
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        raise DomainError("busy", "Another request is changing the same thing; try again.") from None
    except (asyncpg.UntranslatableCharacterError, asyncpg.CharacterNotInRepertoireError):
        raise DomainError("invalid_text", "A text holds a character that cannot be stored, such as NUL.") from None
    except (*_GONE, *_FULL) as error:
        raise DomainError("unavailable", "The database cannot be reached at the moment.") from error
