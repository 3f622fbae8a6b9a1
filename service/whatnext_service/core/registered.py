"""Results measured elsewhere: what must hold before they count."""

import math

from whatnext_service.errors import DomainError, FieldError


def check_registered(
    indexes: tuple[int, ...], scores: tuple[float | None, ...], n_items: int, scale_min: float, scale_max: float
) -> None:
    """Refuse item scores that name an item twice or none, or that lie outside the suite's scale."""
    faults: list[FieldError] = []
    seen: set[int] = set()
    for place, (index, score) in enumerate(zip(indexes, scores, strict=True)):
        if index >= n_items:
            faults.append(FieldError(pointer=f"/items/{place}/index", message=f"the suite has {n_items} items"))
        if index in seen:
            faults.append(FieldError(pointer=f"/items/{place}/index", message="is given twice"))
        seen.add(index)
        if score is not None and not (math.isfinite(score) and scale_min <= score <= scale_max):
            message = f"lies outside the suite's scale of {scale_min:g} to {scale_max:g}"
            faults.append(FieldError(pointer=f"/items/{place}/score", message=message))
    if faults:
        raise DomainError("invalid_evaluation", f"{len(faults)} items cannot be right.", errors=tuple(faults[:100]))
