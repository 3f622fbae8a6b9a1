"""The training process: one job, from its files to its checkpoints, told to the server line by line.

`python -m whatnext_service.sandbox.trainer` reads a TrainSpec as the first line of its input, writes reports to its
output, checkpoints and `results.csv` to the job's folder, and dies when its input ends, so with the server.
"""

import csv
import math
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from whatnext_service.sandbox.base_models import find_base_model
from whatnext_service.sandbox.messages import BadFile, Example, read_examples
from whatnext_service.sandbox.tokens import count_tokens, tokens
from whatnext_service.sandbox.training import Hyperparameters, Step, Training, resolve

MIN_EXAMPLES = 10
RESULT_FILE = "results.csv"
_COLUMNS = (
    "step",
    "train_loss",
    "train_mean_token_accuracy",
    "valid_loss",
    "valid_mean_token_accuracy",
    "full_valid_loss",
    "full_valid_mean_token_accuracy",
)


class TrainSpec(msgspec.Struct, kw_only=True, frozen=True):
    """All a training process needs to know. Null hyperparameters are "auto"."""

    base_model: str
    training_path: str
    validation_path: str | None
    folder: str
    n_epochs: int | None
    batch_size: int | None
    learning_rate_multiplier: float | None
    seed: int
    step_delay_s: float = 0.0
    fail_after_steps: int | None = None


class Resolved(msgspec.Struct, kw_only=True, frozen=True, tag="resolved"):
    """The files are good, and this is what "auto" became."""

    hyperparameters: Hyperparameters


class Saved(msgspec.Struct, kw_only=True, frozen=True, tag="saved"):
    """The checkpoint of a step is in the job's folder."""

    step: Step


class Finished(msgspec.Struct, kw_only=True, frozen=True, tag="finished"):
    trained_tokens: int


class Stopped(msgspec.Struct, kw_only=True, frozen=True, tag="stopped"):
    """The job cannot go on."""

    code: str
    message: str
    param: str | None


Report = Resolved | Step | Saved | Finished | Stopped


class _Refused(Exception):
    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.stopped = Stopped(code=f"invalid_{param}", message=message, param=param)


def checkpoint_path(folder: Path, step: int) -> Path:
    return folder / f"step-{step}.npz"


def train(spec: TrainSpec) -> Iterator[Report]:
    """Runs the job as its reports are consumed. The result file is complete when the last one comes."""
    base = find_base_model(spec.base_model)
    if base is None:
        yield Stopped(code="model_not_found", message=f"Unknown base model {spec.base_model}", param="model")
        return
    try:
        examples = _read(spec.training_path, "training_file", MIN_EXAMPLES)
        validation = _read(spec.validation_path, "validation_file", 1) if spec.validation_path else []
    except _Refused as refused:
        yield refused.stopped
        return
    hyper = resolve(
        base,
        n_examples=len(examples),
        n_epochs=spec.n_epochs,
        batch_size=spec.batch_size,
        learning_rate_multiplier=spec.learning_rate_multiplier,
    )
    yield Resolved(hyperparameters=hyper)
    folder = Path(spec.folder)
    training = Training(base, examples, validation, hyper, spec.seed)
    stopped: Stopped | None = None
    with (folder / RESULT_FILE).open("w", newline="") as results:
        table = csv.writer(results, lineterminator="\n")
        table.writerow(_COLUMNS)
        for step in training.steps():
            table.writerow([_cell(getattr(step, column)) for column in _COLUMNS])
            stopped = _find_stop(step, spec.fail_after_steps)
            if stopped:
                break
            yield step
            if step.ends_epoch:
                training.network.save(checkpoint_path(folder, step.step))
                yield Saved(step=step)
            time.sleep(spec.step_delay_s)
    if stopped:
        yield stopped
        return
    n_tokens = sum(count_tokens(example.prompt) + len(tokens(example.answer)) for example in examples)
    yield Finished(trained_tokens=n_tokens * hyper.n_epochs)


def _find_stop(step: Step, fail_after_steps: int | None) -> Stopped | None:
    if not math.isfinite(step.train_loss):
        message = f"The training loss became {step.train_loss} at step {step.step} of {step.n_steps}"
        return Stopped(code="training_diverged", message=message, param=None)
    if fail_after_steps is not None and step.step > fail_after_steps:
        return Stopped(code="server_error", message="The job failed due to an internal error", param=None)
    return None


def _read(path: str, param: str, at_least: int) -> list[Example]:
    try:
        examples, n_lines = read_examples(Path(path).read_bytes())
    except BadFile as error:
        raise _Refused(param, str(error)) from None
    except FileNotFoundError:
        raise _Refused(param, f"The {param.replace('_', ' ')} no longer exists") from None
    if n_lines < at_least or not examples:
        message = f"The {param.replace('_', ' ')} has {n_lines} example(s), but must have at least {at_least}"
        raise _Refused(param, message)
    return examples


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    if math.isnan(value):
        return "NaN"
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _obey_input(going: threading.Event) -> None:
    """`p` pauses, `r` resumes, the end of input ends the process."""
    while order := os.read(0, 1):
        if order == b"p":
            going.clear()
        elif order == b"r":
            going.set()
    os._exit(1)


def main() -> None:
    with open(0, "rb", buffering=0, closefd=False) as unbuffered:
        spec = msgspec.json.decode(unbuffered.readline(), type=TrainSpec)
    going = threading.Event()
    going.set()
    threading.Thread(target=_obey_input, args=(going,), daemon=True).start()
    encoder = msgspec.json.Encoder()
    for report in train(spec):
        sys.stdout.buffer.write(encoder.encode(report) + b"\n")
        sys.stdout.buffer.flush()
        going.wait()


if __name__ == "__main__":
    main()
