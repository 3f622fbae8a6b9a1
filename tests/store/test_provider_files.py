"""Which bytes a provider has: once for each provider and workspace, forgotten only when that is no longer new."""

from datetime import timedelta

from tests.store.making import NOW, a_workspace

from whatnext_service.store.db import Conn
from whatnext_service.store.provider_files import forget_file, known_file, remember_file

BYTES = b"\x01" * 32


async def test_files_are_known_by_provider_workspace_and_content(conn: Conn) -> None:
    ours, theirs = await a_workspace(conn), await a_workspace(conn, "theirs")
    await remember_file(conn, "openai", ours, BYTES, "file-1", NOW)
    assert await known_file(conn, "openai", ours, BYTES) == "file-1"
    assert await known_file(conn, "sandbox", ours, BYTES) is None
    assert await known_file(conn, "openai", theirs, BYTES) is None
    assert await known_file(conn, "openai", ours, b"\x02" * 32) is None


async def test_the_newest_upload_counts(conn: Conn) -> None:
    ours = await a_workspace(conn)
    await remember_file(conn, "openai", ours, BYTES, "file-1", NOW)
    await remember_file(conn, "openai", ours, BYTES, "file-2", NOW + timedelta(hours=1))
    await forget_file(conn, "openai", ours, BYTES, NOW)
    assert await known_file(conn, "openai", ours, BYTES) == "file-2"
    await forget_file(conn, "openai", ours, BYTES, NOW + timedelta(hours=1))
    assert await known_file(conn, "openai", ours, BYTES) is None
