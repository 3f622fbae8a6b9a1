"""Faults on purpose: what a test asks the sandbox to do wrong."""

import threading
from collections.abc import Callable
from typing import Literal, get_args

import msgspec

CallFault = Literal["rate_limited", "server_error", "unauthorized", "not_found", "empty", "slow", "cut", "cut_after"]
JobFault = Literal["job_fails", "slow_training", "job_status", "malformed_result_file"]


class Fault(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One thing to do wrong.

    rate_limited           429 with Retry-After
    server_error           500
    unauthorized           401, as for a key that was revoked
    not_found              404, as for a thing that does not exist
    empty                  an empty list, as from a replica that lags behind
    slow                   the answer is delayed by `delay_s`, then given
    cut                    the connection breaks, nothing was done
    cut_after              the call is carried out, then the connection breaks before the answer
    job_fails              the next job to train fails after its third step
    slow_training          the next job to train waits `delay_s` after each step
    job_status             a job, when asked for, says `status` whatever its true one
    malformed_result_file  a result file's content is `body`
    """

    kind: CallFault | JobFault
    on: str = "*"
    """The operation hit by the first eight kinds, such as `jobs.create`; `*` for any."""
    after: int = 0
    """Occasions to let pass first."""
    times: int | None = 1
    """Occasions to hit; null for all."""
    retry_after_s: float = 1.0
    delay_s: float = 0.0
    status: str = "paused"
    body: str = "step;train_loss\n1;oops\n<html>"


class Faults:
    """The faults still to come. May be changed from any thread while the sandbox runs."""

    def __init__(self, *planned: Fault) -> None:
        self._lock = threading.Lock()
        self._planned: list[Fault] = list(planned)

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._planned.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def planned(self) -> list[Fault]:
        with self._lock:
            return list(self._planned)

    def take_call(self, operation: str) -> Fault | None:
        """The fault to commit on this call, if any; every fault waiting for this operation counts the occasion."""
        return self._take(lambda fault: fault.kind in get_args(CallFault) and fault.on in ("*", operation))

    def take_job(self, kind: JobFault) -> Fault | None:
        return self._take(lambda fault: fault.kind == kind)

    def _take(self, concerns: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            taken: Fault | None = None
            for index, fault in enumerate(self._planned):
                if not concerns(fault) or fault.times == 0:
                    continue
                if fault.after > 0:
                    self._planned[index] = msgspec.structs.replace(fault, after=fault.after - 1)
                elif taken is None:
                    taken = fault
                    if fault.times is not None:
                        self._planned[index] = msgspec.structs.replace(fault, times=fault.times - 1)
            self._planned = [fault for fault in self._planned if fault.times != 0]
            return taken
