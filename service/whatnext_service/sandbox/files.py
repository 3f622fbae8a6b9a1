"""Uploaded and produced files: kept as bytes in a folder, checked in the background."""

import asyncio
import base64
import hashlib
import secrets
import time
from functools import partial
from pathlib import Path
from typing import IO, Literal

import msgspec
from msgspec.structs import replace

from whatnext_service.sandbox import wire
from whatnext_service.sandbox.messages import BadFile, read_examples
from whatnext_service.sandbox.problems import ApiError, not_found
from whatnext_service.sandbox.state import State

ResultEncoding = Literal["base64", "plain"]
_CHUNK = 1 << 20


class Draft(msgspec.Struct, kw_only=True, frozen=True):
    """Bytes that have arrived and are not a file yet."""

    path: str
    sha256: str
    n_bytes: int


class Files:
    """The files of one sandbox. Belongs to the event loop's thread."""

    def __init__(self, state: State, result_encoding: ResultEncoding) -> None:
        self._state = state
        self._result_encoding = result_encoding
        self._checks: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Throws away what arrived in part, and checks what an earlier server had accepted and not checked."""
        for part in self._state.files.glob("*.part"):
            part.unlink()
        self.check_waiting()

    async def stop(self) -> None:
        await asyncio.gather(*self._checks.values())

    def path(self, file_id: str) -> Path:
        return self._state.files / file_id

    def find(self, file_id: str) -> wire.File:
        file = self._state.get("file", file_id, wire.File)
        if file is None:
            raise not_found("File object", file_id)
        return file

    def draft(self, source: IO[bytes]) -> Draft:
        path = self._state.files / f"{secrets.token_hex(12)}.part"
        digest = hashlib.sha256()
        with path.open("wb") as target:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
        return Draft(path=str(path), sha256=digest.hexdigest(), n_bytes=path.stat().st_size)

    def add(self, draft: Draft, *, filename: str, purpose: str) -> wire.File:
        """The draft becomes a file; what is meant for training has still to be checked."""
        file = wire.File(
            id=f"file-{secrets.token_hex(12)}",
            bytes=draft.n_bytes,
            created_at=int(time.time()),
            filename=filename,
            purpose=purpose,
            status="uploaded" if purpose == "fine-tune" else "processed",
        )
        Path(draft.path).replace(self.path(file.id))
        self._state.put("file", file.id, file)
        self._state.count("files")
        return file

    def discard(self, draft: Draft) -> None:
        """Throws a draft away unless it became a file."""
        Path(draft.path).unlink(missing_ok=True)

    def check_waiting(self) -> None:
        """Reads new files in threads; each is then `processed` or `error`."""
        for file in self._state.walk("file", wire.File):
            if file.status == "uploaded" and file.id not in self._checks:
                task = asyncio.create_task(self._check(file))
                self._checks[file.id] = task
                task.add_done_callback(partial(self._checked, file.id))

    def _checked(self, file_id: str, _: asyncio.Task[None]) -> None:
        del self._checks[file_id]

    async def _check(self, file: wire.File) -> None:
        problem = await asyncio.to_thread(_find_problem, self.path(file.id))
        if self._state.get("file", file.id, wire.File):
            status: Literal["error", "processed"] = "error" if problem else "processed"
            self._state.put("file", file.id, replace(file, status=status, status_details=problem))

    def add_results(self, csv: Path) -> wire.File:
        data = csv.read_bytes()
        if self._result_encoding == "base64":
            data = base64.b64encode(data)
        file = wire.File(
            id=f"file-{secrets.token_hex(12)}",
            bytes=len(data),
            created_at=int(time.time()),
            filename="step_metrics.csv",
            purpose="fine-tune-results",
            status="processed",
        )
        self.path(file.id).write_bytes(data)
        self._state.put("file", file.id, file)
        return file

    def remove(self, file_id: str) -> None:
        self.find(file_id)
        self._state.delete("file", file_id)
        self.path(file_id).unlink(missing_ok=True)

    def require_trainable(self, file_id: str, param: str) -> None:
        """A job may name only files of its own purpose that have been checked; a bad one fails the job later."""
        file = self._state.get("file", file_id, wire.File)
        if file is None:
            raise ApiError(400, f"invalid {param}: {file_id}", param=param, code="invalid_file")
        if file.purpose != "fine-tune":
            raise ApiError(400, f"{param} has purpose {file.purpose}, not fine-tune", param=param, code="invalid_file")
        if file.status == "uploaded":
            raise ApiError(400, f"File '{file_id}' is still being processed", param=param, code="file_not_ready")


def _find_problem(path: Path) -> str | None:
    try:
        read_examples(path.read_bytes())
    except BadFile as error:
        return str(error)
    except FileNotFoundError:
        return "The file was deleted"
    return None
