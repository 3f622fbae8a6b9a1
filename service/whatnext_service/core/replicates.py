"""Which runs repeat one another: the same effective configuration, another seed (evidence 1 and 3)."""

from collections.abc import Sequence

from whatnext_service.core.advice import Value
from whatnext_service.core.attribution import same_source, settings
from whatnext_service.core.runs import Run


def replicate_groups(scored: Sequence[tuple[Run, bytes]]) -> tuple[tuple[bytes, ...], ...]:
    """The packed scores of runs that repeat one another, group by group: equal in all but the seed, the dataset
    compared by content.

    A seed that is known to be the same again repeats nothing: it gives the same model.
    """
    alike: dict[tuple[Value, ...], list[tuple[int, Run, bytes]]] = {}
    for place, (run, scores) in enumerate(scored):
        if scores:
            alike.setdefault(settings(run), []).append((place, run, scores))
    groups: list[tuple[int, tuple[bytes, ...]]] = []
    for left in alike.values():
        while len(left) > 1:
            place, first, _ = left[0]
            members = [each for each in left if each[1] is first or same_source(first, each[1])]
            taken = {each[0] for each in members}
            left = [each for each in left if each[0] not in taken]
            seeds = [_seed(run) for _, run, _ in members]
            kept = tuple(
                scores for n, (_, _, scores) in enumerate(members) if seeds[n] is None or seeds[n] not in seeds[:n]
            )
            if len(kept) > 1:
                groups.append((place, kept))
    return tuple(kept for _, kept in sorted(groups))


def _seed(run: Run) -> int | None:
    known = run.effective.seed if run.effective is not None else None
    return run.config.seed if known is None else known
