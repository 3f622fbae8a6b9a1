"""Answer a repeated request with what the first one was answered."""

from whatnext_service.errors import DomainError
from whatnext_service.flows.context import Tx
from whatnext_service.store import idempotency
from whatnext_service.store.idempotency import StoredAnswer


async def claim(tx: Tx, key: str, request: bytes) -> StoredAnswer | None:
    """Take the key for this transaction; the stored answer when the same request was made before."""
    stored = await idempotency.claim(tx.conn, tx.workspace_id, key, request, tx.now)
    if stored is not None and stored.request != request:
        raise DomainError("idempotency_mismatch", "This Idempotency-Key was used with another request.")
    return stored


async def keep(tx: Tx, key: str, status: int, headers: dict[str, str], body: bytes) -> None:
    """Keep the answer; it is stored with the transaction, so a request that is rolled back leaves no trace."""
    await idempotency.keep(tx.conn, tx.workspace_id, key, status, headers, body)
