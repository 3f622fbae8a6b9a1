"""One Postgres server on this machine, driven by blocking calls: its binaries, its files, its process."""

import contextlib
import hashlib
import os
import platform
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import msgspec

from whatnext_service.store.postgres_host import (
    ENVIRONMENT,
    Account,
    EmbeddedPostgresError,
    command_of,
    find_account,
    find_binaries,
    open_to_all,
)

DATABASE_USER = "whatnext"
PORT = 5432
_ELSEWHERE = Path("/var/lib")
_LONGEST_SOCKET_FOLDER = 80
_LOG_BYTES = 5_000_000

# Runs the server and stops it (SIGINT: fast shutdown) once the pipe on standard input closes, which is what the
# kernel does when the owner dies, however it dies. The signal is repeated: a server just born ignores the first.
_WATCHDOG = (
    'exec 3<&0 </dev/null; "$@" 3<&- & server=$!; '
    "{ read -r _ <&3; while kill -INT $server; do sleep 0.1; done; } 2>/dev/null & reader=$!; "
    "wait $server; status=$?; kill $reader 2>/dev/null; exit $status"
)

_DURABLE = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class EmbeddedSettings(msgspec.Struct, kw_only=True, frozen=True):
    root: Path
    """The folder everything lives in; made when missing."""
    binaries: Path | None = None
    """A folder with `postgres` and `initdb`; None takes the wheel's, else the newest under /usr/lib/postgresql."""
    account: str | None = None
    """Whom to run as when started by root, which Postgres refuses; None takes `postgres`, else `nobody`."""
    fast: bool = False
    """Give up durability for speed: for tests only."""
    start_timeout_s: float = 60
    stop_timeout_s: float = 20


class Cluster:
    """The server's files and process. Only the owner of the folder's lock may call `launch` and `halt`."""

    def __init__(self, settings: EmbeddedSettings) -> None:
        self._settings = settings
        self._root = settings.root.expanduser().resolve()
        self._moved = self._root / "elsewhere"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> Path:
        """The root, or the folder outside it that root made because no other account may enter the root."""
        return self._moved.resolve() if self._moved.is_symlink() else self._root

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def sockets(self) -> Path:
        """Unix socket paths are limited to about 100 bytes, so a deep folder's sockets live in a temporary one."""
        near = self.folder / "run"
        if len(str(near)) <= _LONGEST_SOCKET_FOLDER:
            return near
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"whatnext-{digest}"

    @property
    def dsn(self) -> str:
        return f"postgresql://{DATABASE_USER}@/postgres?host={self.sockets}&port={PORT}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log_tail(self) -> str:
        with contextlib.suppress(OSError):
            return (self.folder / "postgres.log").read_text(errors="replace")[-2000:].strip()
        return ""

    def launch(self) -> None:
        """Start the server, after making its files or clearing up after a crash; does not wait until it answers."""
        account = find_account(self._settings.account, self.data)
        if not account.reaches(self._root) and not self._moved.is_symlink():
            self._move(account)
        version = self.data / "PG_VERSION"
        found = find_binaries(self._settings.binaries, version.read_text().strip() if version.exists() else None)
        binaries = self._reachable(found, account)
        self._stop_orphan()
        self._prepare_sockets(account)
        if not version.exists():
            self._initialise(binaries, account)
        log = self.folder / "postgres.log"
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        options = _DURABLE | (_FAST if self._settings.fast else {})
        with log.open("ab") as output:
            account.own(log)
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _WATCHDOG, "whatnext-postgres", str(binaries / "postgres"), "-D", str(self.data)]
                + ["-k", str(self.sockets), "-p", str(PORT)]
                + [part for name, value in options.items() for part in ("-c", f"{name}={value}")],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd="/",
                env=ENVIRONMENT,
                user=account.uid,
                group=account.gid,
                extra_groups=None if account.uid is None else [],
            )

    def halt(self) -> None:
        """Stop the server: disconnect everyone, write everything; the hard way when that takes too long."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            process.wait(self._settings.stop_timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGQUIT)
            process.wait(self._settings.stop_timeout_s)

    def _move(self, account: Account) -> None:
        place = Path(tempfile.mkdtemp(prefix="whatnext-", dir=_ELSEWHERE))
        place.chmod(0o755)
        if not account.reaches(place):
            raise EmbeddedPostgresError(f"the account Postgres runs as may enter neither {self._root} nor {place}")
        self._moved.symlink_to(place)

    def _reachable(self, binaries: Path, account: Account) -> Path:
        """Copy binaries that the account may not reach, such as a virtual environment's under /root, once."""
        if account.reaches(binaries / "postgres"):
            return binaries
        install = binaries.parent
        stamp = f"{binaries}:{(binaries / 'postgres').stat().st_mtime_ns}"
        copy = self.folder / ("binaries-" + hashlib.sha256(stamp.encode()).hexdigest()[:12])
        target = copy / install.parent.name / install.name
        if not copy.exists():
            for leftover in self.folder.glob("binaries-*"):
                shutil.rmtree(leftover)
            fresh = Path(tempfile.mkdtemp(prefix="binaries-new-", dir=self.folder))
            unneeded = shutil.ignore_patterns("include", "*.a")
            shutil.copytree(install, fresh / install.parent.name / install.name, ignore=unneeded, symlinks=True)
            libraries = install.parent.with_name(install.parent.name + ".libs")
            if libraries.is_dir():
                shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
            open_to_all(fresh)
            fresh.rename(copy)
        return target / "bin"

    def _prepare_sockets(self, account: Account) -> None:
        folder = self.sockets
        if not folder.exists():
            folder.mkdir(mode=0o700)
            account.own(folder)
        status = folder.lstat()
        owner = os.geteuid() if account.uid is None else account.uid
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner or status.st_mode & 0o077:
            raise EmbeddedPostgresError(f"{folder} must be a private folder of the account Postgres runs as")
        for leftover in folder.glob(".s.PGSQL.*"):
            leftover.unlink()

    def _initialise(self, binaries: Path, account: Account) -> None:
        """Make the data folder whole or not at all: a killed initdb leaves only a temporary folder."""
        for leftover in self.folder.glob("data-new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(prefix="data-new-", dir=self.folder))
        account.own(fresh)
        locale = "C.UTF-8" if platform.system() == "Linux" else "C"
        options = ["--auth=trust", "--encoding=UTF8", f"--locale={locale}", "--no-instructions"]
        done = account.run(
            binaries / "initdb", "-D", fresh, "-U", DATABASE_USER, *options, *["--no-sync"] * self._settings.fast
        )
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"initdb failed in {fresh}: {(done.stderr or done.stdout).strip()}")
        fresh.rename(self.data)

    def _stop_orphan(self) -> None:
        """Deal with a crash's postmaster.pid: stop a server of ours that still runs, forget a pid reused by others.

        The file of a dead server stays: Postgres reads in it whether a backend still holds the shared memory.
        """
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        deadline = time.monotonic() + self._settings.stop_timeout_s
        hard = deadline + self._settings.stop_timeout_s
        with contextlib.suppress(ProcessLookupError):
            while (command := command_of(pid)) is not None and str(self.data) in command:
                now = time.monotonic()
                if now > hard:
                    raise EmbeddedPostgresError(f"the server that ran in {self.data} (process {pid}) does not stop")
                os.kill(pid, signal.SIGQUIT if now > deadline else signal.SIGINT)
                time.sleep(0.02)
            if command is not None:
                pid_file.unlink()
