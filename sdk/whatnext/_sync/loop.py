# Generated from _async/loop.py; do not edit.
# ruff: noqa
"""A loop that can act: what `client.loops` answers with."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from whatnext import models
from whatnext._progress import Progress, Step
from whatnext.errors import WhatnextError

if TYPE_CHECKING:
    from whatnext.sync import Client


class Loop(models.Loop, kw_only=True, frozen=True):
    """One fine-tuning goal that is being iterated on, and what can be asked of it."""

    def next(self) -> models.Answer:
        """What next?"""
        return self._bound().loops.next(self.id)

    def history(self) -> models.History:
        """The experiment table."""
        return self._bound().loops.history(self.id)

    def follow(
        self,
        *,
        timeout_s: float | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        approve: Callable[[models.Answer], bool] | None = None,
    ) -> Iterator[Step]:
        """Drive the loop; see `client.loops.follow`.

        >>> loop = client.loops.get("support-bot")
        >>> for step in loop.follow():
        ...     print(step.kind, "-", step.headline)
        start_run - Train again with learning-rate multiplier 0.5.
        ship - Ship R2.
        """
        steps = self._bound().loops.follow(self.id, timeout_s=timeout_s, on_progress=on_progress, approve=approve)
        for step in steps:
            yield step

    def _bound(self) -> "Client":
        client: Client | None = self.__dict__.get("_client")
        if client is None:
            raise WhatnextError("this loop did not come from a client")
        return client
