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
        return was_trained(config, self._by_rate.get(config.learning_rate_multiplier, ()))


def was_trained(config: RunConfig, runs: Iterable[Run]) -> bool:
    """Whether one of the runs trained this configuration, as asked for or as resolved, whatever the seed.

    For a single configuration; `Tried` answers for many.
    """
    rate, wanted = config.learning_rate_multiplier, variables_of(config)
    for run in runs:
        asked, known = run.config, run.effective
        if asked.learning_rate_multiplier != rate and (known is None or known.learning_rate_multiplier != rate):
            continue
        if asked.base_model != config.base_model or asked.dataset_version_id != config.dataset_version_id:
            continue
        if variables_of(asked) == wanted or (known is not None and variables_of(resolved_config(run)) == wanted):
            return True
    return False
