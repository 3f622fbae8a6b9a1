"""Workspaces and keys: only a digest is kept, and a revoked key is nobody's."""

import hashlib
from datetime import timedelta

import pytest
from tests.store.making import NOW, a_workspace, an_id

from whatnext_service.contract.workspace import Key
from whatnext_service.store import workspaces
from whatnext_service.store.db import Conn

DIGEST = hashlib.sha256(b"wn_secret").digest()


@pytest.fixture
async def ours(conn: Conn) -> str:
    return await a_workspace(conn)


async def a_key(conn: Conn, workspace_id: str, digest: bytes = DIGEST) -> str:
    key = Key(id=an_id("key"), name="k", scopes=("read", "write"), hint="cret", created_at=NOW, revoked_at=None)
    await workspaces.insert_key(conn, workspace_id, key, digest)
    return key.id


async def test_a_name_is_one_workspace_whoever_asks(conn: Conn, ours: str) -> None:
    assert await workspaces.ensure_workspace(conn, an_id("ws"), "ours", NOW) == ours
    assert await workspaces.ensure_workspace(conn, an_id("ws"), "theirs", NOW) != ours


async def test_a_caller_is_known_by_the_digest_until_the_key_is_revoked(conn: Conn, ours: str) -> None:
    key_id = await a_key(conn, ours)
    caller = await workspaces.caller_of(conn, DIGEST)
    assert caller == workspaces.Caller(id=key_id, workspace_id=ours, scopes=("read", "write"))
    assert await workspaces.caller_of(conn, hashlib.sha256(b"wn_other").digest()) is None
    await workspaces.revoke_key(conn, ours, key_id, NOW)
    assert await workspaces.caller_of(conn, DIGEST) is None


async def test_the_time_of_the_first_revocation_stays(conn: Conn, ours: str) -> None:
    key_id = await a_key(conn, ours)
    for hours in range(2):
        await workspaces.revoke_key(conn, ours, key_id, NOW + timedelta(hours=hours))
    revoked = await workspaces.get_key(conn, ours, key_id)
    assert revoked is not None
    assert revoked.revoked_at == NOW


async def test_keys_are_seen_and_revoked_in_their_own_workspace_alone(conn: Conn, ours: str) -> None:
    key_id = await a_key(conn, ours)
    theirs = await a_workspace(conn, "theirs")
    assert await workspaces.get_key(conn, theirs, key_id) is None
    assert (await workspaces.list_keys(conn, theirs, None, 10)).data == ()
    await workspaces.revoke_key(conn, theirs, key_id, NOW)
    assert await workspaces.caller_of(conn, DIGEST) is not None


async def test_keys_are_listed_newest_first(conn: Conn, ours: str) -> None:
    made = [await a_key(conn, ours, bytes([n]) * 32) for n in range(3)]
    first = await workspaces.list_keys(conn, ours, None, 2)
    second = await workspaces.list_keys(conn, ours, first.next_cursor, 2)
    assert [each.id for each in (*first.data, *second.data)] == made[::-1]
