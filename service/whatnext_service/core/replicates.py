"""Which runs repeat one another: the same effective configuration, another seed (evidence 1 and 3)."""

from collections.abc import Iterable
from operator import attrgetter
from typing import TypeAlias

from whatnext_service.core.lineage import OWN_VARIABLES
from whatnext_service.core.runs import Run

MAX_GROUPS = 8
"""Groups that the seed's noise is measured by, the newest: more of them would hardly sharpen it."""

MAX_RUNS = 32
"""Runs of a group that are looked at, the newest."""

Scored: TypeAlias = tuple[Run, bytes]
Key: TypeAlias = tuple[float | str | None, ...]
_method_and_own = attrgetter("method", *(name for _, names in OWN_VARIABLES for name in names))


def replicate_groups(newest_first: Iterable[Scored]) -> tuple[tuple[bytes, ...], ...]:
    """The packed scores of runs that repeat one another, group by group, the newest first.

    A seed that is known to be the same again repeats nothing: it gives the same model. Rate, epochs, data and base
    model tell apart most runs at little cost, and only those that they do not are looked at closely.
    """
    seen: dict[Key, Scored] = {}
    alike: dict[tuple[Key, Key], list[Scored]] = {}
    repeated: dict[tuple[Key, Key], tuple[bytes, ...]] = {}
    for each in newest_first:
        gist = _gist(each[0])
        if (first := seen.setdefault(gist, each)) is each:
            continue
        place = gist, _rest(each[0])
        members = alike.setdefault(place, [])
        if not members and _rest(first[0]) == place[1]:
            members.append(first)
        if len(members) == MAX_RUNS:
            continue
        members.append(each)
        if len(group := _other_seeds(members)) > 1:
            repeated[place] = group
            if len(repeated) == MAX_GROUPS:
                break
    return tuple(repeated.values())


def _gist(run: Run) -> Key:
    config, known = run.config, run.effective
    if known is None:
        return config.learning_rate_multiplier, config.n_epochs, config.dataset_version_id, config.base_model
    return (
        known.learning_rate_multiplier or config.learning_rate_multiplier,
        known.n_epochs or config.n_epochs,
        known.dataset_sha256 or config.dataset_version_id,
        config.base_model,
    )


def _rest(run: Run) -> Key:
    """What else must be the same: the other variables, as they were resolved, and the snapshot trained from."""
    known = run.effective
    if known is None:
        return (run.config.batch_size, None, *_method_and_own(run.config))
    return (known.batch_size or run.config.batch_size, known.base_model_snapshot, *_method_and_own(run.config))


def _other_seeds(members: list[Scored]) -> tuple[bytes, ...]:
    """The scores of the members, one for each seed; seeds that nobody knows are taken to differ."""
    seeds: set[int] = set()
    kept = []
    for run, scores in members:
        known = run.effective
        seed = run.config.seed if known is None or known.seed is None else known.seed
        if seed is None or seed not in seeds:
            kept.append(scores)
        if seed is not None:
            seeds.add(seed)
    return tuple(kept)
