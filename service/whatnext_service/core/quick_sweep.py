"""The method's rules of thumb for hyperparameters (method, section 6.2)."""

import msgspec

from whatnext_service.core.advice import Overrides, Value
from whatnext_service.core.loops import Choices, Method, Range
from whatnext_service.core.runs import ReasoningEffort, RunConfig, Variable
from whatnext_service.core.state import BaseModel

BASELINE_EPOCHS = 2
BASELINE_LEARNING_RATE = 1.0
OVERFIT_LEARNING_RATE = 0.5
OVERFIT_EPOCHS = 1
UNDERFIT_LEARNING_RATE = 1.5
UNDERFIT_EPOCHS = 3
REFINING_BATCH_SIZES = (16, 32)
DRASTIC_LEARNING_RATES = (0.3, 0.1)
"""Severe overfitting on a large dataset: method 5."""

EPOCHS_RANGE = Range(min=1, max=5)
LEARNING_RATE_RANGE = Range(min=0.1, max=2.0)

SMALL_DATASET = 500
"""Examples from which a dataset counts as large: method 6.3, "large datasets (500+)"."""

DPO_BETA = 0.1
DPO_L2 = 0.1
DPO_FEW_PAIRS = 500
DPO_FEW_PAIRS_EPOCHS_MAX = 2
RFT_REASONING_EFFORT: ReasoningEffort = "medium"
RFT_COMPUTE_MULTIPLIER = 1.5
RFT_LEARNING_RATE = 1.0
RFT_EPOCHS = Range(min=2, max=3)
RFT_EVAL_INTERVAL = 5
RFT_EVAL_SAMPLES = 10


class Tweak(msgspec.Struct, kw_only=True, frozen=True):
    """One change of one variable, and the rule it comes from."""

    variable: Variable
    to_value: Value
    reason: str
    source: str

    @property
    def overrides(self) -> Overrides:
        """The change as a run's overrides."""
        return msgspec.structs.replace(Overrides(), **{self.variable: self.to_value})


def is_small(n_examples: int) -> bool:
    """Fewer than 500 examples (method 6.3)."""
    return n_examples < SMALL_DATASET


def baseline_config(
    base_model: str, dataset_version_id: str, method: Method = "sft", *, n_examples: int | None = None
) -> RunConfig:
    """The first run: 2 epochs at 1.0 for SFT; DPO and RFT with their own defaults (method 6.2)."""
    match method:
        case "sft":
            return RunConfig(
                base_model=base_model,
                dataset_version_id=dataset_version_id,
                n_epochs=BASELINE_EPOCHS,
                learning_rate_multiplier=BASELINE_LEARNING_RATE,
            )
        case "dpo":
            return RunConfig(
                base_model=base_model,
                dataset_version_id=dataset_version_id,
                method="dpo",
                n_epochs=int(epochs_for(n_examples, "dpo").min) if n_examples is not None else 1,
                learning_rate_multiplier=BASELINE_LEARNING_RATE,
                beta=DPO_BETA,
                l2_multiplier=DPO_L2,
            )
        case "rft":
            return RunConfig(
                base_model=base_model,
                dataset_version_id=dataset_version_id,
                method="rft",
                n_epochs=int(RFT_EPOCHS.min),
                learning_rate_multiplier=RFT_LEARNING_RATE,
                compute_multiplier=RFT_COMPUTE_MULTIPLIER,
                reasoning_effort=RFT_REASONING_EFFORT,
                eval_interval=RFT_EVAL_INTERVAL,
                eval_samples=RFT_EVAL_SAMPLES,
            )


def epochs_for(n_examples: int, method: Method = "sft") -> Range:
    """Epochs by number of examples: under 100: 3-5; to 500: 2-3; to 2,000: 1-2; above: 1 (method 6.2).

    DPO under 500 pairs: 1-2; RFT: 2-3, whatever the number.
    """
    if method == "rft":
        return RFT_EPOCHS
    if method == "dpo" and n_examples < DPO_FEW_PAIRS:
        return Range(min=1, max=DPO_FEW_PAIRS_EPOCHS_MAX)
    if n_examples < 100:
        return Range(min=3, max=5)
    if n_examples <= 500:
        return Range(min=2, max=3)
    if n_examples <= 2000:
        return Range(min=1, max=2)
    return Range(min=1, max=1)


def learning_rates_for(n_examples: int, *, refining: bool) -> Range:
    """Rates by size: 0.1-0.5 under 200 examples or when refining; 0.2-0.5 above 1,000; else the whole range (method
    6.2). Its 1.5-2.0 for large data far from pre-training is left out: how far that is, nobody has said.
    """
    if refining or n_examples < 200:
        return Range(min=0.1, max=0.5)
    return Range(min=0.2, max=0.5) if n_examples > 1000 else LEARNING_RATE_RANGE


def when_overfitting(config: RunConfig) -> tuple[Tweak, ...]:
    """LR 0.5 or 1 epoch (method 6.2); below these values, half the rate."""
    rate, epochs = config.learning_rate_multiplier, config.n_epochs
    lower = OVERFIT_LEARNING_RATE if rate is None or rate > OVERFIT_LEARNING_RATE else rate / 2
    tweaks = [_rate(max(lower, LEARNING_RATE_RANGE.min), "overfitting: lower the learning rate")]
    if epochs is None or epochs > OVERFIT_EPOCHS:
        tweaks.append(_epochs(OVERFIT_EPOCHS, "overfitting: fewer epochs"))
    return _real(config, tweaks)


def when_severe(config: RunConfig) -> tuple[Tweak, ...]:
    """Severe overfitting on a large dataset: LR 0.3, then 0.1 (method 5)."""
    rate = config.learning_rate_multiplier
    lower = [value for value in DRASTIC_LEARNING_RATES if rate is None or value < rate]
    return tuple(_rate(value, "severe overfitting on a large dataset: lower the rate drastically") for value in lower)


def when_underfitting(config: RunConfig, model: BaseModel | None = None) -> tuple[Tweak, ...]:
    """LR 1.5 or 3 epochs (method 6.2); from these values on, up to the ranges' ends."""
    rate, epochs = config.learning_rate_multiplier, config.n_epochs
    rate_max, epochs_max = LEARNING_RATE_RANGE.max, EPOCHS_RANGE.max
    if model is not None:
        rate_max, epochs_max = model.learning_rate_max, model.epochs_max
    higher = UNDERFIT_LEARNING_RATE if rate is None or rate < UNDERFIT_LEARNING_RATE else rate_max
    more = UNDERFIT_EPOCHS if epochs is None or epochs < UNDERFIT_EPOCHS else int(epochs_max)
    tweaks = []
    if rate is None or rate < higher <= rate_max:
        tweaks.append(_rate(higher, "underfitting: raise the learning rate"))
    if epochs is None or epochs < more <= epochs_max:
        tweaks.append(_epochs(more, "underfitting: more epochs"))
    return _real(config, tweaks)


def when_rate_is_good(config: RunConfig) -> tuple[Tweak, ...]:
    """A good learning rate is found: batch 16, then 32 (method 6.2)."""
    return _real(
        config,
        [
            Tweak(variable="batch_size", to_value=size, reason="good learning rate found", source="method 6.2")
            for size in REFINING_BATCH_SIZES
        ],
    )


def allowed(tweak: Tweak, choices: Choices) -> bool:
    """Whether the loop's choices leave room for the change."""
    value = tweak.to_value
    match tweak.variable:
        case "base_model":
            return choices.base_models is None or value in choices.base_models
        case "method":
            return choices.methods is None or value in choices.methods
        case "learning_rate_multiplier":
            return _within(value, choices.learning_rate_multiplier)
        case "n_epochs":
            return _within(value, choices.n_epochs)
        case "batch_size":
            return _within(value, choices.batch_size)
        case _:
            return True


def _within(value: Value, limits: Range | None) -> bool:
    return limits is None or (isinstance(value, int | float) and limits.min <= value <= limits.max)


def _rate(value: float, reason: str) -> Tweak:
    return Tweak(variable="learning_rate_multiplier", to_value=round(value, 4), reason=reason, source="method 6.2")


def _epochs(value: int, reason: str) -> Tweak:
    return Tweak(variable="n_epochs", to_value=value, reason=reason, source="method 6.2")


def _real(config: RunConfig, tweaks: list[Tweak]) -> tuple[Tweak, ...]:
    return tuple(tweak for tweak in tweaks if getattr(config, tweak.variable) != tweak.to_value)
