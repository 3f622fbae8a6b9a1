"""Points on their way to the service: kept on disk, handed out in batches. No network, safe between threads."""

import hashlib
import logging
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from whatnext._config import Config
from whatnext._operation import Ref, number_or_word, path_segment
from whatnext._spool import ROTATE_BYTES, Spool, create, take_over
from whatnext.errors import APIStatusError, WhatnextError

LOG = logging.getLogger("whatnext")
INTERVAL_S = 2.0
"""Points are gathered for so long before they are sent."""
MAX_BACKOFF_S = 30.0
EXIT_S = 5.0
"""How long the end of a program waits for the last points; what is left is sent by the next one."""
REFUSED = frozenset({400, 404, 409, 413, 415, 422})
"""Statuses that another try would not change."""
MAX_BATCH_BYTES = 256 * 1024
MAX_BATCH_POINTS = 1000
MAX_VALUES = 64
"""Values that one point may carry; more go as several points."""
MAX_BACKLOG_BYTES = 256 * 2**20
"""Beyond this much unsent, new points are dropped rather than the disk filled."""


class Line(msgspec.Struct, kw_only=True, frozen=True):
    """One point in a spool."""

    run: str
    """The run as a path segment."""
    step: int
    values: dict[str, float | str]
    """Text for what is not finite."""


class Batch(msgspec.Struct, kw_only=True, frozen=True):
    """Points of one run to send together."""

    run: str
    body: bytes
    n_points: int
    n_bytes: int
    spool: Any


class MetricsQueue:
    """What was logged and not yet acknowledged."""

    def __init__(self, config: Config) -> None:
        identity = f"{config.base_url}\n{config.api_key.value}"
        self._owner = hashlib.sha256(identity.encode()).hexdigest()[:16]
        self._folder = config.spool_dir
        self._lock = threading.Lock()
        self._decoder = msgspec.json.Decoder(Line)
        self._own = self._create()
        self._spools: list[Spool] = [*take_over(self._folder, self._owner), self._own]
        self._warned: set[str] = set()

    @property
    def pending(self) -> int:
        """Bytes not yet acknowledged."""
        with self._lock:
            return sum(spool.pending for spool in self._spools)

    def add(self, run: Ref, step: int, values: Mapping[str, Any]) -> None:
        """Keep a point; on disk when this returns."""
        segment = path_segment(run)
        items = [(name, number_or_word(float(value))) for name, value in values.items()]
        lines = [
            msgspec.json.encode(Line(run=segment, step=int(step), values=dict(items[at : at + MAX_VALUES]))) + b"\n"
            for at in range(0, len(items), MAX_VALUES)
        ]
        with self._lock:
            if sum(spool.pending for spool in self._spools) > MAX_BACKLOG_BYTES:
                self._warn("the service was not reached for too long: new points are dropped")
                return
            if self._own.end > ROTATE_BYTES:
                self._own = self._create()
                self._spools.append(self._own)
            try:
                for line in lines:
                    self._own.append(line)
            except OSError as error:
                self._warn(f"points that cannot be kept are lost: {error}")

    def batch(self) -> Batch | None:
        """The oldest points, all of one run; null when there are none."""
        with self._lock:
            for spool in list(self._spools):
                while spool.pending > 0:
                    found = self._read(spool)
                    if found is not None:
                        return found
                if spool is not self._own:
                    self._spools.remove(spool)
                    spool.remove()
            return None

    def acknowledge(self, batch: Batch) -> None:
        """The service has these points, or will never take them."""
        with self._lock:
            batch.spool.acknowledge(batch.n_bytes)

    def close(self) -> None:
        """Give the files up; those with points in them wait for the next writer."""
        with self._lock:
            for spool in self._spools:
                spool.remove()

    def _read(self, spool: Spool) -> Batch | None:
        n_bytes, run = 0, ""
        points: list[dict[str, Any]] = []
        for raw in spool.peek(MAX_BATCH_BYTES).splitlines(keepends=True):
            try:
                line = self._decoder.decode(raw)
            except msgspec.MsgspecError:
                n_bytes += len(raw)
                continue
            if len(points) == MAX_BATCH_POINTS or (points and line.run != run):
                break
            run = line.run
            n_bytes += len(raw)
            points.append({"step": line.step, "values": line.values})
        if not points:
            spool.acknowledge(n_bytes)
            return None
        body = msgspec.json.encode({"points": points})
        return Batch(run=run, body=body, n_points=len(points), n_bytes=n_bytes, spool=spool)

    def _create(self) -> Spool:
        try:
            return create(self._folder, self._owner)
        except OSError as error:
            LOG.warning("metrics cannot be kept in %s (%s): they are lost if this process dies", self._folder, error)
            return create(Path(tempfile.mkdtemp(prefix="whatnext-")), self._owner)

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            LOG.warning("%s", message)


def refused_for_good(error: WhatnextError, batch: Batch) -> bool:
    """Whether the service will never take a batch."""
    refused = isinstance(error, APIStatusError) and error.status in REFUSED
    LOG.warning("%d points of %s were not %s: %s", batch.n_points, batch.run, "taken" if refused else "sent", error)
    return refused
