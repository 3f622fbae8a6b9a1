"""What a loop has trained already, so that nothing is advised twice (evidence 7)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from whatnext_service.core.attribution import resolved_config
from whatnext_service.core.lineage import variables_of
from whatnext_service.core.runs import Run, RunConfig


class Tried:
    """Runs by their learning rate, as asked for and as the provider resolved it: few runs share one."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._first: dict[float | None, Run] = {}
        self._others: defaultdict[float | None, list[Run]] = defaultdict(list)
        first, others = self._first, self._others
        for run in runs:
            asked, known = run.config.learning_rate_multiplier, run.effective
            if first.setdefault(asked, run) is not run:
                others[asked].append(run)
            if known is None or (resolved := known.learning_rate_multiplier) == asked:
                continue
            if first.setdefault(resolved, run) is not run:
                others[resolved].append(run)

    def runs_of(self, config: RunConfig) -> Iterator[Run]:
        """The runs that trained this configuration, as asked for or as resolved, whatever the seed."""
        rate, wanted = config.learning_rate_multiplier, variables_of(config)
        if (first := self._first.get(rate)) is None:
            return
        for run in (first, *self._others.get(rate, ())):
            asked, known = run.config, run.effective
            if asked.base_model != config.base_model or asked.dataset_version_id != config.dataset_version_id:
                continue
            if variables_of(asked) == wanted or (known is not None and variables_of(resolved_config(run)) == wanted):
                yield run

    def __contains__(self, config: RunConfig) -> bool:
        return any(run.status != "cancelled" for run in self.runs_of(config))

    def shares_rate(self, run: Run) -> bool:
        """Whether another run has this run's learning rate, so that the two may repeat one another."""
        asked, known = run.config.learning_rate_multiplier, run.effective
        return (asked if known is None else known.learning_rate_multiplier or asked) in self._others
