"""The words of an answer: values and variables for people, and the whole answer as markdown."""

import re
from typing import assert_never

from whatnext_service.core.advice import Answer, Value
from whatnext_service.core.move_kinds import Move
from whatnext_service.core.runs import Variable
from whatnext_service.core.state import DatasetVersion
from whatnext_service.core.versions import find_version

MARKDOWN_MAX_CHARS = 3000
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~])")
_NAMES: tuple[tuple[Variable, str], ...] = (
    ("base_model", "base model"),
    ("dataset_version_id", "dataset version"),
    ("n_epochs", "epochs"),
    ("learning_rate_multiplier", "learning-rate multiplier"),
    ("batch_size", "batch size"),
    ("l2_multiplier", "L2 multiplier"),
    ("compute_multiplier", "compute multiplier"),
    ("reasoning_effort", "reasoning effort"),
    ("eval_interval", "evaluation interval"),
    ("eval_samples", "evaluation samples"),
)


def variable_name(variable: Variable) -> str:
    """A variable in words."""
    return next((name for key, name in _NAMES if key == variable), variable)


def shown(value: Value) -> str:
    """A value as people write it; null is what the provider chose."""
    if value is None:
        return "auto"
    return f"{value:g}" if isinstance(value, float) else str(value)


def shown_change(variable: Variable, value: Value, versions: tuple[DatasetVersion, ...]) -> str:
    """A variable's value, a dataset version by its name and size."""
    if variable == "dataset_version_id" and isinstance(value, str):
        version = find_version(versions, value)
        if version is not None:
            return f"{version.name} ({version.n_examples} ex)"
    return shown(value)


def cause(move: Move) -> str:
    """Why a change is advised, in a few words."""
    name = move.parent.name
    match move.rule:
        case "rate_ruins_run":
            return f"validation loss in {name} ended above its first value"
        case "clean_data":
            return "cleaner data goes before any setting"
        case "clean_and_enlarge_data":
            return "cleaner and larger data goes before any setting"
        case "enlarge_data":
            return "more data helps while validation loss has not risen"
        case "revised_data":
            return "somebody has uploaded it since"
        case "lower_rate_risen":
            return f"validation loss in {name} rose"
        case "raise_rate_undertrained" | "train_longer":
            return f"{name} was still improving at its end"
        case "neighbouring_rate":
            return "the rates beside a good one are untried"
        case "other_base_model":
            return "it is untried on this data"
        case "repair_rate":
            return "its first rate ruined the run"
        case "other_method":
            return "supervised training has plateaued"
        case "batch_size" | "remaining_rate":
            return "everything with more promise has been tried"
        case "lower_rate_failed":
            return f"{name} diverged"
        case _ as unreachable:
            assert_never(unreachable)


def escaped(text: str) -> str:
    """User text that cannot act as markdown or span lines."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def as_markdown(answer: Answer) -> str:
    """The answer for people, at most 3,000 characters."""
    lines = [f"**Next: {escaped(answer.headline)}**", ""]
    lines += [f"- {escaped(reason)}" for reason in answer.rationale]
    if answer.change is not None:
        expects = answer.change.expects
        if expects.effect is not None:
            lines.append(
                f"- Expected: {expects.effect:+.2f} {escaped(expects.metric)} "
                f"(80 % interval {expects.effect_low:+.2f} to {expects.effect_high:+.2f})"
            )
    if answer.method_reading is not None and not answer.method_reading.agrees:
        reading = answer.method_reading
        lines.append(f"- The method read literally: {escaped(reading.headline)} {escaped(reading.departure or '')}")
    lines.append(f"- Confidence: {answer.confidence.level}. {escaped(answer.confidence.basis)}")
    if answer.warnings:
        lines += ["", *(f"> {each.severity}: {escaped(each.message)}" for each in answer.warnings)]
    if answer.alternatives:
        lines += ["", "Otherwise:"]
        lines += [f"- {escaped(each.headline)} ({escaped(each.why_not)})" for each in answer.alternatives]
    if answer.action.request is not None:
        lines += ["", f"`{answer.action.request.method} {answer.action.request.path}`"]
    text = ""
    for line in lines:
        if len(text) + len(line) + 1 > MARKDOWN_MAX_CHARS:
            break
        text += line + "\n"
    return text.rstrip("\n")
