"""Report a Hugging Face `Trainer` to a run while it trains. Transformers itself is not imported.

from whatnext.integrations.transformers import WhatnextCallback

with WhatnextCallback("support-bot/R3") as callback:
    Trainer(..., callbacks=[callback]).train()
"""

import logging
import math
from collections.abc import Callable, Mapping
from numbers import Real
from types import TracebackType
from typing import Any, Self

from whatnext._operation import Ref
from whatnext.errors import WhatnextError
from whatnext.sync import Client

LOG = logging.getLogger("whatnext")
BOOKKEEPING = ("_runtime", "_per_second", "total_flos", "num_input_tokens_seen")
"""How names of what says nothing about learning end."""
FLUSH_S = 30.0
MAX_FAILURE = 4000
"""Letters of a reason that the service keeps."""


class WhatnextCallback:
    """A TrainerCallback: logs metrics and checkpoints, and says when the run is running and when it has ended.

    `run` is an external run (its id, or `slug/R3`). A service that cannot be reached never stops the training:
    metrics wait on disk, the rest is logged as a warning. Only the main process reports. Used in `with`, a training
    that breaks off is reported as failed; without it, the Trainer tells nobody.
    """

    def __init__(self, run: Ref, client: Client | None = None, *, checkpoints: bool = True) -> None:
        self._run = run
        self._client = client or Client()
        self._checkpoints = checkpoints
        self._reports = False
        self._last: dict[str, float] = {}

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """The run is running."""
        self._reports = bool(state.is_world_process_zero)
        self._report(lambda: self._client.runs.update(self._run, status="running"))

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **others: Any) -> None:
        """Metrics, under the Trainer's names; the summary at the end is no point of the curve."""
        if logs is None or {"train_runtime", "train_loss"} <= logs.keys():
            return
        values = {
            name: float(value)
            for name, value in logs.items()
            if isinstance(value, Real) and not name.endswith(BOOKKEEPING)
        }
        self._last |= {name: value for name, value in values.items() if math.isfinite(value)}
        self._report(lambda: self._client.runs.log(self._run, values, step=state.global_step))

    def on_save(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """A checkpoint, by the folder that the Trainer wrote."""
        if not self._checkpoints:
            return
        epoch = float(state.epoch) if state.epoch is not None else 0.5
        self._report(
            lambda: self._client.runs.add_checkpoint(
                self._run,
                step=state.global_step,
                epoch=int(epoch) if epoch.is_integer() else None,
                model=f"{args.output_dir}/checkpoint-{state.global_step}",
                train_loss=self._last.get("loss"),
                full_valid_loss=self._last.get("eval_loss"),
                full_valid_mean_token_accuracy=self._last.get("eval_mean_token_accuracy"),
            )
        )

    def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Everything has arrived, and the run has succeeded."""
        self._report(lambda: self._client.runs.flush(timeout_s=FLUSH_S))
        self._report(lambda: self._client.runs.update(self._run, status="succeeded"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            failure = f"{type(error).__name__}: {error}"[:MAX_FAILURE]
            self._report(lambda: self._client.runs.flush(timeout_s=FLUSH_S))
            self._report(lambda: self._client.runs.update(self._run, status="failed", failure=failure))

    def __getattr__(self, name: str) -> Any:
        """Events that say nothing to the service."""
        if name.startswith("on_"):
            return _nothing
        raise AttributeError(name)

    def _report(self, report: Callable[[], object]) -> None:
        if self._reports:
            try:
                report()
            except (WhatnextError, OSError) as error:
                LOG.warning("%s", error)


def _nothing(*_: Any, **__: Any) -> None:
    return None
