"""What a loop may choose: the base models, and the allowed values of each variable."""

import math

import msgspec

from whatnext_service.core.catalogue import find_model
from whatnext_service.core.loops import Method, Range
from whatnext_service.core.multi_model import is_trainable
from whatnext_service.core.state import LoopState

LADDER = (0.1, 0.3, 0.5, 1.0, 1.5, 2.0)
"""The learning-rate multipliers the method names (method 6.2); decades of it below, a doubling above."""
_RUNGS = (
    *(round(value * scale, 6) for scale in (0.001, 0.01, 0.1) for value in (0.1, 0.3, 0.5)),
    *LADDER,
    *(3.0, 5.0, 10.0, 15.0, 20.0),
)
DEFAULT_RATE = Range(min=0.1, max=2.0)
DEFAULT_EPOCHS = Range(min=1, max=5)
DEFAULT_BATCH = Range(min=4, max=32)
"""Method 6.2: epochs 1-5, learning-rate multiplier 0.1-2.0, batch 4-32."""
_NEAR = 1.3
"""Rates closer than this factor are not worth a run of their own."""


class Limits(msgspec.Struct, kw_only=True, frozen=True):
    """The ranges in force for one base model: the loop's choices, else the catalogue's, else the method's."""

    learning_rate: Range
    epochs: Range
    batch: Range


def limits(state: LoopState, base_model: str) -> Limits:
    """The ranges a run on this base model must stay in."""
    choices = state.loop.choices
    model = find_model(state.catalogue, base_model)
    rate = DEFAULT_RATE if model is None else Range(min=model.learning_rate_min, max=model.learning_rate_max)
    epochs = DEFAULT_EPOCHS if model is None else Range(min=1, max=model.epochs_max)
    return Limits(
        learning_rate=choices.learning_rate_multiplier or rate,
        epochs=choices.n_epochs or epochs,
        batch=choices.batch_size or DEFAULT_BATCH,
    )


def within(allowed: Range, value: float) -> bool:
    """Whether a value lies in an inclusive range."""
    return allowed.min <= value <= allowed.max


def clamp(allowed: Range, value: float) -> float:
    """The nearest allowed value."""
    return min(max(value, allowed.min), allowed.max)


def rungs(allowed: Range) -> tuple[float, ...]:
    """The allowed learning rates of the ladder, lowest first, with the range's own ends where it has no rung near."""
    least, most = allowed.min, allowed.max
    found = [rung for rung in _RUNGS if least <= rung <= most]
    if not found or least < found[0] / _NEAR:
        found.insert(0, least)
    if most > found[-1] * _NEAR:
        found.append(most)
    return tuple(found)


def nearest_rung(allowed: Range, rate: float, factor: float) -> float | None:
    """The allowed rate nearest to a multiple of a rate, on its side of it; null when there is none."""
    side = [rung for rung in rungs(allowed) if (rung > rate * 1.01 if factor > 1 else rung < rate * 0.99)]
    return min(side, key=lambda rung: abs(math.log(rung / (rate * factor))), default=None)


def allowed_models(state: LoopState, method: Method, n_examples: int) -> tuple[str, ...]:
    """Base models the loop may train, in order of preference: its own choices, else the catalogue's order.

    A model is left out when it does not offer the method, when it takes no more jobs or is no longer served at
    the state's date, or (without an explicit choice) when there are fewer examples than it is worth trying with.
    """
    today = state.as_of.date()
    names = state.loop.choices.base_models
    found: list[str] = []
    for name in names if names is not None else tuple(model.name for model in state.catalogue):
        model = find_model(state.catalogue, name)
        if model is not None:
            if not is_trainable(model, method, today):
                continue
            if names is None and model.min_examples is not None and n_examples < model.min_examples:
                continue
        found.append(name)
    return tuple(found)


def allowed_methods(state: LoopState) -> tuple[Method, ...]:
    """Training methods the loop may use."""
    return state.loop.choices.methods or ("sft", "dpo", "rft")


def provider_of(state: LoopState, base_model: str) -> str:
    """The provider to train a base model with: the catalogue's, else the one the loop has used for it."""
    model = find_model(state.catalogue, base_model)
    if model is not None and model.provider != "any":
        return model.provider
    used = next((run.provider for run in reversed(state.runs) if run.provider != "external"), None)
    return used or "openai"
