"""Attribution: how two runs really differ, and whether a result may be credited to one change (evidence, section 3)."""

import math
from typing import Literal, get_args

import msgspec

from whatnext_service.core.advice import Overrides
from whatnext_service.core.lineage import VARIABLES, changed_variables
from whatnext_service.core.runs import EffectiveConfig, Run, RunConfig, Variable

_Unasked = Literal["base_model_snapshot", "validation_sha256", "n_steps", "seed"]
_UNASKED: tuple[_Unasked, ...] = get_args(_Unasked)
Fact = Literal[Variable, _Unasked]
"""What can differ between two trainings: the variables, and the facts that follow them unasked."""


STEPS_TOLERANCE = 0.1
"""Steps that differ by less count as equal: a tenth is less than any change of epochs or rate the method makes."""


class Resolved(msgspec.Struct, kw_only=True, frozen=True):
    """What the provider reports of a job: the values it put in place of `auto`."""

    base_model_snapshot: str | None = None
    n_epochs: int | None = None
    learning_rate_multiplier: float | None = None
    batch_size: int | None = None
    n_steps: int | None = None
    seed: int | None = None


class SeparatingRun(msgspec.Struct, kw_only=True, frozen=True):
    """The cheapest run that tells two entangled changes apart."""

    parent_run_id: str
    overrides: Overrides
    statement: str


class EffectiveDifference(msgspec.Struct, kw_only=True, frozen=True):
    """How run `b` really differs from run `a`."""

    variables: tuple[Variable, ...]
    """What was asked to differ, and does."""
    hidden: tuple[Fact, ...]
    """What differs though nobody asked for it."""
    not_taken: tuple[Variable, ...]
    """What was asked to differ and does not (hazards f)."""
    unknown: tuple[Fact, ...]
    """What cannot be compared, because one of the runs does not tell."""
    separating: SeparatingRun | None
    """Null when a single difference leaves nothing to separate, or no one run can separate them."""

    @property
    def confounded(self) -> bool:
        """More than one difference: no credit to any of them (evidence 3)."""
        return len(self.variables) + len(self.hidden) > 1

    @property
    def systematic(self) -> tuple[Fact, ...]:
        """The differences that can move a score one way: all but the seed, which is noise, and the validation file,
        which no score depends on.
        """
        return tuple(fact for fact in (*self.variables, *self.hidden) if fact not in ("seed", "validation_sha256"))


def effective_config(
    config: RunConfig,
    resolved: Resolved,
    *,
    dataset_sha256: str | None,
    validation_sha256: str | None,
    n_examples: int | None,
) -> EffectiveConfig:
    """What trained, from the request, the provider's report and the dataset; the report wins over the request.

    Steps are the provider's count, else ceil(examples / batch) x epochs (evidence 3).
    """
    n_epochs = resolved.n_epochs or config.n_epochs
    batch_size = resolved.batch_size or config.batch_size
    n_steps = resolved.n_steps
    if n_steps is None and n_epochs and batch_size and n_examples is not None:
        n_steps = math.ceil(n_examples / batch_size) * n_epochs
    return EffectiveConfig(
        base_model_snapshot=resolved.base_model_snapshot,
        dataset_sha256=dataset_sha256,
        validation_sha256=validation_sha256,
        n_examples=n_examples,
        n_epochs=n_epochs,
        learning_rate_multiplier=resolved.learning_rate_multiplier or config.learning_rate_multiplier,
        batch_size=batch_size,
        n_steps=n_steps,
        seed=config.seed if resolved.seed is None else resolved.seed,
    )


def resolved_config(run: Run) -> RunConfig:
    """The run's request with `auto` replaced by what the provider chose, and without a seed."""
    known = run.effective
    if known is None:
        return msgspec.structs.replace(run.config, seed=None)
    return msgspec.structs.replace(
        run.config,
        n_epochs=known.n_epochs or run.config.n_epochs,
        learning_rate_multiplier=known.learning_rate_multiplier or run.config.learning_rate_multiplier,
        batch_size=known.batch_size or run.config.batch_size,
        seed=None,
    )


def effective_difference(a: Run, b: Run) -> EffectiveDifference:
    """Compare what really trained: dataset hash, base snapshot, resolved values, steps, seed, validation file.

    A dataset or an `auto` batch size that silently changes the number of steps by more than a tenth is a second
    variable (evidence 3); steps that follow from asked-for epochs or batch size are not.
    """
    found = _differences(a, b)
    return msgspec.structs.replace(found, separating=_separating(a, b, found.variables, found.hidden))


def systematic_difference(a: Run, b: Run) -> tuple[Fact, ...]:
    """The systematic part of `effective_difference` alone, for a table of a thousand runs."""
    return _differences(a, b).systematic


def _differences(a: Run, b: Run) -> EffectiveDifference:
    one, other = resolved_config(a), resolved_config(b)
    asked = changed_variables(a.config, b.config)
    differs = set(changed_variables(one, other)) - {"dataset_version_id"}
    if _dataset_differs(a, b):
        differs.add("dataset_version_id")
    variables = tuple[Variable, ...](name for name in asked if name in differs)
    hidden: list[Fact] = [name for name in VARIABLES if name in differs and name not in asked]
    unknown: list[Fact] = []
    for name in ("n_epochs", "learning_rate_multiplier", "batch_size"):
        left, right = getattr(one, name), getattr(other, name)
        half_known = (left is None) != (right is None)
        if half_known or (left is None and not _same_defaults(a, b)):
            unknown.append(name)
    variables = tuple[Variable, ...](name for name in variables if name not in unknown)
    hidden = [name for name in hidden if name not in unknown]
    for fact in _UNASKED:
        left, right = _known(a, fact), _known(b, fact)
        follows = fact == "n_steps" and ("n_epochs" in differs or "batch_size" in variables)
        if follows or (fact == "base_model_snapshot" and "base_model" in asked):
            continue
        if left is None or right is None:
            if not (fact == "validation_sha256" and left == right):
                unknown.append(fact)
        elif left != right and not (fact == "n_steps" and _about_equal(left, right)):
            hidden.append(fact)
    return EffectiveDifference(
        variables=variables,
        hidden=tuple(hidden),
        not_taken=tuple(name for name in asked if name not in differs and name not in unknown),
        unknown=tuple(unknown),
        separating=None,
    )


def _about_equal(steps: str | int, other: str | int) -> bool:
    least, most = sorted((float(steps), float(other)))
    return most <= least * (1.0 + STEPS_TOLERANCE)


def _separating(a: Run, b: Run, variables: tuple[Variable, ...], hidden: tuple[Fact, ...]) -> SeparatingRun | None:
    if len(variables) + len(hidden) < 2:
        return None
    one, other = resolved_config(a), resolved_config(b)
    for fact in ("learning_rate_multiplier", "batch_size", "n_epochs"):
        if fact in hidden and (value := getattr(one, fact)) is not None:
            pinned = msgspec.structs.replace(Overrides(), **{fact: value})
            return _run(b, pinned, f"Repeat {b.name} with {fact} pinned to {value}, the value {a.name} trained with.")
    if "n_steps" in hidden and (epochs := _epochs_for_equal_steps(a, b)) is not None:
        return _run(
            b,
            Overrides(n_epochs=epochs),
            f"Train {b.name}'s configuration for {epochs} epochs: as many steps as {a.name}.",
        )
    if "base_model_snapshot" in hidden:
        return _run(a, Overrides(seed=a.config.seed), f"Repeat {a.name} on the snapshot that {b.name} trained from.")
    if len(variables) < 2:
        if "seed" in hidden and (seed := _known(a, "seed")) is not None:
            return _run(b, Overrides(seed=int(seed)), f"Repeat {b.name} with the seed of {a.name}.")
        return None
    cheapest = min(variables, key=lambda name: (_work(a, b, name), variables.index(name)))
    value = getattr(other, cheapest)
    if value is None:
        return None
    single = msgspec.structs.replace(Overrides(), **{cheapest: value})
    return _run(a, single, f"Train {a.name}'s configuration with {cheapest} alone changed to {str(value)[:64]}.")


def _run(parent: Run, overrides: Overrides, statement: str) -> SeparatingRun:
    return SeparatingRun(parent_run_id=parent.id, overrides=overrides, statement=statement)


def _work(a: Run, b: Run, name: Variable) -> int:
    """Examples x epochs of `a` with one variable taken from `b`: what the separating run costs, up to the price."""
    examples = (b if name == "dataset_version_id" else a).effective
    epochs = getattr(resolved_config(b if name == "n_epochs" else a), "n_epochs", None)
    return (examples.n_examples if examples and examples.n_examples else 1) * (epochs or 1)


def _epochs_for_equal_steps(a: Run, b: Run) -> int | None:
    """Epochs that bring `b` closest to the steps of `a`; null when unknown or when they are already its epochs."""
    if a.effective is None or b.effective is None:
        return None
    steps, own_steps, own_epochs = a.effective.n_steps, b.effective.n_steps, b.effective.n_epochs
    if not steps or not own_steps or not own_epochs:
        return None
    epochs = max(1, round(steps * own_epochs / own_steps))
    return epochs if epochs != own_epochs else None


def _known(run: Run, fact: _Unasked) -> str | int | None:
    if run.effective is not None and (value := getattr(run.effective, fact)) is not None:
        known: str | int = value
        return known
    return run.config.seed if fact == "seed" else None


def _same_defaults(a: Run, b: Run) -> bool:
    """Two unresolved `auto` values are taken as equal only for the same model, provider and data."""
    return a.provider == b.provider and a.config.base_model == b.config.base_model and not _dataset_differs(a, b)


def _dataset_differs(a: Run, b: Run) -> bool:
    left = a.effective.dataset_sha256 if a.effective else None
    right = b.effective.dataset_sha256 if b.effective else None
    if left is None or right is None:
        return a.config.dataset_version_id != b.config.dataset_version_id
    return left != right
