"""What the sandbox remembers: one SQLite file in its folder, with the uploaded bytes and trained models beside it.

Writes reach the operating system before a call is answered, so a kill -9 of the sandbox loses nothing it said.
"""

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TypeVar

import msgspec

_CLAIM_POLL_S = 0.05
_SCHEMA = """
create table if not exists object (
    seq integer primary key autoincrement,
    kind text not null,
    id text not null,
    parent text not null,
    body blob not null,
    unique (kind, id)
);
create index if not exists object_by_parent on object (kind, parent, seq);
create table if not exists answer (key text primary key, fingerprint text not null, body blob not null);
create table if not exists counter (name text primary key, n integer not null);
create table if not exists paid (digest text primary key, n integer not null);
"""

_NEWEST_FIRST = """
select body from object where kind = :kind and parent = :parent
and (:after is null or seq < (select seq from object where kind = :kind and id = :after)) order by seq desc
"""
_OLDEST_FIRST = """
select body from object where kind = :kind and parent = :parent
and (:after is null or seq > (select seq from object where kind = :kind and id = :after)) order by seq
"""

T = TypeVar("T", bound=msgspec.Struct)


class Stored(msgspec.Struct, kw_only=True, frozen=True):
    """An answer given to an idempotency key."""

    fingerprint: str
    body: bytes


class Ledger(msgspec.Struct, kw_only=True, frozen=True):
    """What the sandbox was asked and what it would have billed, since its folder was made."""

    calls: dict[str, int]
    """Received calls by operation, such as `jobs.create`; failed and replayed ones included."""
    jobs_created: int
    files_created: int
    paid_completions: int
    """Chat completions computed, replays not among them."""
    repeated_completions: int
    """Those among them whose model and messages had been paid for before."""
    replays: int
    """Calls answered from a stored idempotency key."""


class FolderInUse(Exception):
    """Another server works in the folder."""


class State:
    """One connection, used from one thread, in a folder no other server uses."""

    def __init__(self, folder: Path, *, wait_s: float = 10.0) -> None:
        """Waits `wait_s` for a server that is still ending; raises FolderInUse if it does not."""
        folder.mkdir(parents=True, exist_ok=True)
        self._claim = _claim(folder, wait_s)
        self.files = folder / "files"
        self.jobs = folder / "jobs"
        for needed in (self.files, self.jobs):
            needed.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "sandbox.db", isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = off")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()
        self._claim.close()

    def put(self, kind: str, id: str, value: msgspec.Struct, *, parent: str = "") -> None:
        """Inserts or replaces; a replaced object keeps its place in lists."""
        self._db.execute(
            "insert into object (kind, id, parent, body) values (?, ?, ?, ?)"
            " on conflict (kind, id) do update set body = excluded.body",
            (kind, id, parent, msgspec.json.encode(value)),
        )

    def get(self, kind: str, id: str, type: type[T]) -> T | None:
        row = self._db.execute("select body from object where kind = ? and id = ?", (kind, id)).fetchone()
        return msgspec.json.decode(row[0], type=type) if row else None

    def delete(self, kind: str, id: str) -> None:
        self._db.execute("delete from object where kind = ? and id = ?", (kind, id))

    def walk(
        self, kind: str, type: type[T], *, parent: str = "", after: str | None = None, newest_first: bool = True
    ) -> Iterator[T]:
        """Objects in order of creation, those behind `after` only; nothing if `after` is unknown."""
        query = _NEWEST_FIRST if newest_first else _OLDEST_FIRST
        rows = self._db.execute(query, {"kind": kind, "parent": parent, "after": after})
        for row in rows:
            yield msgspec.json.decode(row[0], type=type)

    def answered(self, key: str) -> Stored | None:
        row = self._db.execute("select fingerprint, body from answer where key = ?", (key,)).fetchone()
        return Stored(fingerprint=row[0], body=row[1]) if row else None

    def remember(self, key: str, answer: Stored) -> None:
        self._db.execute("insert into answer values (?, ?, ?)", (key, answer.fingerprint, answer.body))

    def count(self, name: str) -> None:
        self._db.execute("insert into counter values (?, 1) on conflict (name) do update set n = n + 1", (name,))

    def pay(self, digest: str) -> None:
        self._db.execute("insert into paid values (?, 1) on conflict (digest) do update set n = n + 1", (digest,))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block's writes or none; the block must not await."""
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def ledger(self) -> Ledger:
        return _ledger(self._db)


def _claim(folder: Path, wait_s: float) -> IO[bytes]:
    """A lock that lasts until it is closed or the process ends, however it ends."""
    file = (folder / "lock").open("wb")
    give_up = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                file.close()
                raise FolderInUse(str(folder)) from None
            time.sleep(_CLAIM_POLL_S)
        else:
            return file


def read_ledger(folder: Path) -> Ledger:
    """The ledger of a sandbox's folder, whether or not the sandbox still runs."""
    with closing(sqlite3.connect(f"file:{folder / 'sandbox.db'}?mode=ro", uri=True)) as db:
        return _ledger(db)


def _ledger(db: sqlite3.Connection) -> Ledger:
    counters = dict(db.execute("select name, n from counter"))
    n_paid, n_repeated = db.execute("select coalesce(sum(n), 0), coalesce(sum(n - 1), 0) from paid").fetchone()
    return Ledger(
        calls={name.removeprefix("call:"): n for name, n in sorted(counters.items()) if name.startswith("call:")},
        jobs_created=counters.get("jobs", 0),
        files_created=counters.get("files", 0),
        paid_completions=n_paid,
        repeated_completions=n_repeated,
        replays=counters.get("replays", 0),
    )
