"""Make and revoke API keys."""

import base64
import hashlib

from whatnext_service.contract.workspace import CreatedKey, Key, NewKey
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Services, Tx
from whatnext_service.store import workspaces
from whatnext_service.store.transaction import transaction


async def create_key(tx: Tx, new: NewKey) -> CreatedKey:
    """Make a key of 256 random bits; only its digest is kept."""
    random = tx.services.randomness(32)
    secret = "wn_" + base64.urlsafe_b64encode(random).decode().rstrip("=")
    key = Key(
        id=tx.new_id("key"),
        name=new.name,
        scopes=tuple(dict.fromkeys(new.scopes)),
        hint=secret[-4:],
        created_at=tx.now,
        revoked_at=None,
    )
    await workspaces.insert_key(tx.conn, tx.workspace_id, key, hashlib.sha256(secret.encode()).digest())
    return CreatedKey(key=key, secret=secret)


async def revoke_key(tx: Tx, key_id: str) -> Key:
    """Revoke a key, from the next request on; again changes nothing."""
    key = await look_up.find_key(tx, key_id)
    await workspaces.revoke_key(tx.conn, tx.workspace_id, key.id, tx.now)
    return await look_up.find_key(tx, key_id)


async def open_workspace(services: Services, name: str) -> str:
    """The id of the workspace of this name, created if there is none."""
    now = services.clock()
    async with transaction(services.pool) as conn:
        return await workspaces.ensure_workspace(conn, services.id_at("ws", now), name, now)
