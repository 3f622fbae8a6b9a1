# Generated from _async/runs_by_hand.py; do not edit.
# ruff: noqa
"""What `client.runs` and `client.evaluations` have besides their operations."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from whatnext import models
from whatnext._operation import Operation, Ref
from whatnext._progress import ENDED, Progress, evaluation_progress, run_progress
from whatnext._sync.waiting import changes
from whatnext.errors import WaitTimeoutError

if TYPE_CHECKING:
    from whatnext.sync import Client


class RunsByHand:
    """Waiting for runs, and logging to them."""

    _client: "Client"

    def wait(
        self, run: Ref, *, timeout_s: float | None = None, on_progress: Callable[[Progress], object] | None = None
    ) -> models.Run:
        """The run when it has ended, however it has; WaitTimeoutError at `timeout_s`, its `last` the run then.

        >>> client.runs.wait("run_1", timeout_s=600).status
        'succeeded'
        """
        last: models.Run | None = None
        operation = Operation("runs.get", "GET", "/v1/runs/{run_id}", models.Run)
        for found in changes(self._client.transport, operation, run, timeout_s=timeout_s):
            if found is None:
                continue
            last = found
            if on_progress is not None:
                on_progress(run_progress(found, self._client.runs.metrics(found.id, max_points=4)))
            if found.status in ENDED:
                return found
        raise WaitTimeoutError(f"{last.name if last else run} has not ended within {timeout_s:g} s", last)

    def log(self, run: Ref, values: Mapping[str, float] | None = None, /, *, step: int, **named: float) -> None:
        """Log metrics of an external run: kept on disk at once, sent in the background within seconds.

        Names that are no Python names go in `values`. The same name and step again replaces the value. A dying
        process, or a service that is down, loses nothing: what is unsent is sent by the next client that logs with
        the same key. Call `flush()` or close the client to be sure it has arrived.

        >>> client.runs.log("run_1", step=10, train_loss=0.41)
        >>> client.runs.log("run_1", {"eval/loss": 0.52}, step=10)
        >>> client.runs.flush()
        """
        self._client.metrics_writer().add(run, step, {**(values or {}), **named})

    def flush(self, *, timeout_s: float | None = None) -> None:
        """Wait until everything logged has arrived; raises why points were refused, if any were."""
        self._client.metrics_writer().flush(timeout_s)


class EvaluationsByHand:
    """Waiting for evaluations."""

    _client: "Client"

    def wait(
        self,
        evaluation: Ref,
        *,
        timeout_s: float | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> models.Evaluation:
        """The evaluation when it has ended, however it has; WaitTimeoutError at `timeout_s`.

        >>> client.evaluations.wait("eval_1", timeout_s=600).status
        'succeeded'
        """
        last: models.Evaluation | None = None
        operation = Operation("evaluations.get", "GET", "/v1/evaluations/{evaluation_id}", models.Evaluation)
        for found in changes(self._client.transport, operation, evaluation, timeout_s=timeout_s):
            if found is None:
                continue
            last = found
            if on_progress is not None:
                on_progress(evaluation_progress(found))
            if found.status in ENDED:
                return found
        raise WaitTimeoutError(f"the evaluation has not ended within {timeout_s:g} s", last)
