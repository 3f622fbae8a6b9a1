"""Training types: when SFT should give way to DPO or RFT, and how much data each wants (method, section 6.4)."""

import msgspec

from whatnext_service.core.loops import Choices, Method
from whatnext_service.core.state import BaseModel

WANTED_EXAMPLES: tuple[tuple[Method, int, int], ...] = (("sft", 50, 5000), ("dpo", 500, 5000), ("rft", 200, 2000))
"""Method, fewest and most: pairs for SFT, preference pairs for DPO, prompts for RFT."""


class TypeOption(msgspec.Struct, kw_only=True, frozen=True):
    """Another training type that may be tried now, and what it needs first."""

    method: Method
    reason: str
    needs: tuple[str, ...]
    """What must be made before it can be tried; empty when nothing is missing."""


def wanted_examples(method: Method) -> tuple[int, int]:
    """Fewest and most examples: SFT 50-5,000 pairs, DPO 500-5,000 preference pairs, RFT 200-2,000 prompts."""
    return next((least, most) for name, least, most in WANTED_EXAMPLES if name == method)


def type_options(
    current: Method,
    model: BaseModel | None,
    choices: Choices,
    *,
    plateaued: bool,
    reasoning: bool,
    style_mismatch: bool,
    preference_pairs: int | None,
    graded_prompts: int | None,
) -> tuple[TypeOption, ...]:
    """SFT plateaued and reasoning must improve: RFT where the model offers it; style alignment: DPO on top of SFT.

    `preference_pairs` and `graded_prompts` count what a dataset version of that format holds; null when there is none.
    """
    options = []
    if current != "sft" or not plateaued or model is None:
        return ()
    if reasoning and _offered("rft", model, choices):
        options.append(
            TypeOption(
                method="rft",
                reason="SFT has plateaued and reasoning must improve",
                needs=(*_missing("rft", graded_prompts, "prompts with a grader"), "a validation file"),
            )
        )
    if style_mismatch and _offered("dpo", model, choices):
        options.append(
            TypeOption(
                method="dpo",
                reason="style alignment, on top of the SFT model",
                needs=_missing("dpo", preference_pairs, "preference pairs"),
            )
        )
    return tuple(options)


def _offered(method: Method, model: BaseModel, choices: Choices) -> bool:
    return method in model.methods and (choices.methods is None or method in choices.methods)


def _missing(method: Method, count: int | None, noun: str) -> tuple[str, ...]:
    least, _ = wanted_examples(method)
    return () if count is not None and count >= least else (f"at least {least} {noun}",)
