"""Which runs repeat one another: the same effective configuration, another seed (evidence 1 and 3)."""

from collections.abc import Sequence

from whatnext_service.core.attribution import same_effective_configuration
from whatnext_service.core.runs import Run


def replicate_groups(scored: Sequence[tuple[Run, bytes]]) -> tuple[tuple[bytes, ...], ...]:
    """The packed scores of runs that repeat one another, group by group.

    A seed that is known to be the same again repeats nothing: it gives the same model.
    """
    left = [each for each in scored if each[1]]
    groups = []
    while len(left) > 1:
        first = left[0][0]
        members = [each for each in left if each[0] is first or same_effective_configuration(first, each[0])]
        left = [each for each in left if all(each is not member for member in members)]
        seeds = [_seed(run) for run, _ in members]
        kept = [scores for n, (_, scores) in enumerate(members) if seeds[n] is None or seeds[n] not in seeds[:n]]
        if len(kept) > 1:
            groups.append(tuple(kept))
    return tuple(groups)


def _seed(run: Run) -> int | None:
    known = run.effective.seed if run.effective is not None else None
    return run.config.seed if known is None else known
