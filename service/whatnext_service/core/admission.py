"""What a run must satisfy before it may be started: budget, catalogue, formats, and data nobody is judged on."""

from whatnext_service.core.budget import spending, would_exceed
from whatnext_service.core.catalogue import find_model
from whatnext_service.core.row_hashes import overlap
from whatnext_service.core.runs import RunConfig
from whatnext_service.core.state import LoopState
from whatnext_service.errors import DomainError, FieldError


def check_admission(state: LoopState, config: RunConfig) -> None:
    """Refuse a run that the budget does not cover, or that its base model or its data does not fit."""
    if reason := would_exceed(state, config, spending(state)):
        raise DomainError("budget_exhausted", reason)
    model = find_model(state.catalogue, config.base_model)
    if model is not None and config.method not in model.methods:
        raise _invalid("/config/method", f"{model.name} offers {', '.join(model.methods)}, not {config.method}.")
    ends = model.training_ends if model is not None else None
    if ends is not None and state.as_of.date() > ends:
        raise _invalid("/config/base_model", f"{config.base_model} has accepted no training job since {ends}.")
    version = next((each for each in state.versions if each.id == config.dataset_version_id), None)
    if version is not None and version.method != config.method:
        raise _invalid(
            "/config/dataset_version_id", f"{version.name} is formatted for {version.method}, not {config.method}."
        )


def check_overlap(prompt_hashes: bytes, suite_hashes: bytes, pointer: str, suite_name: str) -> None:
    """Refuse data that shares a prompt with an eval suite (method 4: never evaluate on training or validation rows)."""
    shared = overlap(prompt_hashes, suite_hashes)
    if shared:
        raise DomainError(
            "data_overlap",
            f"{len(shared)} of the items of the eval suite {suite_name!r} also occur in the training or validation "
            "data: a score on them would measure memory. Remove them from the data, or make another suite.",
            errors=(FieldError(pointer=pointer, message=f"shares {len(shared)} prompts with {suite_name!r}"),),
        )


def _invalid(pointer: str, message: str) -> DomainError:
    return DomainError("invalid_run", message, errors=(FieldError(pointer=pointer, message=message),))
