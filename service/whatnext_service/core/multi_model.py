"""The multi-model strategy: the same dataset through two or three base models, all else equal (method, section 6.3)."""

from datetime import date

import msgspec

from whatnext_service.core.loops import Choices, Method
from whatnext_service.core.quick_sweep import SMALL_DATASET
from whatnext_service.core.runs import RunConfig
from whatnext_service.core.state import BaseModel, DatasetVersion
from whatnext_service.errors import DomainError, FieldError

MIN_MODELS, MAX_MODELS = 2, 3
FIRST, LARGE, FAST = "gpt-4.1-mini", "gpt-oss-20b", "gpt-4.1-nano"


class PlannedRun(msgspec.Struct, kw_only=True, frozen=True):
    """One run of the plan."""

    config: RunConfig
    reason: str


class MultiModelPlan(msgspec.Struct, kw_only=True, frozen=True):
    """Runs that differ in the base model alone."""

    runs: tuple[PlannedRun, ...]
    statement: str


def plan_multi_model(
    shared: RunConfig,
    version: DatasetVersion,
    catalogue: tuple[BaseModel, ...],
    choices: Choices,
    *,
    today: date,
    base_models: tuple[str, ...] | None = None,
    provider: str | None = None,
) -> MultiModelPlan:
    """One run for each of two or three models: gpt-4.1-mini first, gpt-oss-20b from 500 examples, gpt-4.1-nano for
    speed (method 6.3); with other models allowed, those of the catalogue in its order.

    `shared` is the configuration all runs have, its base model aside; `base_models` names them instead of the rule.
    Refuses a number outside 2 to 3, and a model outside the loop's choices.
    """
    names = (
        _named(base_models, choices) if base_models else _chosen(shared, version, catalogue, choices, today, provider)
    )
    if not MIN_MODELS <= len(names) <= MAX_MODELS:
        raise DomainError(
            "invalid_multi_model_plan",
            f"A multi-model plan compares {MIN_MODELS} to {MAX_MODELS} base models; {len(names)} are at hand.",
            errors=(FieldError(pointer="/base_models", message=f"{len(names)} usable base models"),),
        )
    known = {model.name: model for model in catalogue}
    runs = tuple(
        PlannedRun(
            config=msgspec.structs.replace(shared, base_model=name),
            reason=known[name].best_for if name in known else "named by the caller",
        )
        for name in names
    )
    return MultiModelPlan(
        runs=runs,
        statement=f"{version.name} ({version.n_examples} ex) through {', '.join(names)}, all else equal.",
    )


def is_trainable(model: BaseModel, method: Method, today: date) -> bool:
    """Whether a new job of the method is accepted today."""
    ends = min((day for day in (model.training_ends, model.retires) if day is not None), default=None)
    return method in model.methods and (ends is None or today <= ends)


def _named(base_models: tuple[str, ...], choices: Choices) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(base_models))
    outside = tuple(name for name in names if choices.base_models is not None and name not in choices.base_models)
    if outside:
        raise DomainError(
            "outside_choices",
            f"The loop's choices leave out {', '.join(outside)}.",
            errors=(FieldError(pointer="/base_models", message="outside the loop's choices"),),
        )
    return names


def _chosen(
    shared: RunConfig,
    version: DatasetVersion,
    catalogue: tuple[BaseModel, ...],
    choices: Choices,
    today: date,
    provider: str | None,
) -> tuple[str, ...]:
    usable = [
        model.name
        for model in catalogue
        if is_trainable(model, shared.method, today)
        and (choices.base_models is None or model.name in choices.base_models)
        and (model.min_examples is None or version.n_examples >= model.min_examples)
        and (provider is None or model.provider in (provider, "any"))
    ]
    unknown = [name for name in choices.base_models or () if name not in {model.name for model in catalogue}]
    second = [LARGE] if version.n_examples >= SMALL_DATASET else []
    preferred = [name for name in (shared.base_model, FIRST, *second, FAST) if name in usable]
    return tuple(dict.fromkeys((*preferred, *usable, *unknown)))[:MAX_MODELS]
