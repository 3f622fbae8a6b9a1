"""What a loop has trained already, so that nothing is advised twice (evidence 7)."""

from collections import defaultdict
from collections.abc import Iterable

from whatnext_service.core.attribution import resolved_config
from whatnext_service.core.lineage import variables_of
from whatnext_service.core.runs import Run, RunConfig


class Tried:
    """Runs by their learning rate, as asked for and as the provider resolved it: few runs share one."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._by_rate: defaultdict[float | None, list[Run]] = defaultdict(list)
        for run in runs:
            asked, known = run.config.learning_rate_multiplier, run.effective
            self._by_rate[asked].append(run)
            if known is not None and known.learning_rate_multiplier != asked:
                self._by_rate[known.learning_rate_multiplier].append(run)

    def __contains__(self, config: RunConfig) -> bool:
        """Whether a run trained this configuration, as asked for or as resolved, whatever the seed."""
        wanted = variables_of(config)
        return any(
            variables_of(run.config) == wanted
            or (run.effective is not None and variables_of(resolved_config(run)) == wanted)
            for run in self._by_rate.get(config.learning_rate_multiplier, ())
            if run.config.base_model == config.base_model and run.config.dataset_version_id == config.dataset_version_id
        )
