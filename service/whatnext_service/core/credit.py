"""Whether the difference of two runs may be credited to one change (method 1, evidence 3)."""

import msgspec

from whatnext_service.core.attribution import Fact, SeparatingRun, effective_difference
from whatnext_service.core.runs import Run, Variable
from whatnext_service.core.wording import variable_name


class Attribution(msgspec.Struct, kw_only=True, frozen=True):
    """How two runs really differ, and whether their difference may be credited to one change."""

    changed: tuple[Variable, ...]
    """What was asked to differ, and does."""
    unasked: tuple[Fact, ...]
    """What differs though nobody asked for it, the seed among it."""
    not_taken: tuple[Variable, ...]
    """What was asked to differ and does not."""
    unknown: tuple[Fact, ...]
    """What cannot be compared, because one of the runs does not tell."""
    confounded: bool
    """More than one difference that can move a score one way: nothing may be credited to any of them."""
    separating: SeparatingRun | None
    """The cheapest run that tells them apart; null when there is nothing to separate, or no one run can."""
    statement: str


def attribute(run: Run, reference: Run) -> Attribution:
    """Compare what really trained: of a single difference the result is evidence, of several it is of none."""
    found = effective_difference(reference, run)
    systematic = found.systematic
    told = " and ".join(map(in_words, systematic))
    known = ", as far as is known" if found.unknown else ""
    if len(systematic) > 1:
        statement = f"{run.name} differs from {reference.name} in {told}: nothing may be credited to any one of them."
    elif systematic:
        statement = f"{run.name} differs from {reference.name} in {told} alone{known}: the difference is its effect."
    else:
        statement = f"{run.name} trained what {reference.name} trained{known}: the difference is noise."
    if found.separating is not None and len(systematic) > 1:
        statement += f" {found.separating.statement}"
    return Attribution(
        changed=found.variables,
        unasked=found.hidden,
        not_taken=found.not_taken,
        unknown=found.unknown,
        confounded=len(systematic) > 1,
        separating=found.separating,
        statement=statement,
    )


def in_words(fact: Fact) -> str:
    """A variable, or a fact that follows one, for people."""
    match fact:
        case "n_steps":
            return "steps"
        case "validation_sha256":
            return "validation file"
        case "base_model_snapshot":
            return "base model snapshot"
        case "seed":
            return "seed"
        case _:
            return variable_name(fact)
