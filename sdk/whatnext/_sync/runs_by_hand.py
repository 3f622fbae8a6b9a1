# Generated from _async/runs_by_hand.py; do not edit.
# ruff: noqa
"""What `client.runs` and `client.evaluations` have besides their operations."""

from collections.abc import Callable
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
        operation = Operation("GET", "/v1/runs/{run_id}", models.Run)
        for found in changes(self._client.transport, operation, run, timeout_s=timeout_s):
            if found is None:
                continue
            last = found
            if on_progress is not None:
                on_progress(run_progress(found, self._client.runs.metrics(found.id, max_points=4)))
            if found.status in ENDED:
                return found
        raise WaitTimeoutError(f"{last.name if last else run} has not ended within {timeout_s:g} s", last)


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
        operation = Operation("GET", "/v1/evaluations/{evaluation_id}", models.Evaluation)
        for found in changes(self._client.transport, operation, evaluation, timeout_s=timeout_s):
            if found is None:
                continue
            last = found
            if on_progress is not None:
                on_progress(evaluation_progress(found))
            if found.status in ENDED:
                return found
        raise WaitTimeoutError(f"the evaluation has not ended within {timeout_s:g} s", last)
