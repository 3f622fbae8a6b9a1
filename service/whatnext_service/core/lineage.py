"""Lineage: which one variable a run changes against its parent (method, section 1)."""

from collections.abc import Callable
from itertools import compress
from operator import attrgetter, ne
from typing import get_args

import msgspec

from whatnext_service.core.advice import Overrides, Value
from whatnext_service.core.loops import Method
from whatnext_service.core.runs import RunConfig, Variable
from whatnext_service.errors import DomainError, FieldError

VARIABLES: tuple[Variable, ...] = get_args(Variable)
variables_of: Callable[[RunConfig], tuple[Value, ...]] = attrgetter(*VARIABLES)
"""A configuration's values in the order of `VARIABLES`: all of it but the seed."""
OWN_VARIABLES: tuple[tuple[Method, tuple[Variable, ...]], ...] = (
    ("dpo", ("beta", "l2_multiplier")),
    ("rft", ("compute_multiplier", "reasoning_effort", "eval_interval", "eval_samples", "grader")),
)
"""Variables that only one training method knows."""


def apply_overrides(parent: RunConfig, overrides: Overrides) -> RunConfig:
    """The child's configuration: the parent's with the given values; absent ones are inherited, the seed too.

    A change of method drops the old method's own variables, which the new one does not know.
    """
    given = {name: value for name in overrides.__struct_fields__ if (value := getattr(overrides, name)) is not None}
    if overrides.method is not None and overrides.method != parent.method:
        foreign = (name for method, names in OWN_VARIABLES if method != overrides.method for name in names)
        given = dict.fromkeys(foreign) | given
    return msgspec.structs.replace(parent, **given)


def changed_variables(parent: RunConfig, child: RunConfig) -> tuple[Variable, ...]:
    """What the child changes, in the order of `Variable`; a change of seed alone changes nothing (a repeat).

    A method's own variables come and go with it and are not counted beside a change of method (method, 6.4).
    """
    before, after = variables_of(parent), variables_of(child)
    if before == after:
        return ()
    changed = tuple[Variable, ...](compress(VARIABLES, map(ne, before, after)))
    if "method" not in changed:
        return changed
    own = {name for _, names in OWN_VARIABLES for name in names}
    return tuple[Variable, ...](name for name in changed if name not in own)


def is_repeat(parent: RunConfig, child: RunConfig) -> bool:
    """Whether the child asks for the parent's training again, whatever its seed."""
    if parent.learning_rate_multiplier != child.learning_rate_multiplier or parent.n_epochs != child.n_epochs:
        return False
    return parent == (child if child.seed == parent.seed else msgspec.structs.replace(child, seed=parent.seed))


def check_one_variable(
    parent: RunConfig,
    child: RunConfig,
    allow_confounded: bool,
    *,
    dataset_methods: tuple[Method, Method] | None = None,
) -> tuple[Variable, ...]:
    """Refuse a run that changes more than one variable against its parent (method 1: the iron rule).

    `dataset_methods` are the methods that the rows of the parent's and the child's dataset version are formatted
    for: where they differ just as the methods do, the other version is the same change as the method.
    Returns the changed variables; more than one only when `allow_confounded`.
    """
    changed = changed_variables(parent, child)
    if "method" in changed and dataset_methods == (parent.method, child.method):
        changed = tuple[Variable, ...](name for name in changed if name != "dataset_version_id")
    if len(changed) > 1 and not allow_confounded:
        told = [f"{name} ({_shown(getattr(parent, name))} to {_shown(getattr(child, name))})" for name in changed]
        raise DomainError(
            "confounded_change",
            f"The run changes {len(changed)} variables against its parent: {', '.join(told)}. "
            "Change one of them, or set allow_confounded and attribute nothing to the result.",
            errors=tuple(
                FieldError(pointer=f"/overrides/{name}", message="one of several changed variables") for name in changed
            ),
        )
    return changed


def _shown(value: str | int | float | None) -> str:
    if value is None:
        return "auto"
    return value if len(text := str(value)) <= 64 and isinstance(value, str) else text[:64]
