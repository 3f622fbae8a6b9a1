import asyncio
from pathlib import Path

import asyncpg
import pytest
from procrastinate.schema import SchemaManager

from whatnext_service.store import migrate as subject
from whatnext_service.store.migrate import MigrationError, migrate, read_directory

QUEUE = "procrastinate/schema"


def write(folder: Path, **files: str) -> Path:
    for name, sql in files.items():
        (folder / f"{name.removeprefix('m')}.sql").write_text(sql)
    return folder


async def fetch(dsn: str, query: str) -> list[object]:
    conn = await asyncpg.connect(dsn)
    try:
        return [row[0] for row in await conn.fetch(query)]
    finally:
        await conn.close()


async def test_an_empty_database_is_brought_up_to_date_once(empty_dsn: str) -> None:
    first = await migrate(empty_dsn)
    assert first == [QUEUE, *(migration.name for migration in read_directory(subject.MIGRATIONS))]
    assert await migrate(empty_dsn) == []


async def test_later_files_are_applied_in_order(empty_dsn: str, tmp_path: Path) -> None:
    write(tmp_path, m0001_make="create table t (n int)")
    assert await migrate(empty_dsn, directory=tmp_path) == [QUEUE, "0001_make"]
    write(tmp_path, m0003_fill="insert into t (m) values (7)", m0002_widen="alter table t add m int")
    assert await migrate(empty_dsn, directory=tmp_path) == ["0002_widen", "0003_fill"]
    assert await fetch(empty_dsn, "select m from t") == [7]


async def test_eight_starters_apply_each_file_once(empty_dsn: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        m0001_make="create table t (n int)",
        m0002_fill="insert into t select pg_backend_pid()",
        m0003_index="-- no transaction\ncreate index concurrently t_n on t (n)",
    )
    applied = await asyncio.gather(*(migrate(empty_dsn, directory=tmp_path) for _ in range(8)))
    assert sorted(applied, key=len) == [[]] * 7 + [[QUEUE, "0001_make", "0002_fill", "0003_index"]]
    assert len(await fetch(empty_dsn, "select n from t")) == 1


async def test_a_failing_file_leaves_nothing_of_itself(empty_dsn: str, tmp_path: Path) -> None:
    write(tmp_path, m0001_make="create table t (n int)", m0002_bad="insert into t values (1); insert into u values (1)")
    with pytest.raises(MigrationError, match='0002_bad: relation "u" does not exist'):
        await migrate(empty_dsn, directory=tmp_path)
    assert await fetch(empty_dsn, "select n from t") == []
    write(tmp_path, m0002_bad="insert into t values (2)")
    assert await migrate(empty_dsn, directory=tmp_path) == ["0002_bad"]
    assert await fetch(empty_dsn, "select n from t") == [2]


async def test_an_edited_file_is_refused(empty_dsn: str, tmp_path: Path) -> None:
    await migrate(empty_dsn, directory=write(tmp_path, m0001_make="create table t (n int)"))
    with pytest.raises(MigrationError, match="0001_make was edited after it was applied"):
        await migrate(empty_dsn, directory=write(tmp_path, m0001_make="create table t (n bigint)"))


async def test_yesterdays_code_leaves_todays_schema_alone(empty_dsn: str, tmp_path: Path) -> None:
    (tmp_path / "today").mkdir()
    (tmp_path / "yesterday").mkdir()
    today = write(tmp_path / "today", m0001_make="create table t (n int)", m0002_more="create table u (n int)")
    await migrate(empty_dsn, directory=today)
    yesterday = write(tmp_path / "yesterday", m0001_make="create table t (n int)")
    assert await migrate(empty_dsn, directory=yesterday) == []


async def test_a_busy_table_is_not_waited_for_without_end(
    empty_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "LOCK_TIMEOUT", "20ms")
    await migrate(empty_dsn, directory=write(tmp_path, m0001_make="create table t (n int)"))
    reader = await asyncpg.connect(empty_dsn)
    async with reader.transaction():
        await reader.fetch("select n from t")
        with pytest.raises(MigrationError, match="0002_widen: canceling statement due to lock timeout"):
            await migrate(empty_dsn, directory=write(tmp_path, m0002_widen="alter table t add m int"))
    await reader.close()
    assert await migrate(empty_dsn, directory=tmp_path) == ["0002_widen"]


async def test_another_migrator_is_not_waited_for_without_end(empty_dsn: str) -> None:
    other = await asyncpg.connect(empty_dsn)
    await other.execute("select pg_advisory_lock($1)", subject.LOCK_KEY)
    with pytest.raises(MigrationError, match="another process has been migrating"):
        await migrate(empty_dsn, wait_s=0.1)
    await other.close()
    assert QUEUE in await migrate(empty_dsn)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["0001_a", "0003_b"], "0003_b.sql should be number 0002"),
        (["0001_a", "0001_b"], "0001_b.sql should be number 0002"),
        (["0000_a"], "0000_a.sql should be number 0001"),
        (["1_a"], "1_a.sql is not named like"),
        (["0001_Add-Things"], "0001_Add-Things.sql is not named like"),
    ],
)
def test_misnamed_files_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    for name in names:
        (tmp_path / f"{name}.sql").write_text("select 1")
    with pytest.raises(MigrationError, match=message):
        read_directory(tmp_path)


SHAPE = """
select format('%s %s', p.oid::regprocedure, md5(prosrc)) from pg_proc p where proname like 'procrastinate%'
union all
select format('%s.%s %s', table_name, column_name, data_type) from information_schema.columns
where table_name like 'procrastinate%' order by 1
"""


def queue_files() -> list[Path]:
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def give_queue(monkeypatch: pytest.MonkeyPatch, folder: Path, files: list[Path]) -> None:
    """Make the library look as it did when it had only these migration files."""
    for file in files:
        (folder / file.name).write_text(file.read_text())
    monkeypatch.setattr(SchemaManager, "get_migrations_path", lambda: str(folder))
    monkeypatch.setattr(SchemaManager, "get_schema", lambda: ";\n".join(file.read_text() for file in files))


async def test_an_older_queue_is_upgraded_by_the_librarys_own_files(
    empty_dsn: str, fresh_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = queue_files()
    with monkeypatch.context() as patch:
        give_queue(patch, tmp_path, files[:1])
        await migrate(empty_dsn)
    newest = await fetch(fresh_dsn, SHAPE)
    assert await fetch(empty_dsn, SHAPE) != newest
    assert await migrate(empty_dsn) == [f"procrastinate/{file.stem}" for file in files[1:]]
    assert await fetch(empty_dsn, SHAPE) == newest
