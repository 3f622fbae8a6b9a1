"""Who waits is woken: by a notification, and after whatever may have swallowed one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

import pytest

from whatnext_service.store import bell as subject
from whatnext_service.store.bell import Bell
from whatnext_service.store.db import Pool

BACKENDS = "select array_agg(pid) from pg_stat_activity where application_name = 'whatnext-bell'"
TERMINATE = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'whatnext-bell'"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "RECONNECT_S", 0.01)
    monkeypatch.setattr(subject, "PROBE_S", 0.2)


@pytest.fixture
async def bell(dsn: str) -> AsyncIterator[Bell]:
    async with ringing(Bell(dsn)) as started:
        yield started


@asynccontextmanager
async def ringing(bell: Bell) -> AsyncIterator[Bell]:
    await bell.start()
    yield bell
    await bell.stop()


async def notify(pool: Pool, payload: str) -> None:
    await pool.execute("select pg_notify('whatnext', $1)", payload)


async def woken(future: asyncio.Future[None]) -> None:
    async with asyncio.timeout(20):
        await future


class Network:
    """The way to the server, which can be cut, silenced and closed."""

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        query = parse_qs(parts.query)
        self._target = query["host"][0] if "host" in query else None, parts.hostname, query.get("port", [parts.port])[0]
        self._name = f"{parts.username}@127.0.0.1", parts.path
        self.silent = False
        self.n_connections = 0
        self.n_answers = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._clients: set[asyncio.StreamWriter] = set()
        self._port = 0

    @property
    def dsn(self) -> str:
        user, path = self._name
        return f"postgresql://{user}:{self._port}{path}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        folder, host, port = self._target
        there = (
            asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
            if folder
            else asyncio.open_connection(host, int(port or 5432))
        )
        from_server, to_server = await there
        self.n_connections += 1
        self._open |= {writer, to_server}
        self._clients.add(writer)
        await asyncio.gather(self._pass_on(reader, to_server), self._pass_on(from_server, writer))

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                self.n_answers += sink in self._clients
                if not self.silent:
                    sink.write(data)
        sink.close()


@pytest.fixture
async def network(dsn: str) -> AsyncIterator[Network]:
    network = Network(dsn)
    await network.open()
    yield network
    network.close()


async def test_the_subject_the_loop_and_the_workspace_are_woken_and_nobody_else(bell: Bell, pool: Pool) -> None:
    named = [bell.listen(name) for name in ("ws_1", "run_1", "loop_1")]
    other = bell.listen("run_2")
    await notify(pool, "ws_1 run_1 loop_1")
    for future in named:
        await woken(future)
    assert not other.done()


async def test_what_others_say_on_the_channel_does_no_harm(bell: Bell, pool: Pool) -> None:
    waiting = bell.listen("run_1")
    await notify(pool, "")
    await notify(pool, "a b c d e")
    await notify(pool, "ws_1 run_1 -")
    await woken(waiting)


async def test_everyone_is_woken_after_a_lost_connection_and_hears_again(bell: Bell, pool: Pool) -> None:
    waiting = bell.listen("run_1")
    before = await pool.fetchval(BACKENDS)
    assert len(before) == 1
    await pool.execute(TERMINATE)
    await woken(waiting)
    assert await pool.fetchval(BACKENDS) != before
    again, other = bell.listen("run_1"), bell.listen("run_2")
    await notify(pool, "ws_1 run_1 -")
    await woken(again)
    assert not other.done()


async def test_a_network_that_swallows_everything_is_noticed(network: Network, pool: Pool) -> None:
    async with ringing(Bell(network.dsn)) as bell:
        waiting = bell.listen("run_1")
        network.silent = True
        await notify(pool, "ws_1 run_1 -")
        while network.n_connections == 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert not waiting.done()
        network.silent = False
        await woken(waiting)


async def test_a_server_that_is_away_for_a_while_is_waited_for(network: Network, pool: Pool) -> None:
    async with ringing(Bell(network.dsn)) as bell:
        waiting = bell.listen("run_1")
        network.close()
        await notify(pool, "ws_1 run_1 -")
        assert not waiting.done()
        await network.open()
        await woken(waiting)
        again = bell.listen("run_1")
        await notify(pool, "ws_1 run_1 -")
        await woken(again)


async def test_a_connection_at_rest_is_kept(network: Network, pool: Pool) -> None:
    async with ringing(Bell(network.dsn)):
        pids = await pool.fetchval(BACKENDS)
        n_answers = network.n_answers
        while network.n_answers < n_answers + 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert await pool.fetchval(BACKENDS) == pids
        assert network.n_connections == 1


async def test_a_server_that_is_not_there_is_told_at_the_start(network: Network) -> None:
    network.close()
    with pytest.raises(OSError, match="Connect call failed"):
        await Bell(network.dsn).start()


async def test_whoever_waits_at_the_end_is_woken(dsn: str) -> None:
    async with ringing(Bell(dsn)) as bell:
        waiting = bell.listen("run_1")
    await woken(waiting)
    bell.forget("run_1", waiting)
    assert bell.n_waiting == 0


async def test_stopping_leaves_no_connection(bell: Bell, pool: Pool) -> None:
    await bell.stop()
    while await pool.fetchval(BACKENDS):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
