"""The data levers: which versions of the training dataset are better than which (method 6.1)."""

from typing import Literal

import msgspec

from whatnext_service.core.state import DatasetVersion, DerivationKind

CLEANING = ("drop_duplicates", "drop_contradictions", "fix_contradictions", "keep_by_score", "drop_ids")
ENLARGED = 1.2
"""Growth below a fifth is not counted as an enlargement."""

DataLever = Literal["clean", "enlarge", "clean_and_enlarge"]


class DataMove(msgspec.Struct, kw_only=True, frozen=True):
    """A version worth training on instead of another one."""

    version: DatasetVersion
    lever: DataLever


def find_version(versions: tuple[DatasetVersion, ...], version_id: str) -> DatasetVersion | None:
    """The version with this id, if the loop has it."""
    return next((version for version in versions if version.id == version_id), None)


def origins(version: DatasetVersion, versions: tuple[DatasetVersion, ...]) -> frozenset[str]:
    """Ids of the versions that this one was made from, directly or through others."""
    seen: set[str] = set()
    parent_id = version.parent_id
    while parent_id is not None and parent_id not in seen:
        seen.add(parent_id)
        parent = find_version(versions, parent_id)
        parent_id = None if parent is None else parent.parent_id
    return frozenset(seen)


def steps_since_added(version: DatasetVersion, versions: tuple[DatasetVersion, ...]) -> frozenset[DerivationKind]:
    """The steps by which the version came from the last one that examples were uploaded or added to."""
    steps: set[DerivationKind] = set()
    seen: set[str] = set()
    here: DatasetVersion | None = version
    while here is not None and here.id not in seen:
        steps.update(here.derived_by)
        if "add_examples" in here.derived_by or here.parent_id is None:
            break
        seen.add(here.id)
        here = find_version(versions, here.parent_id)
    return frozenset(steps)


def cleaned(version: DatasetVersion, versions: tuple[DatasetVersion, ...]) -> bool:
    """Whether every example has passed a cleaning: the version's last step was one, or nothing was added since."""
    seen: set[str] = set()
    here: DatasetVersion | None = version
    while here is not None and here.id not in seen:
        if any(step in CLEANING for step in here.derived_by):
            return True
        if "add_examples" in here.derived_by or here.parent_id is None:
            return False
        seen.add(here.id)
        here = find_version(versions, here.parent_id)
    return False


def data_moves(current: DatasetVersion, versions: tuple[DatasetVersion, ...]) -> tuple[DataMove, ...]:
    """Versions that are cleaner or larger than the current one: cleaned ones first, the largest of them first.

    Quality before quantity (method 6.1); cleaning gained 0.34 to 0.76 whatever the curve said (evidence 8). A larger
    version that nobody cleaned comes last, and never replaces a cleaned one.
    """
    is_clean = cleaned(current, versions)
    found: list[tuple[bool, int, int, DataMove]] = []
    for version in versions:
        if version.id == current.id or version.method != current.method:
            continue
        clean = cleaned(version, versions)
        larger = version.n_examples >= ENLARGED * current.n_examples
        if clean and not is_clean:
            lever: DataLever = "clean_and_enlarge" if larger else "clean"
        elif larger and clean == is_clean:
            lever = "enlarge"
        elif clean and version.parent_id == current.id:
            lever = "clean"
        else:
            continue
        found.append((not clean, -version.n_examples, version.number, DataMove(version=version, lever=lever)))
    return tuple(move for _, _, _, move in sorted(found, key=lambda each: each[:3]))


def revision(current: DatasetVersion, versions: tuple[DatasetVersion, ...]) -> DatasetVersion | None:
    """The newest version that somebody uploaded after this one, where nothing says whether it is better or worse.

    Null where it has more known contradictions, would leave a cleaned version behind, or is larger or smaller by a
    fifth.
    """
    newest = next((each for each in reversed(versions) if each.derived_by == ("upload",)), None)
    if newest is None or newest.number <= current.number or newest.method != current.method:
        return None
    if cleaned(current, versions) or (newest.n_contradictions or 0) > (current.n_contradictions or 0):
        return None
    alike = current.n_examples / ENLARGED < newest.n_examples < ENLARGED * current.n_examples
    return newest if alike else None
