"""Carries jobs out: one training process at a time, oldest job first."""

import asyncio
import contextlib
import os
import secrets
import shutil
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Literal, assert_never

import msgspec
from msgspec.structs import replace

from whatnext_service.sandbox import wire
from whatnext_service.sandbox.faults import Faults
from whatnext_service.sandbox.files import Files
from whatnext_service.sandbox.progress import describe_step, to_metrics
from whatnext_service.sandbox.shelf import Shelf
from whatnext_service.sandbox.state import State
from whatnext_service.sandbox.trainer import (
    RESULT_FILE,
    Finished,
    Report,
    Resolved,
    Saved,
    Stopped,
    TrainSpec,
    checkpoint_path,
)
from whatnext_service.sandbox.training import Step

Level = Literal["info", "warn", "error"]

_KEPT_CHECKPOINTS = 3
_FAILING_STEP = 3
_PACKAGES = Path(__file__).resolve().parents[2]


class Runner:
    """The queue and the process it feeds. All its methods belong to the event loop's thread."""

    def __init__(self, state: State, shelf: Shelf, files: Files, faults: Faults) -> None:
        self._state = state
        self._shelf = shelf
        self._files = files
        self._faults = faults
        self._decoder: msgspec.json.Decoder[Report] = msgspec.json.Decoder(Report)
        self._wake = asyncio.Event()
        self._processes: dict[str, Process] = {}
        self._work_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Puts jobs that an earlier server left unfinished back into the queue, and begins to work on it."""
        for job in list(self._state.walk("job", wire.Job)):
            if job.status in ("running", "validating_files"):
                self.say(job.id, "The service was restarted; the job starts anew", level="warn")
                self._put(replace(job, status="queued"))
        self._work_task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Ends the training process; its job starts anew with the next server."""
        if self._work_task:
            self._work_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._work_task

    def wake(self) -> None:
        """To be called when a job was queued."""
        self._wake.set()

    def cancel(self, job: wire.Job) -> wire.Job:
        process = self._processes.get(job.id)
        if process:
            process.kill()
        self.say(job.id, "Fine-tuning job cancelled")
        return self._put(replace(job, status="cancelled", finished_at=int(time.time())))

    def pause(self, job: wire.Job) -> wire.Job:
        self._order(job.id, b"p")
        self.say(job.id, "Fine-tuning job paused")
        return self._put(replace(job, status="paused"))

    def resume(self, job: wire.Job) -> wire.Job:
        under_way = self._order(job.id, b"r")
        self.say(job.id, "Fine-tuning job resumed")
        self.wake()
        return self._put(replace(job, status="running" if under_way else "queued"))

    def say(self, job_id: str, message: str, *, level: Level = "info", data: wire.Metrics | None = None) -> None:
        """Appends an event to a job."""
        event = wire.Event(
            id=f"ftevent-{secrets.token_hex(12)}",
            created_at=int(time.time()),
            level=level,
            message=message,
            type="metrics" if data else "message",
            data=data,
        )
        self._state.put("event", event.id, event, parent=job_id)

    def _put(self, job: wire.Job) -> wire.Job:
        self._state.put("job", job.id, job)
        return job

    def _order(self, job_id: str, order: bytes) -> bool:
        process = self._processes.get(job_id)
        if process is None or process.stdin is None:
            return False
        process.stdin.write(order)
        return True

    async def _work(self) -> None:
        while True:
            waiting = self._state.walk("job", wire.Job, newest_first=False)
            job = next((job for job in waiting if job.status == "queued"), None)
            if job is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            try:
                await self._run(job)
            except (OSError, msgspec.MsgspecError) as error:
                self._note(job.id, Stopped(code="server_error", message=f"The job was lost: {error}", param=None))

    async def _run(self, job: wire.Job) -> None:
        folder = self._clean_folder(job.id)
        spec = self._spec(job, folder)
        self._put(replace(job, status="validating_files"))
        self.say(job.id, f"Validating training file: {job.training_file}")
        process = await _spawn(folder)
        self._processes[job.id] = process
        try:
            assert process.stdin
            assert process.stdout
            process.stdin.write(msgspec.json.encode(spec) + b"\n")
            self._catch_up(job.id, process)
            async for line in process.stdout:
                self._note(job.id, self._decoder.decode(line))
            await process.wait()
        finally:
            del self._processes[job.id]
            if process.returncode is None:
                process.kill()
                await process.wait()
        self._note(job.id, Stopped(code="server_error", message="The training process ended early", param=None))

    def _catch_up(self, job_id: str, process: Process) -> None:
        """A job may have been cancelled or paused while its process was being started."""
        job = self._state.get("job", job_id, wire.Job)
        if job is None or job.ended:
            process.kill()
        elif job.status == "paused":
            self._order(job_id, b"p")

    def _clean_folder(self, job_id: str) -> Path:
        """The job's folder, without what an interrupted attempt left."""
        for checkpoint in list(self._state.walk("checkpoint", wire.Checkpoint, parent=job_id)):
            self._drop(checkpoint)
        folder = self._state.jobs / job_id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def _spec(self, job: wire.Job, folder: Path) -> TrainSpec:
        asked = job.hyperparameters
        slow = self._faults.take_job("slow_training")
        fails = self._faults.take_job("job_fails")
        return TrainSpec(
            base_model=job.model,
            training_path=str(self._files.path(job.training_file)),
            validation_path=str(self._files.path(job.validation_file)) if job.validation_file else None,
            folder=str(folder),
            n_epochs=None if asked.n_epochs == "auto" else asked.n_epochs,
            batch_size=None if asked.batch_size == "auto" else asked.batch_size,
            learning_rate_multiplier=(
                None if asked.learning_rate_multiplier == "auto" else asked.learning_rate_multiplier
            ),
            seed=job.seed,
            step_delay_s=slow.delay_s if slow else 0.0,
            fail_after_steps=_FAILING_STEP if fails else None,
        )

    def _note(self, job_id: str, report: Report) -> None:
        job = self._state.get("job", job_id, wire.Job)
        if job is None or job.ended:
            return
        with self._state.transaction():
            match report:
                case Resolved(hyperparameters=found):
                    self._resolve(job, wire.Hyperparameters(**msgspec.structs.asdict(found)))
                case Step():
                    self.say(job_id, describe_step(report), data=to_metrics(report))
                case Saved(step=step):
                    self._keep(job, step)
                case Finished(trained_tokens=n_tokens):
                    self._succeed(job, n_tokens)
                case Stopped():
                    self._fail(job, report)
                case _:
                    assert_never(report)

    def _resolve(self, job: wire.Job, found: wire.Hyperparameters) -> None:
        status: wire.JobStatus = "paused" if job.status == "paused" else "running"
        method = wire.Method(supervised=wire.Supervised(hyperparameters=found))
        self._put(replace(job, status=status, hyperparameters=found, method=method))
        self.say(job.id, "Files validated")
        self.say(job.id, "Fine-tuning job started")

    def _keep(self, job: wire.Job, step: Step) -> None:
        name = f"{_model_name(job)}:ckpt-step-{step.step}"
        checkpoint = wire.Checkpoint(
            id=f"ftckpt_{secrets.token_hex(12)}",
            created_at=int(time.time()),
            fine_tuning_job_id=job.id,
            fine_tuned_model_checkpoint=name,
            step_number=step.step,
            metrics=to_metrics(step),
        )
        self._shelf.add(name, job.id, checkpoint_path(self._state.jobs / job.id, step.step), listed=False)
        self._state.put("checkpoint", checkpoint.id, checkpoint, parent=job.id)
        self.say(job.id, f"Checkpoint created at step {step.step}")
        kept = list(self._state.walk("checkpoint", wire.Checkpoint, parent=job.id))
        for old in kept[_KEPT_CHECKPOINTS:]:
            self._drop(old)

    def _drop(self, checkpoint: wire.Checkpoint) -> None:
        self._state.delete("checkpoint", checkpoint.id)
        self._shelf.discard(checkpoint.fine_tuned_model_checkpoint)

    def _succeed(self, job: wire.Job, n_tokens: int) -> None:
        last = next(self._state.walk("checkpoint", wire.Checkpoint, parent=job.id))
        name = _model_name(job)
        self._shelf.add(name, job.id, checkpoint_path(self._state.jobs / job.id, last.step_number), listed=True)
        self._end(job, "succeeded", fine_tuned_model=name, trained_tokens=n_tokens)
        self.say(job.id, f"New fine-tuned model created: {name}")
        self.say(job.id, "The job has successfully completed")

    def _fail(self, job: wire.Job, stopped: Stopped) -> None:
        error = wire.JobError(code=stopped.code, message=stopped.message, param=stopped.param)
        self._end(job, "failed", error=error)
        self.say(job.id, f"The job failed: {stopped.message}", level="error")

    def _end(
        self,
        job: wire.Job,
        status: wire.JobStatus,
        *,
        fine_tuned_model: str | None = None,
        trained_tokens: int | None = None,
        error: wire.JobError | None = None,
    ) -> None:
        """A job that took at least one step has a result file, whatever became of it."""
        results = self._state.jobs / job.id / RESULT_FILE
        result_files = (self._files.add_results(results).id,) if results.exists() else ()
        self._put(
            replace(
                job,
                status=status,
                finished_at=int(time.time()),
                result_files=result_files,
                fine_tuned_model=fine_tuned_model,
                trained_tokens=trained_tokens,
                error=error,
            )
        )


async def _spawn(folder: Path) -> Process:
    """One thread for linear algebra: as fast for matrices of this size, and the same sums on every machine."""
    environment: dict[str, str] = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_PACKAGES), os.environ.get("PYTHONPATH"))))
    command = (sys.executable, "-m", "whatnext_service.sandbox.trainer")
    with (folder / "trainer.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=log, env={**os.environ, **environment}
        )


def _model_name(job: wire.Job) -> str:
    return f"ft:{job.model}:sandbox:{job.user_provided_suffix or ''}:{job.id[-8:]}"
