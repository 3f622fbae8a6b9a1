"""Report a Hugging Face `Trainer` to a run while it trains. Transformers itself is not imported.

from whatnext.integrations.transformers import WhatnextCallback

trainer = Trainer(..., callbacks=[WhatnextCallback("support-bot/R3")])
"""

import logging
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from whatnext._operation import Ref
from whatnext.errors import WhatnextError
from whatnext.sync import Client

LOG = logging.getLogger("whatnext")
NAMES = MappingProxyType(
    {
        "loss": "train_loss",
        "mean_token_accuracy": "train_mean_token_accuracy",
        "eval_loss": "full_valid_loss",
        "eval_mean_token_accuracy": "full_valid_mean_token_accuracy",
        "reward": "train_mean_reward",
        "eval_reward": "full_valid_mean_reward",
    }
)
"""What the Trainer calls a metric, and its name in the service."""
BOOKKEEPING = frozenset({"epoch", "total_flos", "num_input_tokens_seen"})
FLUSH_S = 30.0


class WhatnextCallback:
    """A TrainerCallback: logs metrics and checkpoints, and says when the run is running and when it has ended.

    `run` is an external run (its id, or `slug/R3`). A service that cannot be reached never stops the training:
    metrics wait on disk, the rest is logged as a warning. Only the main process reports.
    """

    def __init__(self, run: Ref, client: Client | None = None, *, checkpoints: bool = True) -> None:
        self._run = run
        self._client = client or Client()
        self._checkpoints = checkpoints
        self._last: dict[str, float] = {}

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """The run is running."""
        self._report(state, lambda: self._client.runs.update(self._run, status="running"))

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **others: Any) -> None:
        """Metrics, under the service's names; the summary at the end is no point of the curve."""
        if logs is None or "train_runtime" in logs or not state.is_world_process_zero:
            return
        values = {
            NAMES.get(name, name): float(value)
            for name, value in logs.items()
            if isinstance(value, int | float) and name not in BOOKKEEPING and not name.endswith(("_runtime", "_second"))
        }
        self._last |= {name: value for name, value in values.items() if math.isfinite(value)}
        self._report(state, lambda: self._client.runs.log(self._run, values, step=state.global_step))

    def on_save(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """A checkpoint, by the folder that the Trainer wrote."""
        if not self._checkpoints:
            return
        epoch = float(state.epoch) if state.epoch is not None else 0.5
        self._report(
            state,
            lambda: self._client.runs.add_checkpoint(
                self._run,
                step=state.global_step,
                epoch=int(epoch) if epoch.is_integer() else None,
                model=f"{args.output_dir}/checkpoint-{state.global_step}",
                train_loss=self._last.get("train_loss"),
                full_valid_loss=self._last.get("full_valid_loss"),
            ),
        )

    def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Everything has arrived, and the run has succeeded."""
        self._report(state, lambda: self._client.runs.flush(timeout_s=FLUSH_S))
        self._report(state, lambda: self._client.runs.update(self._run, status="succeeded"))

    def __getattr__(self, name: str) -> Any:
        """Events that say nothing to the service."""
        if name.startswith("on_"):
            return _nothing
        raise AttributeError(name)

    def _report(self, state: Any, report: Any) -> None:
        if state.is_world_process_zero:
            try:
                report()
            except WhatnextError as error:
                LOG.warning("%s", error)


def _nothing(*_: Any, **__: Any) -> None:
    return None
