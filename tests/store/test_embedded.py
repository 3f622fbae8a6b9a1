import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from whatnext_service.store import postgres_cluster
from whatnext_service.store.embedded import EmbeddedPostgres
from whatnext_service.store.migrate import migrate
from whatnext_service.store.postgres_cluster import EmbeddedSettings
from whatnext_service.store.postgres_host import EmbeddedPostgresError, command_of, find_binaries

SCRIPT = Path(__file__).with_name("database_process.py")
SYSTEM = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def root(test_folder: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="e-", dir=test_folder))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["wheel", "system"])
def binaries(request: pytest.FixtureRequest) -> Path | None:
    if request.param == "wheel":
        return None
    if not SYSTEM:
        pytest.skip("this machine has no Postgres binaries of its own")
    return SYSTEM[0].parent


def fast(root: Path) -> EmbeddedSettings:
    return EmbeddedSettings(root=root, fast=True)


async def query(dsn: str, text: str) -> object:
    conn = await asyncpg.connect(dsn)
    try:
        return await conn.fetchval(text)
    finally:
        await conn.close()


async def identity(dsn: str) -> object:
    return await query(dsn, "select system_identifier from pg_control_system()")


async def until(predicate: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await predicate():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def postmaster(root: Path) -> int:
    return int((root / "data" / "postmaster.pid").read_text().split("\n", 1)[0])


def owners(folder: Path) -> set[int]:
    return {path.stat().st_uid for path in folder.rglob("*")}


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def children(pid: int) -> set[int]:
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if parent(int(process.name)) == pid:
                found.add(int(process.name))
    return found


async def until_gone(pid: int) -> None:
    async def gone() -> bool:
        return command_of(pid) is None

    await until(gone)


class Process:
    """Another process that uses the same folder."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.pid = process.pid
        self.process, self.stdin, self.stdout = process, process.stdin, process.stdout

    async def listen(self) -> tuple[str, str]:
        role, dsn = (await self.stdout.readline()).decode().split()
        return role, dsn

    async def ask(self) -> tuple[str, str]:
        self.stdin.write(b"who\n")
        return await self.listen()

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()

    async def leave(self) -> int:
        self.stdin.close()
        return await self.process.wait()


@asynccontextmanager
async def another(root: Path, *arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SCRIPT),
        str(root),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_data_outlive_the_server(root: Path, binaries: Path | None) -> None:
    settings = EmbeddedSettings(root=root, binaries=binaries)
    async with EmbeddedPostgres(settings) as dsn:
        await migrate(dsn)
        await query(dsn, "create table t as select 7 as n")
        first = await identity(dsn)
        assert await query(dsn, "show fsync") == "on"
        pid = postmaster(root)
    await until_gone(pid)
    async with EmbeddedPostgres(settings) as dsn:
        assert await migrate(dsn) == []
        assert await query(dsn, "select n from t") == 7
        assert await identity(dsn) == first, "the second start made a new cluster"


async def test_a_killed_server_is_back_and_lost_no_acknowledged_write(root: Path, binaries: Path | None) -> None:
    acknowledged: list[int] = []
    kills = iter((20, 40, 60))

    async def write(dsn: str) -> None:
        kill_at = next(kills)
        while True:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                conn = await asyncpg.connect(dsn)
                while True:
                    number = len(acknowledged)
                    await conn.execute("insert into t values ($1) on conflict do nothing", number)
                    acknowledged.append(number)
                    if number >= kill_at:
                        os.kill(postmaster(root), signal.SIGKILL)
                        kill_at = next(kills, None) or 10**9
                    if number == 80:
                        await conn.close()
                        return
            await asyncio.sleep(0.01)

    async with EmbeddedPostgres(EmbeddedSettings(root=root, binaries=binaries)) as dsn:
        await query(dsn, "create table t (n int primary key)")
        async with asyncio.timeout(30):
            await write(dsn)
        kept: list[object] = []

        async def answers() -> bool:
            with suppress(OSError, asyncpg.PostgresError):
                kept.append(await query(dsn, "select array_agg(n) from t"))
            return bool(kept)

        await until(answers)
        assert isinstance(kept[0], list)
        assert set(acknowledged) <= set(kept[0])


async def test_the_server_dies_with_its_owner(root: Path) -> None:
    async with another(root) as owner:
        assert (await owner.listen())[0] == "owner"
        pid = postmaster(root)
        await owner.kill()
        await until_gone(pid)
        assert not (root / "data" / "postmaster.pid").exists(), "it did not shut down cleanly"


async def test_the_server_leaves_with_its_owner(root: Path) -> None:
    async with another(root) as owner:
        await owner.listen()
        pid = postmaster(root)
        assert await owner.leave() == 0
        assert command_of(pid) is None


async def test_racing_processes_share_one_server(root: Path) -> None:
    async with another(root) as one, another(root) as two, another(root) as three:
        heard = await asyncio.gather(one.listen(), two.listen(), three.listen())
        assert sorted(role for role, _ in heard) == ["attached", "attached", "owner"]
        assert len({await identity(dsn) for _, dsn in heard}) == 1


@pytest.mark.parametrize("way", ["kill", "leave"])
async def test_an_attached_process_takes_over(root: Path, way: str) -> None:
    server = EmbeddedPostgres(fast(root))
    async with another(root) as owner:
        await owner.listen()
        async with server as dsn:
            assert not server.owner
            await query(dsn, "create table t as select 7 as n")
            await (owner.kill() if way == "kill" else owner.leave())

            async def took_over() -> bool:
                with suppress(OSError, asyncpg.PostgresError):
                    return server.owner and await query(dsn, "select n from t") == 7
                return False

            await until(took_over)


async def test_a_server_that_outlived_its_watchdog_is_replaced(root: Path) -> None:
    async with another(root) as owner:
        await owner.listen()
        orphan = postmaster(root)
        watchdog = parent(orphan)
        for pid in {watchdog} | children(watchdog) - {orphan}:
            os.kill(pid, signal.SIGKILL)
        await owner.kill()
    assert command_of(orphan) is not None
    async with EmbeddedPostgres(fast(root)) as dsn:
        assert await query(dsn, "select 1") == 1
        assert postmaster(root) != orphan
        await until_gone(orphan)


async def test_a_killed_watchdog_is_replaced_too(root: Path) -> None:
    async with EmbeddedPostgres(fast(root)) as dsn:
        before = postmaster(root)
        os.kill(parent(before), signal.SIGKILL)
        await until_gone(before)

        async def back() -> bool:
            with suppress(OSError, asyncpg.PostgresError):
                return await query(dsn, "select 1") == 1
            return False

        await until(back)


@pytest.mark.parametrize("pid", ["a stranger's", "nobody's"])
async def test_leftovers_of_a_power_cut_are_cleared(root: Path, pid: str) -> None:
    async with EmbeddedPostgres(EmbeddedSettings(root=root)) as dsn:
        await query(dsn, "create table t as select 7 as n")
        kept = (root / "data" / "postmaster.pid").read_text()
    shutil.copytree(root / "data", root / "data-new-halfway")
    stranger = await asyncio.create_subprocess_exec("sleep", "600", user=(root / "data").stat().st_uid, cwd="/")
    if pid == "nobody's":
        stranger.kill()
        await stranger.wait()
    _, rest = kept.split("\n", 1)
    for leftover in (root / "data" / "postmaster.pid", root / "run" / ".s.PGSQL.5432.lock"):
        leftover.write_text(f"{stranger.pid}\n{rest}")
        os.chown(leftover, (root / "data").stat().st_uid, -1)
    async with EmbeddedPostgres(EmbeddedSettings(root=root)) as dsn:
        assert await query(dsn, "select n from t") == 7
    if pid == "a stranger's":
        assert stranger.returncode is None, "it killed a process that is not its own"
        stranger.kill()
        await stranger.wait()


async def test_a_second_server_object_in_the_same_process_attaches(root: Path) -> None:
    first, second = EmbeddedPostgres(fast(root)), EmbeddedPostgres(fast(root))
    async with first as one, second as two:
        assert one == two
        assert (first.owner, second.owner) == (True, False)


async def test_start_and_stop_may_be_repeated(root: Path) -> None:
    server = EmbeddedPostgres(fast(root))
    assert await server.start() == await server.start()
    await server.stop()
    await server.stop()
    async with server as dsn:
        assert await query(dsn, "select 1") == 1


async def test_a_cancelled_start_leaves_nothing_running(root: Path) -> None:
    server = EmbeddedPostgres(fast(root))
    starting = asyncio.create_task(server.start())

    async def initialising() -> bool:
        return len(os.listdir(root)) > 1

    await until(initialising)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not (root / "data" / "postmaster.pid").exists()
    async with EmbeddedPostgres(fast(root)) as dsn:
        assert await query(dsn, "select 1") == 1


async def test_a_deep_folder_has_its_socket_elsewhere(root: Path) -> None:
    deep = root / ("d" * 100)
    async with EmbeddedPostgres(fast(deep)) as dsn:
        assert await query(dsn, "select 1") == 1
        assert str(root) not in dsn
    shutil.rmtree(dsn.partition("host=")[2].partition("&")[0])


async def test_only_the_same_account_may_enter(root: Path) -> None:
    async with EmbeddedPostgres(fast(root)):
        assert (root / "run").stat().st_mode & 0o077 == 0
        assert (root / "data").stat().st_mode & 0o077 == 0


@as_root
async def test_an_ordinary_user_owns_everything(root: Path) -> None:
    os.chown(root, 65534, 65534)
    async with another(root, "65534") as ordinary:
        role, _ = await ordinary.listen()
        assert role == "owner"
        assert owners(root) == {65534}
        assert await ordinary.leave() == 0
    async with EmbeddedPostgres(fast(root)) as dsn:
        assert await query(dsn, "select 1") == 1, "root could not use an ordinary user's database"
    async with another(root, "65534") as ordinary:
        assert (await ordinary.listen())[0] == "owner", "root left files the ordinary user cannot use"


@as_root
async def test_root_hands_over_to_an_unprivileged_account(root: Path) -> None:
    async with EmbeddedPostgres(fast(root)):
        assert owners(root / "data") != {0}
        assert len(owners(root / "data")) == 1


@as_root
async def test_a_folder_only_root_may_enter_is_left_as_it_is(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = root / "var"
    outside.mkdir()
    monkeypatch.setattr(postgres_cluster, "_ELSEWHERE", outside)
    private = root / "private"
    private.mkdir(mode=0o700)
    for _ in range(2):
        async with EmbeddedPostgres(fast(private / "database")) as dsn:
            await query(dsn, "create table if not exists t (n int)")
    assert private.stat().st_mode & 0o777 == 0o700
    assert len(list(outside.iterdir())) == 1


@as_root
async def test_binaries_only_root_may_reach_are_copied_once(root: Path) -> None:
    private = root / "private"
    private.mkdir(mode=0o700)
    install = find_binaries(None, None).parent
    shutil.copytree(install, private / "package" / "install", symlinks=True)
    libraries = install.parent.with_name(install.parent.name + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, private / libraries.name)
        (private / "package").rename(private / install.parent.name)
    binaries = next(private.glob("*/install/bin"))
    copies = set()
    for _ in range(2):
        async with EmbeddedPostgres(EmbeddedSettings(root=root, binaries=binaries, fast=True)) as dsn:
            assert await query(dsn, "select 1") == 1
        copies |= {(entry.name, entry.inode()) for entry in os.scandir(root) if entry.name.startswith("binaries-")}
    assert len(copies) == 1
    assert private.stat().st_mode & 0o777 == 0o700


async def test_missing_binaries_are_named(root: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match=f"no Postgres binaries in {root}; .* set DATABASE_URL"):
        await EmbeddedPostgres(EmbeddedSettings(root=root / "db", binaries=root)).start()


async def test_data_of_another_version_are_refused(root: Path) -> None:
    (root / "data").mkdir()
    (root / "data" / "PG_VERSION").write_text("11\n")
    with pytest.raises(EmbeddedPostgresError, match=r"the data was written by Postgres 11; only .*18.* is here"):
        await EmbeddedPostgres(fast(root)).start()


async def test_a_folder_that_is_a_file_is_refused(root: Path) -> None:
    (root / "file").write_text("")
    with pytest.raises(EmbeddedPostgresError, match="file cannot hold a database"):
        await EmbeddedPostgres(fast(root / "file")).start()


async def test_a_server_that_cannot_start_says_why_and_lets_go(root: Path) -> None:
    async with EmbeddedPostgres(fast(root)):
        pass
    conf = root / "data" / "postgresql.conf"
    text = conf.read_text()
    conf.write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError, match=r"Postgres does not start:(.|\n)*no_such_setting"):
        await EmbeddedPostgres(fast(root)).start()
    conf.write_text(text)
    async with EmbeddedPostgres(fast(root)) as dsn:
        assert await query(dsn, "select 1") == 1
