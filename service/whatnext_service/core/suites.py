"""What an eval suite must satisfy before a model is paid for it."""

from whatnext_service.core.eval_rows import EvalItem, missing_fields
from whatnext_service.core.grader_json import fields_read, not_run_here
from whatnext_service.core.grader_types import StringCheck
from whatnext_service.core.loops import Metric
from whatnext_service.core.scores import GradedDimension
from whatnext_service.errors import DomainError, FieldError

MAX_ITEMS = 10_000
MEASURED = ("completion_tokens", "latency_s")
"""What is measured of every answer beside its grades; less is better."""


def check_suite(
    items: tuple[EvalItem, ...],
    dimensions: tuple[GradedDimension, ...],
    scale_min: float,
    scale_max: float,
    metric: Metric,
    *,
    has_judge: bool,
    has_embeddings: bool,
) -> None:
    """Refuse a suite that cannot be run: no items, names given twice, fields that items lack, a scale that is not the
    loop's, graders that the service does not run."""
    faults: list[FieldError] = []
    if not 0 < len(items) <= MAX_ITEMS:
        faults.append(FieldError(pointer="/dataset_version_id", message=f"has {len(items)} rows, not 1 to {MAX_ITEMS}"))
    if (scale_min, scale_max) != (metric.scale_min, metric.scale_max):
        message = f"the loop's metric goes from {metric.scale_min:g} to {metric.scale_max:g}"
        faults.append(FieldError(pointer="/scale", message=message))
    names = [each.name for each in dimensions]
    for place, dimension in enumerate(dimensions):
        at = f"/graders/{place}"
        if names.index(dimension.name) != place:
            faults.append(FieldError(pointer=f"{at}/name", message="is given twice"))
        if reason := not_run_here(dimension.grader, has_judge=has_judge, has_embeddings=has_embeddings):
            faults.append(FieldError(pointer=f"{at}/grader", message=reason))
        for lack in missing_fields(items, fields_read(dimension.grader)):
            message = f"reads item.{lack.name}, which {lack.n_items} items lack, the first at {lack.first_item}"
            faults.append(FieldError(pointer=f"{at}/grader", message=message))
    if faults:
        raise DomainError("invalid_suite", "; ".join(f"{f.pointer} {f.message}" for f in faults), errors=tuple(faults))


def check_guardrails(names: tuple[str, ...], dimensions: tuple[GradedDimension, ...]) -> None:
    """A guardrail is a grader of the suite, or what every answer costs; each is named once."""
    known = {each.name for each in dimensions} | set(MEASURED)
    faults = [
        FieldError(pointer=f"/guardrails/{place}/name", message=message)
        for place, name in enumerate(names)
        if (
            message := f"is neither a grader of the suite nor {' or '.join(MEASURED)}"
            if name not in known
            else "is given twice"
            if names.index(name) != place
            else ""
        )
    ]
    if faults:
        raise DomainError("invalid_suite", "; ".join(f"{f.pointer} {f.message}" for f in faults), errors=tuple(faults))


def is_binary(dimensions: tuple[GradedDimension, ...]) -> bool:
    """Whether every item can only score the bottom or the top of the scale."""
    return len(dimensions) == 1 and isinstance(dimensions[0].grader, StringCheck)
